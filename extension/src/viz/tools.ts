// The row of tools under every screen: what is shown, as SVG, PNG, HTML, text, a page or a link.
// The texts come from Python, so that they are the same as its static twins.

import { h } from "./dom";
import type { Drawing, Host, Render } from "./drawing";
import type { View } from "./types";

export type Form = "svg" | "html" | "text" | "link" | "page";

/** What a button does with which form of the view, or with a text that the view has itself. */
interface Tool { label: string; form: Form | ((view: View) => string); title: string; act: (text: string, view: View) => Promise<string> }

const EXPRESSION: Tool = {
  label: "expression", form: (view) => (view.kind === "mapping" ? view.text : ""), title: "Copy the expression", act: (text) => copied("the expression", text),
};

const TOOLS: Tool[] = [
  { label: "SVG", form: "svg", title: "Copy the picture as SVG", act: (text) => copied("SVG", text) },
  { label: "PNG", form: "svg", title: "Copy the picture as PNG", act: copiedPng },
  { label: "HTML", form: "html", title: "Copy the picture as HTML", act: (text) => copied("HTML", text, "text/html") },
  { label: "text", form: "text", title: "Copy the table as text", act: (text) => copied("text", text) },
  { label: "link", form: "link", title: "Copy a text from which wb.explore restores this screen", act: (text) => copied(text, text) },
  { label: "page", form: "page", title: "Save as one HTML file that needs nothing else", act: saved },
];

/** The drawing with the row of tools as its last part. */
export function withTools<V>(render: Render<V>, el: HTMLElement, view: V, host: Host): Drawing<V> {
  let shown = view;
  const drawing = render(el, view, host);
  el.firstElementChild?.append(toolsRow(() => shown as View, host));
  return { ...drawing, update: (next) => { shown = next; drawing.update(next); } };
}

export function toolsRow(view: () => View, host: Host): HTMLElement {
  const said = h("span", { class: "kw-soft", role: "status" });
  const tools = view().kind === "mapping" ? [EXPRESSION, ...TOOLS] : TOOLS;
  const shown = tools.filter(({ form }) => typeof form === "function" || host.ask !== undefined || host.twins?.[form] !== undefined);
  const run = async ({ form, act }: Tool): Promise<void> => {
    said.textContent = "…";
    const text = typeof form === "function" ? form(view()) : host.twins?.[form] ?? await asked(host, form, said);
    if (text !== null) said.textContent = await act(text, view()).catch((error: unknown) => `not copied: ${String(error)}`);
  };
  return h("div", { class: "kw-bar kw-tools", role: "group", "aria-label": "Copy and save" },
    shown.length > 0 && h("span", { class: "kw-soft" }, "copy"),
    ...shown.map((tool) => h("button", { type: "button", class: "kw-quiet", title: tool.title, "aria-label": tool.title, onclick: () => void run(tool) }, tool.label)),
    shown.length < tools.length && h("span", { class: "kw-soft" }, host.reason ?? "no kernel: only what was saved can be copied"), said);
}

async function asked(host: Host, form: Form, said: HTMLElement): Promise<string | null> {
  const reply = await host.ask!("export", { form });
  if (reply.problem) said.textContent = `${reply.problem.message}. ${reply.problem.hint}`;
  return reply.problem || reply.late ? null : String(reply.answer["text"]);
}

/** Put a text on the clipboard; where the browser has none for this page, save it as a file. */
async function copied(what: string, text: string, type = "text/plain"): Promise<string> {
  try {
    const plain = new Blob([text], { type: "text/plain" });
    await navigator.clipboard.write([new ClipboardItem(type === "text/plain" ? { "text/plain": plain } : { [type]: new Blob([text], { type }), "text/plain": plain })]);
    return `copied ${what}`;
  } catch {
    save(`view.${type === "text/html" ? "html" : text.startsWith("<svg") ? "svg" : "txt"}`, new Blob([text], { type }));
    return `saved ${what}: this page may not use the clipboard`;
  }
}

/** The picture at twice its size, which is sharp on every screen and in print. */
async function copiedPng(svg: string): Promise<string> {
  const blob = await png(svg, 2);
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    return "copied PNG";
  } catch {
    save("view.png", blob);
    return "saved PNG: this page may not use the clipboard";
  }
}

export async function png(svg: string, scale: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = h("canvas", { width: Math.ceil(image.naturalWidth * scale), height: Math.ceil(image.naturalHeight * scale) });
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture is too large"))), "image/png"));
}

async function saved(text: string, view: View): Promise<string> {
  save(`${view.kind}.html`, new Blob([text], { type: "text/html" }));
  return `saved ${view.kind}.html`;
}

function save(name: string, blob: Blob): void {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
