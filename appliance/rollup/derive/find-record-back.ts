import type { DeriveStore, L1Record } from './derive-store.ts';

/**
 * A remembered L1 block that is still sound, found by steps that double: at most about twice as far back as necessary, in a
 * logarithm of questions. Not always the last sound one: deriving a few blocks again changes nothing. The derivation genesis
 * is the last resort, unasked.
 */
export async function findRecordBack(
  store: DeriveStore,
  genesis: L1Record,
  isSound: (record: L1Record) => Promise<boolean>,
): Promise<L1Record> {
  const { number: last } = await store.cursor();
  for (let back = 0n; last - back > genesis.number; back = back === 0n ? 1n : back * 2n) {
    const record = await store.find(last - back);
    if (record !== undefined && (await isSound(record))) return record;
  }
  return genesis;
}
