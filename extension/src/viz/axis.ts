// Axes of plots: where a value stands, and round numbers to write beside it.

export interface Axis { low: number; high: number; ticks: number[]; at(value: number): number }

/** A logarithmic axis around positive values. */
export function logAxis(values: number[], room = 1.12, most = 7): Axis {
  const known = values.filter((value) => value > 0), some = known.length ? known : [1, 10];
  const low = Math.min(...some) / room, high = Math.max(...some) * room;
  let ticks: number[] = [];
  for (const steps of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9], Array.from({ length: 45 }, (_, k) => 1 + k / 5), Array.from({ length: 450 }, (_, k) => 1 + k / 50)]) {
    ticks = [];
    for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d++)
      for (const step of steps) { const tick = step * 10 ** d; if (tick >= low && tick <= high) ticks.push(tick); }
    if (ticks.length >= 3) break;
  }
  const every = Math.ceil(ticks.length / most);
  return { low, high, ticks: ticks.filter((_, k) => k % every === 0), at: (value) => Math.log(value / low) / Math.log(high / low) };
}

/** An axis with even steps. */
export function evenAxis(low: number, high: number, most = 7): Axis {
  const span = Math.max(high - low, 1e-12), raw = span / most, scale = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * scale).find((each) => span / each <= most) ?? 10 * scale;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * span; k++) ticks.push(k * step);
  return { low, high, ticks, at: (value) => (value - low) / span };
}

/** A time in three digits with its unit. */
export function timeText(us: number): string {
  const [unit, scale] = us < 1e3 ? ["µs", 1] : us < 1e6 ? ["ms", 1e3] : ["s", 1e6];
  const value = us / (scale as number);
  return `${value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}
