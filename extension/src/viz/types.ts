// Views as Python sends them (workbench/view); a test holds the field names against the dataclasses.

export interface Fact { value: string; words: string }
export interface LoopView { name: string; extent: number; attr: string }
export interface TermView {
  coef: number; source: number; div: number; mod: number | null;
  table: number[]; position: TermView[]; constant: boolean;
}
export interface GuardView { terms: TermView[]; bound: TermView[] }
export interface NestView {
  loops: LoopView[]; dims: string[]; index: TermView[][]; guards: GuardView[];
}
export interface FactorView { text: string; name: string; shape: number[]; workers: number }
export interface MappingView {
  kind: "mapping"; version: 1;
  text: string; canonical: string; shape: number[]; workers: number; most_tasks: number;
  facts: Fact[]; factors: FactorView[]; nest: NestView | null; lines: string[];
  strides: number[]; item_bytes: number; layout: string; editable: boolean;
}

export interface LineView { text: string; link: number; group: number }
export interface PaneView { name: string; aside: string; language: string; lines: LineView[]; first: number }
export interface Figure { label: string; value: string; note: string; warn: boolean }
export interface StageView { name: string; ms: number; changes: number }
export interface ProgramView {
  kind: "program"; version: 1;
  name: string; signature: string; launch: string; target: string;
  panes: PaneView[]; figures: Figure[]; stages: StageView[]; problem: string;
}

export interface Box { x: number; y: number; width: number; height: number }
export interface NodeView { name: string; detail: string; origin: string; role: string; group: number; box: Box }
export interface GroupView { name: string; nodes: number[]; moved: string; box: Box }
export interface EdgeView { source: number; target: number; tensor: string; reason: number; route: number[] }
export interface Change { label: string; before: string; after: string }
export interface GraphView {
  kind: "graph"; version: 1;
  name: string; summary: string; nodes: NodeView[]; edges: EdgeView[]; groups: GroupView[]; stored: EdgeView[];
  reasons: string[]; changes: Change[]; before: Box; after: Box; note: string;
}

/** What every drawing gives back. */
export interface Drawing<View, Selection> {
  update(view: View): void;
  select(selection: Selection): void;
  dispose(): void;
}
