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

/** What every drawing gives back. */
export interface Drawing<View, Selection> {
  update(view: View): void;
  select(selection: Selection): void;
  dispose(): void;
}
