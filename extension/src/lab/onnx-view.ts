// A model opened from the file browser: a kernel of its own reads it, says how far it is, and can be stopped.

import { PathExt } from "@jupyterlab/coreutils";
import { ABCWidgetFactory, Base64ModelFactory, DocumentWidget, type DocumentRegistry } from "@jupyterlab/docregistry";
import type { Contents, ServiceManager, Session } from "@jupyterlab/services";
import { Widget } from "@lumino/widgets";

import { h } from "../viz/dom";
import { Link } from "./link";
import { refused, type Answer, type Progress, type Refused } from "./protocol";
import { asker, pageOf, Stage, trouble } from "./stage";

/** All that is ever run in the kernel; everything else is data in messages. */
const BOOTSTRAP = "import workbench";
const PATIENCE_MS = 1500;

/** A document whose bytes stay where they are: the kernel reads the file, not the browser. */
export class UnreadFactory extends Base64ModelFactory {
  override get name(): string { return "kernel-workbench-unread"; }
  override get fileFormat(): Contents.FileFormat { return null; }
}

export class OnnxView extends Widget {
  private session: Session.ISessionConnection | null = null;
  private link: Link | null = null;
  private of = 0;
  private working = 0;
  private run = 0;
  private readonly bar = h("div", { class: "kw-lab-progress", role: "status" });
  private readonly form = h("form", { class: "kw-lab-dims", "aria-label": "Open dims of the model" });
  private readonly problem = h("div");
  private readonly stage: Stage;

  constructor(private readonly context: DocumentRegistry.Context, private readonly services: ServiceManager.IManager) {
    super();
    this.addClass("kw-lab-tab");
    this.stage = new Stage({ ask: (type, request) => this.link ? asker(this.link, () => this.of, () => this.stage)(type, request) : Promise.resolve({ answer: {}, problem: null, late: true }) });
    this.node.append(this.bar, this.form, this.problem, this.stage.node);
    void context.ready.then(() => this.load({}));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.run += 1;
    this.end();
    this.stage.dispose();
    super.dispose();
  }

  /** Read the model with these extents; a load that comes later takes its place. */
  async load(dims: Record<string, number>): Promise<void> {
    const run = ++this.run;
    this.problem.replaceChildren();
    this.progress("starting a Python kernel", 0, 4);
    try {
      const link = await this.connect();
      if (run !== this.run) return this.isDisposed ? this.end() : undefined;
      const path = PathExt.basename(this.context.localPath);
      const answer = await link.ask({ type: "onnx", path, dims }, (said, id) => {
        this.working = id;
        if (run === this.run) this.onProgress(said);
      });
      if (run === this.run) this.read(answer, dims);
    } catch (error) {
      if (run === this.run) this.fail(refused(0, error instanceof Error ? error.message : String(error), (error as { hint?: string }).hint ?? ""));
    }
  }

  /** One file that needs nothing else. */
  async page(): Promise<string> {
    if (!this.link) throw new Error("the model is not read yet");
    return pageOf(this.link, this.of, this.stage);
  }

  private read(answer: Answer, dims: Record<string, number>): void {
    this.bar.replaceChildren();
    if (answer.type === "refused") return this.fail(answer);
    if (answer.type !== "viewed" && answer.type !== "open") return this.fail(refused(0, "Stopped: the model was not read to its end."));
    if (this.of) this.link?.tell("close", this.of);
    this.of = answer.id;
    if (answer.type === "open") this.ask(answer.dims, dims);
    this.stage.show(answer.view, answer.text, true);
  }

  /** A field for each extent that the model leaves open. */
  private ask(names: string[], dims: Record<string, number>): void {
    const fields = names.map((name) => h("input", { type: "number", min: "0", step: "1", required: true, name, value: String(dims[name] ?? 1) }));
    this.form.onsubmit = (event) => {
      event.preventDefault();
      void this.load(Object.fromEntries(fields.map((field) => [field.name, Number(field.value)])));
    };
    this.form.replaceChildren(h("span", { class: "kw-soft" }, "The model leaves open:"),
      ...fields.map((field) => h("label", {}, h("code", {}, field.name), field)), h("button", {}, "Show kernels"));
  }

  private onProgress({ said, step, steps }: Progress): void { this.progress(said, step, steps + 1); }

  private progress(said: string, step: number, steps: number): void {
    this.bar.replaceChildren(h("progress", { max: String(steps), value: String(step), "aria-label": "Progress" }),
      h("span", {}, `${said} …`), h("button", { type: "button", onclick: () => this.stop() }, "Cancel"));
  }

  /** A step cannot be cut short; one that goes on for long ends with its kernel. */
  private stop(): void {
    const link = this.link, run = ++this.run;
    link?.tell("cancel", this.working);
    setTimeout(() => { if (run === this.run && !link?.quiet) this.end(); }, PATIENCE_MS);
    this.fail(refused(0, "Stopped", "Nothing was changed; the model can be read again."));
  }

  private fail(error: Refused): void {
    this.bar.replaceChildren();
    this.problem.replaceChildren(trouble(error, () => void this.load({})));
  }

  private async connect(): Promise<Link> {
    if (this.link?.state === "live") return this.link;
    this.end();
    const kernel = await pythonOf(this.services);
    // Named after the file, so that a page that is loaded anew finds the kernel that it had.
    const path = `${this.context.localPath}.kernel-workbench`;
    const model = await this.services.sessions.findByPath(path);
    const session = model ? this.services.sessions.connectTo({ model })
      : await this.services.sessions.startNew({ path, name: PathExt.basename(path), type: "kernel-workbench", kernel: { name: kernel } });
    this.session = session;
    const reply = await session.kernel!.requestExecute({ code: BOOTSTRAP, silent: true, store_history: false }).done;
    if (reply.content.status !== "ok") throw Object.assign(new Error(`The kernel ${kernel} has no workbench`), { hint: "Install kernel-workbench where this kernel runs." });
    this.link = new Link({ kernel: () => session.kernel, kernelChanged: session.kernelChanged, statusChanged: session.statusChanged, iopubMessage: session.iopubMessage });
    await this.link.look();
    if (this.link.state !== "live") throw new Error("The kernel does not answer");
    return this.link;
  }

  private end(): void {
    const session = this.session;
    this.link?.dispose();
    this.link = this.session = null;
    this.of = 0;
    if (session && !session.isDisposed) void session.shutdown().catch(() => {});
  }
}

/** The default kernel if it is for Python, else the first one that is. */
async function pythonOf(services: ServiceManager.IManager): Promise<string> {
  await services.kernelspecs.ready;
  const specs = services.kernelspecs.specs, all = Object.values(specs?.kernelspecs ?? {});
  const python = all.filter((spec) => spec?.language.toLowerCase() === "python");
  const found = python.find((spec) => spec!.name === specs?.default) ?? python[0];
  if (!found) throw Object.assign(new Error("There is no Python kernel"), { hint: "Models are read by Python: install ipykernel." });
  return found.name;
}

export type OnnxDocument = DocumentWidget<OnnxView>;

export class OnnxFactory extends ABCWidgetFactory<OnnxDocument> {
  constructor(options: DocumentRegistry.IWidgetFactoryOptions<OnnxDocument>, private readonly services: ServiceManager.IManager) {
    super(options);
  }

  protected override createNewWidget(context: DocumentRegistry.Context): OnnxDocument {
    return new DocumentWidget({ context, content: new OnnxView(context, this.services) });
  }
}
