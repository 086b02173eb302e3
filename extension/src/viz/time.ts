// Play, step, scrub: one position in time or all of it.

import { h } from "./dom";

const FRAME_MS = 650, CALM_MS = 1200, FASTEST_MS = 60;

export class TimeBar {
  readonly parts: HTMLElement[];
  private step: number | null = null;
  private last = 0;
  private timer = 0;
  private readonly play = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggle() }, "▶ play");
  private readonly scrub = h("input", { type: "range", min: "-1", max: "0", "aria-label": "Step", oninput: () => this.choose(Number(this.scrub.value) < 0 ? null : Number(this.scrub.value)) });
  private readonly where = h("span", { class: "kw-where" });

  constructor(private readonly chosen: (step: number | null) => void) {
    const step = (label: string, by: number, words: string) =>
      h("button", { type: "button", "aria-label": label, onclick: () => this.move(by) }, words);
    this.parts = [this.play, step("Step back", -1, "◀"), step("Step forward", 1, "▶"), this.where, this.scrub];
  }

  /** Show this step of `steps`, or all of them. */
  show(step: number | null, steps: number): void {
    this.step = step;
    this.last = steps - 1;
    this.scrub.max = String(this.last);
    this.scrub.value = String(step ?? -1);
    this.scrub.setAttribute("aria-valuetext", step === null ? "all steps" : `step ${step}`);
    this.where.replaceChildren(...(step === null
      ? ["all ", h("b", {}, String(steps)), steps === 1 ? " step" : " steps"]
      : ["step ", h("b", {}, String(step)), ` of 0…${this.last}`]));
  }

  move(by: number): void {
    this.stop();
    const now = this.step ?? (by > 0 ? -1 : this.last + 1);
    this.choose(Math.min(this.last, Math.max(0, now + by)));
  }

  toggle(): void {
    if (this.timer) return this.stop();
    if (still()) return this.choose(this.last);
    // Steps do not slide or fade; who asked for less motion gets them one a second at most.
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.play.textContent = "❚❚ pause";
    this.play.setAttribute("aria-pressed", "true");
    this.choose(this.step === null || this.step >= this.last ? 0 : this.step);
    this.timer = window.setInterval(() => {
      if (still()) { this.stop(); this.choose(this.last); }
      else if ((this.step ?? this.last) >= this.last) this.stop();
      else this.choose(this.step! + 1);
    }, calm ? CALM_MS : Math.max(FASTEST_MS, FRAME_MS / Math.max(1, (this.last + 1) / 8)));
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "▶ play";
    this.play.setAttribute("aria-pressed", "false");
  }

  private choose(step: number | null): void {
    this.step = step;
    this.chosen(step);
  }
}

/** Whether the settings ask for no motion at all: then the end is shown at once. */
const still = (): boolean => document.body.classList.contains("kw-calm");
