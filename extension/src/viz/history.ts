// The texts that a screen has shown, to go back and forth.

export class History {
  private texts: string[];
  private at = 0;
  private typedAt = -Infinity;

  constructor(first: string) { this.texts = [first]; }

  /** A new text is shown. What is typed within a second is one step; what was undone is gone. */
  push(text: string, typed: boolean, now: number): void {
    if (text === this.texts[this.at]) return;
    const joins = typed && now - this.typedAt < 1000 && this.at === this.texts.length - 1 && this.at > 0;
    this.texts = [...this.texts.slice(0, this.at + (joins ? 0 : 1)), text].slice(-200);
    this.at = this.texts.length - 1;
    this.typedAt = typed ? now : -Infinity;
  }

  get canUndo(): boolean { return this.at > 0; }
  get canRedo(): boolean { return this.at < this.texts.length - 1; }

  undo(): string | null { return this.canUndo ? this.go(-1) : null; }
  redo(): string | null { return this.canRedo ? this.go(1) : null; }

  private go(by: number): string {
    this.at += by;
    this.typedAt = -Infinity;
    return this.texts[this.at]!;
  }
}
