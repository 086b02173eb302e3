// Light or dark, as the page really is: read off the colour behind the screen, told when it changes.

import tones from "./tones.json";

export interface Inks { ground: string; ink: string; soft: string; faint: string; line: string; accent: string; tones: string[] }

/** Follow the theme; `changed` is called now and whenever the page changes between light and dark. */
export function followTheme(el: HTMLElement, changed: () => void): () => void {
  const apply = () => {
    const dark = isDark(el);
    if (el.classList.contains("kw-dark") !== dark || !el.dataset["theme"]) {
      el.classList.toggle("kw-dark", dark);
      el.dataset["theme"] = dark ? "dark" : "light";
      changed();
    }
  };
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(() => requestAnimationFrame(apply));
  const names = { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-jp-theme-name", "style", "data-theme"] };
  observer.observe(document.body, names);
  observer.observe(document.documentElement, names);
  // JupyterLab swaps its theme's style sheet a moment after it has named it on the body.
  observer.observe(document.head, { childList: true });
  media.addEventListener("change", apply);
  apply();
  requestAnimationFrame(apply);
  return () => { observer.disconnect(); media.removeEventListener("change", apply); };
}

export function inksOf(el: HTMLElement): Inks {
  const style = getComputedStyle(el);
  const read = (name: string) => style.getPropertyValue(`--kw-${name}`).trim();
  return {
    ground: read("ground"), ink: read("ink"), soft: read("soft"), faint: read("faint"),
    line: read("line"), accent: read("accent"),
    tones: tonesOf(el),
  };
}

/** The hues of workers, which are in no style sheet: to read one is to lay the page out. */
export const tonesOf = (el: HTMLElement): string[] => (el.classList.contains("kw-dark") ? tones.dark : tones.light);

function isDark(el: HTMLElement): boolean {
  const named = document.body.dataset["jpThemeLight"];
  if (named !== undefined) return named === "false";
  for (let at: HTMLElement | null = el.parentElement; at; at = at.parentElement) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (parts && parts.length >= 3 && (parts[3] ?? 1) > 0.5)
      return 0.299 * parts[0]! + 0.587 * parts[1]! + 0.114 * parts[2]! < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
