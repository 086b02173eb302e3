// A drawing in an anywidget: the view, the selection and questions to Python run through traits.

import { h } from "../viz/dom";
import { ENDED, type Host, type Problem, type Render, type Reply, type Selection } from "../viz/drawing";
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
  const banner = h("div", { class: "kw-stale-note", role: "status" });
  let gone = false;
  /** The picture stays when its kernel is gone, and says so; a question is answered by that. */
  function look(): void {
    const ended = gone || el.closest(".jupyter-widgets-disconnected") !== null;
    asking.end(ended);
    banner.replaceChildren(...(ended ? [h("b", {}, "stale"), " The kernel has ended or begun anew: this is shown as it was. Run the cell again."] : []));
  }
  const onEnd = () => { gone = true; look(); };
  const onLive = () => queueMicrotask(look); // after the page has marked the place of the widget
  el.firstElementChild?.prepend(banner);
  el.classList.add("kw-widget");
  el.addEventListener(ENDED, onEnd);
  model.on("comm_live_update", onLive);
  const stop = [
    () => { el.removeEventListener(ENDED, onEnd); model.off("comm_live_update", onLive); banner.remove(); },
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
export function questions(model: Model): { ask: NonNullable<Host["ask"]>; answered: () => void; end: (gone: boolean) => void } {
  let ended = false;
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
    if (ended) return Promise.resolve(nobody(type));
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

  /** Whether there is no one to ask: who waits hears it. */
  function end(gone: boolean): void {
    if (ended === gone) return;
    ended = gone;
    const all = now ? [now, ...waiting] : waiting;
    now = null;
    waiting = [];
    all.forEach(({ type, reply }) => reply(nobody(type)));
  }

  return { ask, answered, end };
}

function nobody(type: string): Reply {
  const problem = { type, message: "the kernel has ended or begun anew", hint: "run the cell again", start: 0, end: 0 };
  return { answer: {}, problem, late: false };
}
