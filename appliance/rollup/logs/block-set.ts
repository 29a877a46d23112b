/** Blocks of one section by their offset in it: a bit for each. */
export type BlockSet = Uint8Array;

export function createBlockSet(blocks: number): BlockSet {
  return new Uint8Array(Math.ceil(blocks / 8));
}

export function addBlock(set: BlockSet, offset: number): void {
  const byte = offset >> 3;
  set[byte] = (set[byte] ?? 0) | (1 << (offset & 7));
}

/** Leaves in `set` what is in `other` too. */
export function keepCommon(set: BlockSet, other: BlockSet): void {
  for (let byte = 0; byte < set.length; byte++) set[byte] = (set[byte] ?? 0) & (other[byte] ?? 0);
}

/** Offsets in the set, rising. */
export function offsetsIn(set: BlockSet): number[] {
  const offsets: number[] = [];
  for (const [byte, bits] of set.entries()) {
    if (bits === 0) continue;
    for (let bit = 0; bit < 8; bit++) if ((bits & (1 << bit)) !== 0) offsets.push(byte * 8 + bit);
  }
  return offsets;
}
