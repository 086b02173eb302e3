// The line to one kernel: requests and answers, what is listed, and whether what we know still holds.

import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { IDisposable } from "@lumino/disposable";
import { Signal, type ISignal } from "@lumino/signaling";

import { answerOf, refused, TARGET, VERSION, type Answer, type Entry, type Progress, type Request } from "./protocol";

/** Of `none` no kernel runs; of `missing` workbench is not imported; `gone` kernels have ended or begun anew. */
export type LinkState = "none" | "asking" | "missing" | "live" | "gone";

/** What a session of a notebook and one of our own have in common. */
export interface Source {
  kernel(): Kernel.IKernelConnection | null;
  kernelChanged: ISignal<unknown, unknown>;
  statusChanged: ISignal<unknown, Kernel.Status>;
  iopubMessage: ISignal<unknown, KernelMessage.IMessage>;
}

export type Question = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;
interface Waiting { done(answer: Answer): void; progress?(said: Progress, id: number): void }

export const ENDED_STATES = new Set<Kernel.Status>(["restarting", "autorestarting", "dead", "terminating"]);

export class Link implements IDisposable {
  state: LinkState = "none";
  objects: Entry[] = [];
  /** Whether lists that Python sends after a cell are taken. */
  follows = true;
  isDisposed = false;
  private known: Kernel.IKernelConnection | null;
  private comm: Kernel.IComm | null = null;
  private last = 0;
  private mentioned = false;
  private readonly waiting = new Map<number, Waiting>();
  private readonly told = new Signal<this, void>(this);

  constructor(private readonly source: Source) {
    this.known = source.kernel();
    source.kernelChanged.connect(this.renew, this);
    source.statusChanged.connect(this.onStatus, this);
    source.iopubMessage.connect(this.onOutput, this);
  }

  /** Emits when the state or the list has changed. */
  get changed(): ISignal<this, void> { return this.told; }

  /** Whether every request has its answer. */
  get quiet(): boolean { return this.waiting.size === 0; }

  /** Whether the kernel listens to another part of JupyterLab only. */
  get mute(): boolean { return this.source.kernel()?.handleComms === false; }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.hangUp("none", "the notebook is closed");
    Signal.clearData(this);
  }

  /** Find out whether workbench is there, and list what it has made; a second call asks for the list anew. */
  async look(): Promise<void> {
    const kernel = this.source.kernel();
    if (!kernel || this.isDisposed) return;
    if (this.state === "asking") return;
    if (this.state === "live") return void this.ask({ type: "list" });
    this.become("asking");
    const info = await kernel.info.catch(() => null);
    if (this.isDisposed || kernel !== this.source.kernel()) return;
    if (info?.language_info.name !== "python" || !kernel.handleComms) return this.become("missing");
    const comm = kernel.createComm(TARGET);
    this.comm = comm;
    comm.onMsg = (message) => { if (this.comm === comm) this.heard(message.content.data); };
    comm.onClose = () => { if (this.comm === comm) this.hangUp("missing", "workbench is not imported in this kernel"); };
    comm.open({ version: VERSION });
    const answer = await this.ask({ type: "list" });
    if (answer.type === "refused" && this.comm === comm) this.hangUp("missing", answer.message);
  }

  /** Ask; `progress` hears what is said on the way. */
  ask(request: Question, progress?: (said: Progress, id: number) => void): Promise<Answer> {
    const id = ++this.last, comm = this.comm;
    if (!comm) return Promise.resolve(refused(id, "there is no kernel to ask", "run the notebook again"));
    return new Promise((done) => {
      this.waiting.set(id, { done, ...(progress ? { progress } : {}) });
      comm.send({ version: VERSION, id, ...request } as never);
    });
  }

  /** Stop the work for a request, whose answer is `stopped`; or say that its view is gone. */
  tell(type: "cancel" | "close", of: number): void { this.comm?.send({ version: VERSION, id: ++this.last, type, of }); }

  private heard(data: unknown): void {
    const answer = answerOf(data);
    if (!answer) return;
    const waiting = this.waiting.get(answer.id);
    if (answer.type === "progress") return waiting?.progress?.(answer, answer.id);
    this.waiting.delete(answer.id);
    if (answer.type === "listed" && (answer.id || this.follows)) { this.objects = answer.objects; this.become("live", true); }
    waiting?.done(answer);
  }

  private become(state: LinkState, always = false): void {
    if (this.state === state && !always) return;
    this.state = state;
    this.told.emit();
  }

  private hangUp(state: LinkState, why: string): void {
    const comm = this.comm;
    this.comm = null;
    if (comm && !comm.isDisposed) comm.dispose();
    for (const [id, { done }] of this.waiting) done(refused(id, why));
    this.waiting.clear();
    this.become(state);
  }

  /** Begin anew if there is another kernel; one that was restarted is the same and has said so by its status. */
  renew(): void {
    const kernel = this.source.kernel();
    if (kernel === this.known) return;
    this.known = kernel;
    this.hangUp(kernel ? "gone" : "none", "the kernel has changed");
    void this.look();
  }

  private onStatus(_: unknown, status: Kernel.Status): void {
    if (ENDED_STATES.has(status)) { this.mentioned = false; this.hangUp("gone", "the kernel has ended"); }
    if (status === "idle" && this.mentioned) {
      this.mentioned = false;
      if (this.state !== "live") void this.look();
    }
  }

  /** A cell that names workbench may have imported it; other cells are no reason to ask. */
  private onOutput(_: unknown, message: KernelMessage.IMessage): void {
    if (message.header.msg_type !== "execute_input" || this.state === "live") return;
    this.mentioned ||= (message.content as { code?: string }).code?.includes("workbench") ?? false;
  }
}
