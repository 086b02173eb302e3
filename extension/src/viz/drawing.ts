// What every drawing takes and gives back. A drawing is DOM alone; all that needs a kernel is a
// callback of its host, and where the callback is missing its control is hidden or says why.

/** The event on the place of a live drawing by which a page says that the kernel behind it is gone. */
export const ENDED = "kernel-workbench:ended";

/** One selection for all screens: each changes its own keys only and leaves the others alone. */
export interface Selection {
  worker?: number;
  /** Which of the worker's tasks; null for all of them. */
  step?: number | null;
  task?: number[];
  /** Canonical text of a mapping. */
  mapping?: string;
  /** Number of linked lines of a program; 0 for none. */
  link?: number;
  /** Names of the texts of a program that are open. */
  panes?: string[];
  /** Kernel, operator and tensor of a graph; -1 for none. */
  group?: number;
  node?: number;
  edge?: number;
  trial?: number;
  stage?: number;
}

/** What is wrong with a request: message, next step, and the place in a text [characters]. */
export interface Problem { type: string; message: string; hint: string; start: number; end: number }

/** The answer to a request; `late` when a newer one of the same type was asked instead. */
export interface Reply { answer: Record<string, unknown>; problem: Problem | null; late: boolean }

export interface Host {
  /** Keys of the selection that a person changed. */
  selected?(change: Selection): void;
  /** Ask Python; a new view comes by `update` before the reply. Missing where there is no kernel. */
  ask?(type: string, request?: Record<string, unknown>): Promise<Reply>;
  /** Why there is no kernel, for what stands in place of controls. */
  reason?: string;
  /** Forms of the view that were saved with it: what can be copied without a kernel. */
  twins?: { svg?: string; html?: string; text?: string; link?: string; page?: string };
}

export interface Drawing<View> {
  update(view: View): void;
  select(selection: Selection): void;
  dispose(): void;
}

export type Render<View> = (el: HTMLElement, view: View, host?: Host) => Drawing<View>;
