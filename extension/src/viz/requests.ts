// What a warp asks of memory at one step: sectors of global memory, banks of shared memory.

import { tasksOf } from "./nest";
import type { MappingView } from "./types";

/** Lanes of a warp; bytes of a sector, the least that global memory moves; banks of 4 bytes. */
export const LANES = 32, SECTOR = 32, BANKS = 32, WORD = 4;

export interface Request {
  warp: number;
  /** First byte that each lane asks for; null for a lane without a task at this step. */
  lanes: (number | null)[];
  /** Number of each sector that is moved, in order; bytes of them that are asked for. */
  sectors: number[]; used: number;
  /** The most different words that one bank must give: how often shared memory takes the request. */
  ways: number;
}

/** Last step whose tasks are found where guards leave some out, which takes a look at all before. */
const GUARDED_LIMIT = 1024;

/** The request of the warp that a worker belongs to; null where it would take long or there is no nest. */
export function requestOf(view: MappingView, worker: number, step: number): Request | null {
  if (!view.nest || (view.nest.guards.length && step > GUARDED_LIMIT)) return null;
  const warp = Math.floor(worker / LANES), first = warp * LANES;
  const lanes = Array.from({ length: Math.min(LANES, view.workers - first) }, (_, lane) => {
    const task = tasksOf(view.nest!, first + lane, 1, step).tasks[0];
    return task ? task.place.reduce((sum, x, dim) => sum + x * view.strides[dim]!, 0) * view.item_bytes : null;
  });
  const sectors = new Set<number>(), bytes = new Set<number>(), banks = Array.from({ length: BANKS }, () => new Set<number>());
  for (const address of lanes) {
    if (address === null) continue;
    for (let at = address; at < address + view.item_bytes; at++) {
      bytes.add(at);
      sectors.add(Math.floor(at / SECTOR));
      const word = Math.floor(at / WORD);
      banks[word % BANKS]!.add(word);
    }
  }
  return { warp, lanes, sectors: [...sectors].sort((a, b) => a - b), used: bytes.size, ways: Math.max(...banks.map((words) => words.size)) };
}

/** The request in words, with its numbers. */
export function wordsOf(request: Request): { global: string; shared: string; advice: string } {
  const { sectors, used, ways, lanes } = request, moved = sectors.length * SECTOR;
  const active = lanes.filter((at) => at !== null).length;
  const whole = used === moved;
  const words = ways <= 1 ? "no two lanes want different words of one bank" : `${ways} different words of one bank`;
  return {
    global: `${sectors.length} ${sectors.length === 1 ? "sector" : "sectors"}: moves ${moved} B, uses ${used} B`,
    shared: `${ways <= 1 ? "1 pass" : `${ways} passes`}: ${words}`,
    advice: active === 0 ? "No lane has a task at this step." : whole ? "Every byte that is moved is used."
      : `${Math.round((1 - used / moved) * 100)} % of what is moved is not asked for: let neighbouring lanes take neighbouring elements of the last dim.`,
  };
}
