// What JupyterLab and the kernel say to each other: the browser's side of workbench/widgets/messages.py,
// where every message is described; a test holds the fields of the two together.

import type { View } from "../viz/types";

export const TARGET = "kernel-workbench", VERSION = 1;

export interface List { id: number; type: "list" }
export interface Show { id: number; type: "view"; name: string }
export interface Onnx { id: number; type: "onnx"; path: string; dims: Record<string, number> }
export interface Ask { id: number; type: "ask"; of: number; what: string; request: Record<string, unknown> }
export interface Cancel { id: number; type: "cancel"; of: number }
export interface Close { id: number; type: "close"; of: number }
export type Request = List | Show | Onnx | Ask | Cancel | Close;

export interface Entry { name: string; kind: string; facts: string; revision: number }
export interface Listed { id: number; type: "listed"; version: number; objects: Entry[] }
export interface Viewed { id: number; type: "viewed"; version: number; view: View; text: string }
export interface Open { id: number; type: "open"; version: number; dims: string[]; view: View; text: string }
export interface Replied { id: number; type: "replied"; version: number; answer: Record<string, unknown>; view: View | null }
export interface Progress { id: number; type: "progress"; version: number; said: string; step: number; steps: number }
export interface Stopped { id: number; type: "stopped"; version: number }
export interface Refused { id: number; type: "refused"; version: number; message: string; hint: string; notes: string[]; start: number; end: number }
export type Answer = Listed | Viewed | Open | Replied | Progress | Stopped | Refused;

const KNOWN = new Set(["listed", "viewed", "open", "replied", "progress", "stopped", "refused"]);

/** The message, if it is one of ours. */
export function answerOf(data: unknown): Answer | null {
  const found = data as Answer | null;
  const whole = !!found && typeof found === "object" && typeof found.id === "number" && found.version === VERSION;
  return whole && KNOWN.has(found.type) ? found : null;
}

export function refused(id: number, message: string, hint = ""): Refused {
  return { id, type: "refused", version: VERSION, message, hint, notes: [], start: 0, end: 0 };
}
