// What a warp asks of memory at one step: sectors of global memory, banks of shared memory.

import { BANKS, WORD, addressOf, type Layout } from "./layouts";
import { tasksOf } from "./nest";
import type { MappingView } from "./types";

/** Lanes of a warp; bytes of a sector, the least that global memory moves. */
export const LANES = 32, SECTOR = 32;

/** The task of each lane of a worker's warp at a step; null for a lane without one. */
export interface Warp { warp: number; places: (number[] | null)[] }

/** A word that a lane asks of a bank; how many other words the bank gives before it. */
export interface Hit { lane: number; bank: number; word: number; turn: number }

export interface Request {
  /** First byte that each lane asks for, and how many; null for a lane without a task at this step. */
  lanes: (number | null)[]; bytes: number;
  /** Number of each sector that is moved, in order; bytes of them that are asked for. */
  sectors: number[]; used: number;
  hits: Hit[];
  /** The most different words that one bank must give; how often shared memory takes the request. */
  ways: number; passes: number;
}

/** Last step whose tasks are found where guards leave some out, which takes a look at all before. */
const GUARDED_LIMIT = 1024;

/** The warp that a worker belongs to; null where it would take long or there is no nest. */
export function warpOf({ nest, workers }: MappingView, worker: number, step: number): Warp | null {
  if (!nest || (nest.guards.length && step > GUARDED_LIMIT)) return null;
  const warp = Math.floor(worker / LANES), first = warp * LANES;
  const places = Array.from({ length: Math.min(LANES, workers - first) }, (_, lane) => tasksOf(nest, first + lane, 1, step).tasks[0]?.place ?? null);
  return { warp, places };
}

/** What a warp asks for where elements of some bytes lie in a layout. */
export function requestOf({ places }: Warp, layout: Layout, bytes: number): Request {
  const lanes = places.map((place) => place && addressOf(layout, place) * bytes);
  const sectors = new Set<number>(), used = new Set<number>();
  for (const address of lanes) {
    if (address === null) continue;
    for (let at = address; at < address + bytes; at++) {
      used.add(at);
      sectors.add(Math.floor(at / SECTOR));
    }
  }
  // Banks together give 128 B at a time: elements of 8 B are given to half a warp, then to the other.
  const hits: Hit[] = [], together = Math.min(LANES, BANKS * WORD / bytes);
  let ways = 0, passes = 0;
  for (let from = 0; from < lanes.length; from += together) {
    const most = hit(lanes.slice(from, from + together), from, bytes, hits);
    ways = Math.max(ways, most);
    passes += most;
  }
  return { lanes, bytes, sectors: [...sectors].sort((a, b) => a - b), used: used.size, hits, ways, passes };
}

/** Adds the words that lanes served together ask for; the most that one bank must give. */
function hit(lanes: (number | null)[], first: number, bytes: number, hits: Hit[]): number {
  const banks = Array.from({ length: BANKS }, (): number[] => []);
  lanes.forEach((address, k) => {
    if (address === null) return;
    for (let word = Math.floor(address / WORD); word * WORD < address + bytes; word++) {
      const bank = word % BANKS, words = banks[bank]!;
      if (!words.includes(word)) words.push(word);
      hits.push({ lane: first + k, bank, word, turn: words.indexOf(word) });
    }
  });
  return Math.max(...banks.map((words) => words.length));
}

export const passesText = (passes: number): string => `${passes} ${passes === 1 ? "pass" : "passes"}`;

/** The request in words, with its numbers. */
export function wordsOf({ sectors, used, ways, passes, lanes }: Request): { global: string; shared: string; advice: string } {
  const moved = sectors.length * SECTOR;
  const active = lanes.filter((at) => at !== null).length;
  const words = ways <= 1 ? "no two lanes want different words of one bank" : `${ways} different words of one bank`;
  return {
    global: `${sectors.length} ${sectors.length === 1 ? "sector" : "sectors"}: moves ${moved} B, uses ${used} B`,
    shared: `${passesText(Math.max(1, passes))}: ${passes > ways ? "half a warp at a time, " : ""}${words}`,
    advice: active === 0 ? "No lane has a task at this step." : used === moved ? "Every byte that is moved is used."
      : `${Math.round((1 - used / moved) * 100)} % of what is moved is not asked for: let neighbouring lanes take neighbouring elements of the last dim.`,
  };
}
