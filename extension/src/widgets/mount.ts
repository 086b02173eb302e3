// A drawing in an anywidget: the view, the selection and questions to Python run through traits.

import { h } from "../viz/dom";
import type { Host, Problem, Render, Reply, Selection } from "../viz/drawing";
import { withTools } from "../viz/tools";
import { VERSIONS } from "../viz/types";
import { watch, type Model } from "./model";

interface Found { kind: string; version: number }
interface Question { id: number; type: string; request: Record<string, unknown>; reply: (reply: Reply) => void }

/** The widget of a drawing. */
export function widget<View>(renderView: Render<View>): { render(props: { model: Model; el: HTMLElement }): () => void } {
  return { render: ({ model, el }) => mount(model, el, renderView) };
}

function mount<View>(model: Model, el: HTMLElement, renderView: Render<View>): () => void {
  const view = () => model.get("view") as View & Found;
  const { kind, version } = view();
  if (version !== VERSIONS[kind]) {
    el.replaceChildren(h("div", {}, `This ${kind} view has version ${version}, which this screen does not know. Update kernel-workbench.`));
    return () => el.replaceChildren();
  }
  const asking = questions(model);
  const host: Host = {
    ask: asking.ask,
    selected: (change) => {
      model.set("selection", { ...(model.get("selection") as Selection), ...change });
      model.save_changes();
    },
  };
  const drawing = withTools<View>(renderView, el, view(), host);
  drawing.select(model.get("selection") as Selection);
  const stop = [
    watch(model, ["view"], () => drawing.update(view())),
    watch(model, ["selection"], () => drawing.select(model.get("selection") as Selection)),
    // After the view: who waits for a reply sees what it speaks of.
    watch(model, ["answered"], asking.answered),
  ];
  return () => { stop.forEach((end) => end()); drawing.dispose(); };
}

/**
 * One question at a time is under way; of those that wait only the last of each type is kept, so
 * that fast typing asks no more than Python answers.
 */
export function questions(model: Model): { ask: NonNullable<Host["ask"]>; answered: () => void } {
  let now: Question | null = null, waiting: Question[] = [];
  // Two views of one widget count apart, since they share the trait.
  let last = Math.floor(Math.random() * 2 ** 30);

  function next(): void {
    now = waiting.shift() ?? null;
    if (now) send(now);
  }

  function send({ id, type, request }: Question): void {
    model.set("ask", { ...request, id, type });
    model.save_changes();
  }

  function ask(type: string, request: Record<string, unknown> = {}): Promise<Reply> {
    return new Promise((reply) => {
      const late = waiting.filter((question) => question.type === type);
      waiting = [...waiting.filter((question) => question.type !== type), { id: ++last, type, request, reply }];
      late.forEach((question) => question.reply({ answer: {}, problem: null, late: true }));
      if (!now) next();
    });
  }

  function answered(): void {
    if (!now) return;
    // Another view's question came between and may have taken the place of this one.
    if (model.get("answered") !== now.id) return send(now);
    const { type, reply } = now;
    const problem = model.get("error") as Problem | null;
    reply({
      answer: model.get("answer") as Record<string, unknown>, problem,
      late: waiting.some((question) => question.type === type),
    });
    next();
  }

  return { ask, answered };
}
