// Views as Python sends them. Made from the dataclasses in workbench/view by
// `python -m pytest tests/view --update-golden`; do not edit.

/** A figure and what it counts; the figure may be empty. */
export interface Fact {
  value: string;
  words: string;
}

/** One factor of a composition. */
export interface FactorView {
  text: string;
  name: string;
  shape: number[];
  workers: number;
  ranks: number[];
  attrs: string[];
}

/** A loop from 0 to `extent`; `attr` is its loop attribute, empty when there is none. */
export interface LoopView {
  name: string;
  extent: number;
  attr: string;
}

/** A summand: ``coef * ((source // div) % mod)``, or ``coef * table[position]``, or ``coef``. */
export interface TermView {
  coef: number;
  source: number;
  div: number;
  mod: number | null;
  table: number[];
  position: TermView[];
  constant: boolean;
}

/** A task is done only where the sum of `terms` is less than that of `bound`. */
export interface GuardView {
  terms: TermView[];
  bound: TermView[];
}

/** Loops outermost first; per dim the summands of the task's coordinate; guards. */
export interface NestView {
  loops: LoopView[];
  dims: string[];
  index: TermView[][];
  guards: GuardView[];
}

/** What a mapping screen knows. */
export interface MappingView {
  text: string;
  canonical: string;
  shape: number[];
  workers: number;
  most_tasks: number;
  facts: Fact[];
  factors: FactorView[];
  nest: NestView | null;
  lines: string[];
  strides: number[];
  item_bytes: number;
  layout: string;
  editable: boolean;
  kind: "mapping";
  version: 1;
}

/** A line of a text. */
export interface LineView {
  text: string;
  link: number;
  group: number;
}

/** One text. */
export interface PaneView {
  name: string;
  aside: string;
  language: string;
  lines: LineView[];
  first: number;
  cut: number;
  asked: boolean;
  problem: string;
}

/** A number with what it is, what it means, and whether that is a reason to look. */
export interface Figure {
  label: string;
  value: string;
  note: string;
  warn: boolean;
  basis: string;
  formula: string;
}

/** A step of the compiler: its name, its time [ms], and how many nodes it changed. */
export interface StageView {
  name: string;
  ms: number;
  changes: number;
}

/** A mapping, and the lines of its task loops. */
export interface MappingUse {
  mapping: string;
  text: string;
  workers: number;
  links: number[];
  nest: NestView | null;
}

/** What the compiler says of a place. */
export interface Complaint {
  line: number;
  column: number;
  kind: string;
  message: string;
  code: string;
}

/** A figure of the original beside that of the fork, and what it means that they differ. */
export interface Comparison {
  label: string;
  original: string;
  fork: string;
  note: string;
  warn: boolean;
}

/** What became of a text that a person made of a kernel's CUDA. */
export interface ForkView {
  problem: string;
  hint: string;
  complaints: Complaint[];
  rows: Comparison[];
  said: string;
  number: number;
}

/** What a program screen knows. */
export interface ProgramView {
  name: string;
  signature: string;
  target: string;
  panes: PaneView[];
  figures: Figure[];
  stages: StageView[];
  problem: string;
  launch: string;
  mappings: MappingUse[];
  fork: ForkView | null;
  extents: string[];
  kind: "program";
  version: 1;
}

/** An option of a pass; a bool counts as 0 and 1. */
export interface OptionView {
  name: string;
  kind: "int" | "bool";
  value: number;
  default: number;
}

/** Some of a line, and whether it is only in one of the texts. */
export interface DiffPart {
  text: string;
  changed: boolean;
}

/** A line of a difference. */
export interface DiffRow {
  kind: "same" | "gone" | "new" | "skip";
  before: number;
  after: number;
  parts: DiffPart[];
  link: number;
  rules: number[];
}

/** What a rule made of what. */
export interface RuleUse {
  rule: string;
  said: string;
  before: string;
  after: string;
}

/** A step of the compiler. */
export interface StepView {
  name: string;
  spec: string;
  title: string;
  ms: number;
  changes: number;
  options: OptionView[];
  state: "begin" | "done" | "failed" | "off" | "waits" | "end";
  fixed: boolean;
  rows: DiffRow[];
  cut: number;
  asked: boolean;
  problem: string;
  hint: string;
  rules: RuleUse[];
}

/** What a passes screen knows. */
export interface PassesView {
  name: string;
  signature: string;
  target: string;
  steps: StepView[];
  ms: number;
  figures: Figure[];
  note: string;
  kind: "passes";
  version: 1;
}

/** What was timed in turns with the first; times are of one call [µs]. */
export interface PeerView {
  name: string;
  samples_us: number[];
  median_us: number;
  low_us: number;
  high_us: number;
  min_us: number;
  ratio: number;
  ratio_low: number;
  ratio_high: number;
}

/** A number that says where it is from. */
export interface SourcedFigure {
  label: string;
  value: string;
  source: string;
  formula: string;
}

/** A kernel under the roof of its machine. */
export interface Roofline {
  machine: string;
  intensity: number;
  achieved: number;
  peak: number;
  bandwidth: number;
  figures: SourcedFigure[];
}

/** What a timing screen knows; times are of one call [µs]. */
export interface TimingView {
  name: string;
  samples_us: number[];
  median_us: number;
  low_us: number;
  high_us: number;
  min_us: number;
  median: string;
  spread: string;
  conditions: string;
  peers: PeerView[];
  roofline: Roofline | null;
  note: string;
  kind: "timing";
  version: 1;
}

/** Where something is drawn, from its top left corner [px]. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** An operator, an input or an output. */
export interface NodeView {
  name: string;
  detail: string;
  origin: string;
  role: string;
  group: number;
  box: Box;
}

/** A tensor that flows. */
export interface EdgeView {
  source: number;
  target: number;
  tensor: string;
  reason: number;
  route: number[];
  value: number;
}

/** Operators that share a kernel; inputs and outputs stand alone. */
export interface GroupView {
  name: string;
  nodes: number[];
  moved: string;
  box: Box;
  saved: string;
  number: number;
}

/** A figure before and after fusion; `before` is empty where nothing is compared. */
export interface Change {
  label: string;
  before: string;
  after: string;
}

/** A kernel that is there only with the cuts, or only without. */
export interface KernelChange {
  name: string;
  moved: string;
  group: number;
  new: boolean;
}

/** What cuts change. */
export interface WhatIf {
  values: number[];
  tensors: string[];
  changes: Change[];
  kernels: KernelChange[];
}

/** What a graph screen knows. */
export interface GraphView {
  name: string;
  summary: string;
  nodes: NodeView[];
  edges: EdgeView[];
  groups: GroupView[];
  stored: EdgeView[];
  reasons: string[];
  changes: Change[];
  before: Box;
  after: Box;
  note: string;
  first: number;
  total: number;
  what_if: WhatIf | null;
  kind: "graph";
  version: 1;
}

/** One candidate and what became of it. */
export interface TrialView {
  knobs: string[];
  status: string;
  reason: string;
  predicted_us: number | null;
  median_us: number | null;
  low_us: number | null;
  high_us: number | null;
  limiter: string;
  registers: number | null;
  spill_bytes: number | null;
  occupancy: number | null;
  compile_ms: number;
}

/** How many trials ended for one reason. */
export interface ReasonCount {
  status: string;
  reason: string;
  count: number;
}

/** What a tuning screen knows. */
export interface TuneView {
  name: string;
  target: string;
  device: string;
  knobs: string[];
  trials: TrialView[];
  best: number;
  state: string;
  stopped: string;
  done: number;
  planned: number;
  seconds: number;
  left_s: number | null;
  reasons: ReasonCount[];
  note: string;
  kind: "tune";
  version: 1;
}

/** One fault. */
export interface FaultView {
  what: string;
  message: string;
  hint: string;
  place: string;
  code: string;
  who: string;
  other: string;
  count: number;
}

/** What a run found. */
export interface ReportView {
  faults: FaultView[];
  steps: number;
  kind: "report";
  version: 1;
}

/** A value that was stored. */
export interface CellWrite {
  tensor: string;
  index: number[];
  value: number;
  thread: number;
  line: number;
}

/** What a block does between two barriers. */
export interface IntervalView {
  line: number;
  writes: CellWrite[];
  masked: number[];
}

/** What an execution screen knows. */
export interface ExecutionView {
  name: string;
  block: [number, number, number];
  threads: number;
  intervals: IntervalView[];
  note: string;
  kind: "execution";
  version: 1;
}

/** One load or store of a warp. */
export interface AccessView {
  tensor: string;
  scope: string;
  store: boolean;
  line: number;
  lanes: number[];
  moved_bytes: number;
  used_bytes: number;
  ways: number;
}

/** What a memory screen knows. */
export interface MemoryView {
  name: string;
  accesses: AccessView[];
  note: string;
  kind: "memory";
  version: 1;
}

/** A line of a comparison: ``-`` before, ``+`` after, ``=`` in both, ``…`` left out. */
export interface DiffLine {
  sign: string;
  text: string;
}

/** Two texts compared line by line. */
export interface DiffView {
  before: string;
  after: string;
  language: string;
  lines: DiffLine[];
  note: string;
}

/** Every view. */
export type View = MappingView | ProgramView | PassesView | TimingView | GraphView | TuneView | ReportView | ExecutionView | MemoryView;

/** The version of each kind that these types describe. */
export const VERSIONS: Record<string, number> = { mapping: 1, program: 1, passes: 1, timing: 1, graph: 1, tune: 1, report: 1, execution: 1, memory: 1 };
