// Where elements lie: those of Python's layouts that a screen offers. A test holds each address
// and each expression against Python's own.

/** Banks of shared memory, each a word wide; bytes of a word. */
export const BANKS = 32, WORD = 4;

export type Form = "row-major" | "column-major" | "padded by one" | "XOR-swizzled";
export const FORMS: Form[] = ["row-major", "column-major", "padded by one", "XOR-swizzled"];
export const SIZES = [1, 2, 4, 8];

/** Exclusive or of address bits [base, base+bits) with those `shift` above. */
interface Swizzle { bits: number; base: number; shift: number }

/** A layout with its expression in Python; strides in elements. */
export interface Layout { form: Form; text: string; strides: number[]; swizzle: Swizzle | null }

/** The layout of a shape with elements of some bytes; else why there is none. */
export function layoutOf(form: Form, shape: number[], bytes: number): Layout | string {
  const plain = rowMajor(shape), all = `row_major(${shape.join(", ")})`;
  if (form === "row-major") return { form, text: all, strides: plain, swizzle: null };
  if (form === "column-major") return { form, text: `column_major(${shape.join(", ")})`, strides: rowMajor([...shape].reverse()).reverse(), swizzle: null };
  if (shape.length < 2) return "one dim has no rows";
  if (form === "padded by one") {
    const strides = rowMajor([...shape.slice(0, -1), shape.at(-1)! + 1]);
    return { form, text: `strided((${shape.join(", ")}), (${strides.join(", ")}))`, strides, swizzle: null };
  }
  const swizzle = swizzleOf(shape.at(-1)!, bytes);
  return typeof swizzle === "string" ? swizzle
    : { form, text: `${all}.swizzle(${swizzle.bits}, ${swizzle.base}, ${swizzle.shift})`, strides: plain, swizzle };
}

/**
 * The swizzle under which a column of rows of `pitch` elements spreads over the banks: the word in
 * a row, exclusive or the number of the row; of the group of rows where banks hold several rows.
 */
function swizzleOf(pitch: number, bytes: number): Swizzle | string {
  const row = Math.log2(pitch), banks = Math.log2(BANKS * WORD / bytes), base = Math.max(0, Math.log2(WORD / bytes));
  if (!Number.isInteger(row)) return `rows of ${pitch} elements are no power of two`;
  const bits = Math.min(banks, row) - base, shift = Math.max(banks, row) - base;
  if (bits < 1) return `rows of ${pitch} × ${bytes} B are one word or less`;
  return shift > 30 ? "rows are too long" : { bits, base, shift };
}

/** The address of an element [elements]. */
export function addressOf({ strides, swizzle }: Layout, place: number[]): number {
  const address = place.reduce((sum, x, dim) => sum + x * strides[dim]!, 0);
  if (!swizzle) return address;
  // By arithmetic, since bit operators keep 32 bits only.
  const { bits, base, shift } = swizzle;
  const part = (from: number): number => Math.floor(address / 2 ** from) % 2 ** bits;
  return address + ((part(base) ^ part(base + shift)) - part(base)) * 2 ** base;
}

function rowMajor(shape: number[]): number[] {
  const strides = shape.map(() => 1);
  for (let dim = shape.length - 2; dim >= 0; dim--) strides[dim] = strides[dim + 1]! * shape[dim + 1]!;
  return strides;
}
