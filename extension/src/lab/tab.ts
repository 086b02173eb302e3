// One object of a notebook in a tab of its own: drawn anew when it changes, kept when its kernel has ended.

import { MainAreaWidget } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";

import { h } from "../viz/dom";
import { icon } from "./icon";
import type { Link } from "./link";
import type { View } from "../viz/types";
import type { Refused } from "./protocol";
import { asker, pageOf, Stage, trouble } from "./stage";

export class ObjectView extends Widget {
  view: View | null = null;
  private readonly banner = h("div", { class: "kw-stale-note", role: "status" });
  private readonly problem = h("div");
  private readonly stage: Stage;
  private revision = -1;
  private of = 0;

  constructor(readonly link: Link, readonly name: string, readonly origin: string) {
    super();
    this.addClass("kw-lab-tab");
    this.stage = new Stage({ ask: asker(link, () => this.of, () => this.stage) });
    this.node.append(this.banner, this.problem, this.stage.node);
    link.changed.connect(this.onChange, this);
    void this.load();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.link.changed.disconnect(this.onChange, this);
    this.link.tell("close", this.of);
    this.stage.dispose();
    super.dispose();
  }

  /** One file that needs nothing else. */
  async page(): Promise<string> { return pageOf(this.link, this.of, this.stage); }

  private entry() { return this.link.objects.find((each) => each.name === this.name); }

  private onChange(): void {
    const entry = this.entry();
    if (this.link.state !== "live") {
      this.revision = -1;
      if (this.link.state !== "asking") this.stale(`${this.origin} is closed, or its kernel has ended or begun anew. ${this.name} is shown as it was.`);
    } else if (!entry) this.stale(`Nothing is called ${this.name} any more. It is shown as it was.`);
    else if (entry.revision !== this.revision) void this.load();
    else this.stale("");
  }

  private stale(why: string): void {
    if (this.banner.textContent === why) return;
    this.banner.replaceChildren(...(why ? [h("b", {}, "stale"), ` ${why}`] : []));
    this.node.classList.toggle("kw-is-stale", why !== "");
    this.title.className = why ? "kw-title-stale" : "";
  }

  private async load(): Promise<void> {
    const revision = this.revision = this.entry()?.revision ?? -1;
    const answer = await this.link.ask({ type: "view", name: this.name });
    if (this.isDisposed || revision !== this.revision) return;
    if (answer.type === "refused") return this.fail(answer);
    if (answer.type !== "viewed") return;
    if (this.of) this.link.tell("close", this.of);
    this.of = answer.id;
    this.view = answer.view;
    this.problem.replaceChildren();
    this.stale("");
    this.stage.show(answer.view, answer.text);
  }

  /** Without a picture the error is the screen; with one it stands above what is kept. */
  private fail(error: Refused): void {
    if (this.link.state !== "live" && this.view) return this.onChange();
    this.problem.replaceChildren(trouble(error, () => void this.load()));
  }
}

/** A main-area tab; `origin` names the notebook. */
export function objectTab(link: Link, name: string, origin: string): MainAreaWidget<ObjectView> {
  const tab = new MainAreaWidget({ content: new ObjectView(link, name, origin) });
  tab.title.label = name;
  tab.title.caption = `${name} of ${origin}`;
  tab.title.icon = icon;
  tab.title.closable = true;
  return tab;
}
