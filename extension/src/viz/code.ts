// Code as text: words of a line for colour; to the clipboard; to a file.

import { h } from "./dom";

const WORDS: Record<string, Set<string>> = {
  python: set("for in def if elif else return while break continue and or not import from lambda"),
  ir: set("func for in if else while break return let var launch unroll shared register tables"),
  cuda: set("for if else while do break continue return const int unsigned float double bool char short long void extern __global__ __shared__ __device__ __constant__ __restrict__ struct __launch_bounds__ true false asm volatile"),
  llvm: set("define declare ret br label load store add mul sub fadd fmul icmp fcmp phi call getelementptr select double float ptr i1 i8 i16 i32 i64 void to x"),
};
WORDS["ptx"] = set("version target address_size visible entry func param reg shared const global maxntid reqntid loc file extern weak align ptr");
WORDS["sass"] = set("EXIT BRA RET CALL BAR BSSY BSYNC");
const COMMENT: Record<string, string> = { python: "#", ir: "#", cuda: "//", llvm: ";", ptx: "//", sass: "//" };
const TOKEN = /("[^"]*"|'[^']*')|([A-Za-z_]\w*)|(\b\d[\w.]*)|(\W)/gy;

function set(text: string): Set<string> { return new Set(text.split(" ")); }

/** The line as text and coloured spans. */
export function paint(text: string, language: string): (Node | string)[] {
  const parts: (Node | string)[] = [], known = WORDS[language], comment = COMMENT[language] ?? "#";
  let plain = "";
  const flush = () => { if (plain) parts.push(plain); plain = ""; };
  for (let at = 0; at < text.length;) {
    if (text.startsWith(comment, at)) { flush(); parts.push(h("span", { class: "kw-comment" }, text.slice(at))); return parts; }
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text), said = token?.[0] || text[at]!;
    const kind = token?.[3] ? "kw-num" : token?.[2] && known?.has(said) ? "kw-keyword" : "";
    if (kind) { flush(); parts.push(h("span", { class: kind }, said)); } else plain += said;
    at += said.length;
  }
  flush();
  return parts;
}

/** To the clipboard; false where the page may not. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without the permission, and those that are not secure, have the older way.
    const area = h("textarea", { "aria-hidden": "true", style: "position:fixed;left:-9999px" });
    area.value = text;
    const before = document.activeElement as HTMLElement | null;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus();
    return done;
  }
}

/** To a file that the browser saves. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
