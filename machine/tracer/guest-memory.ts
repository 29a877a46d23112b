/** The guest's memory where it is translated: 4 GiB of WebAssembly, of which what is touched exists, and flags of altered pages. */
import type { Memory } from '../../protocol/dispute/memory.ts';
import { type WasmMemory, WebAssembly } from '../host/web-assembly.ts';
import { TABLE_AT } from './emit-control.ts';
import { MEMORY_PAGES, type TranslatedImage } from './translate.ts';

export const PAGE_BYTES = 4_096;
const PAGE_SHIFT = 12;
const PAGES = 1 << 20;
const HALF_BITS = 64n;
const HALF_MASK = (1n << HALF_BITS) - 1n;

export interface GuestMemory extends Memory {
  readonly memory: WasmMemory;
  readonly tables: WasmMemory;
  /** The bytes there: a view. */
  view(address: number, length: number): Uint8Array;
  word(address: number): number;
  /** Writes within one page. */
  write(address: number, bytes: Uint8Array): void;
  /** Puts a part of the image. */
  load(address: number, bytes: Uint8Array): void;
  /** Numbers of the pages that were written since the last call. */
  takeAltered(): number[];
  /** Whether the text is not what was translated any more. */
  isTextAltered(): boolean;
  setTextAltered(isAltered: boolean): void;
}

export function createGuestMemory({ image, program, tablePages, storeFrom }: TranslatedImage): GuestMemory {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const tables = new WebAssembly.Memory({ initial: tablePages, maximum: tablePages });
  const bytes = new Uint8Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  const halves = new BigUint64Array(memory.buffer);
  const flags = new Uint8Array(tables.buffer, 0, PAGES);
  const flagWords = new Uint32Array(tables.buffer, 0, PAGES / 4);
  const entries = new Int32Array(tables.buffer, TABLE_AT, program.instructions.length);
  for (let index = 0; index < entries.length; index += 1) {
    const block = program.blockOf[index] ?? -1;
    entries[index] = block < 0 ? -1 : ((program.functionOf[index] ?? 0) << 16) | block;
  }
  let isTextAltered = false;

  function mark(address: number): void {
    flags[address >>> PAGE_SHIFT] = 1;
    if (address >= (image.text.address & -16) && address < storeFrom) isTextAltered = true;
  }

  return {
    memory,
    tables,
    view: (address, length) => bytes.subarray(address, address + length),
    word: (address) => words[address >>> 2] ?? 0,
    leafAt(address) {
      const at = 2 * ((address >>> 0) >>> 4);
      return (halves[at] ?? 0n) | ((halves[at + 1] ?? 0n) << HALF_BITS);
    },
    setLeaf(address, leaf) {
      const at = 2 * ((address >>> 0) >>> 4);
      halves[at] = leaf & HALF_MASK;
      halves[at + 1] = leaf >> HALF_BITS;
      mark(address >>> 0);
    },
    write(address, piece) {
      bytes.set(piece, address);
      mark(address);
    },
    load(address, piece) {
      bytes.set(piece, address);
      flags.fill(1, address >>> PAGE_SHIFT, ((address + piece.length - 1) >>> PAGE_SHIFT) + 1);
    },
    takeAltered() {
      const altered: number[] = [];
      for (let word = 0; word < flagWords.length; word += 1) {
        if (flagWords[word] === 0) continue;
        for (let page = 4 * word; page < 4 * word + 4; page += 1) if (flags[page] !== 0) altered.push(page);
        flagWords[word] = 0;
      }
      return altered;
    },
    isTextAltered: () => isTextAltered,
    setTextAltered(isAltered) {
      isTextAltered = isAltered;
    },
  };
}
