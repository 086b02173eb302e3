// Elements with attributes and children in one call; text is always set as text, never as markup.

type Child = Node | string | null | false;
type Value = string | number | boolean | null | ((event: never) => void);

/** An HTML element. `on…` attributes are listeners; false and null leave an attribute out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, Value> = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  assign(node, attributes);
  node.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function s(tag: string, attributes: Record<string, Value> = {}, ...children: Child[]): SVGElement {
  const node = document.createElementNS(SVG, tag);
  assign(node, attributes);
  node.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return node;
}

function assign(node: Element, attributes: Record<string, Value>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, String(value));
  }
}

/** Runs the last of many calls once, before the next frame. */
export function perFrame(work: () => void): { (): void; cancel(): void } {
  let frame = 0;
  const ask = () => { frame ||= requestAnimationFrame(() => { frame = 0; work(); }); };
  ask.cancel = () => { cancelAnimationFrame(frame); frame = 0; };
  return ask;
}

/** A table with a head; cells are text. */
export function table(label: string, head: string[], rows: (string | number)[][]): HTMLTableElement {
  return h("table", { "aria-label": label },
    h("thead", {}, h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, String(cell)))))));
}
