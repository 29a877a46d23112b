/** The parts together, on hosts in this process: a blob is coded, placed, audited, damaged, read and repaired by the product's own functions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CodedShard, type SegmentToRead, splitHashes } from '../../../coding/host/segment-coder.ts';
import { type Segment, segmentsOf } from '../../../protocol/coding/segment.ts';
import { PIECE_BYTES, proveLeaf } from '../../../protocol/coding/shard-tree.ts';
import { STORAGE_CLASSES, type StorageClass } from '../../../protocol/coding/storage-class.ts';
import { answerAudit, auditSeed, verifyAudit } from '../../../protocol/storage/audit.ts';
import { createPlacementIndex, placementKey, placeShards } from '../../../protocol/storage/placement.ts';
import { segmentHealth } from '../../../protocol/storage/repair.ts';
import { createShardSet, type HeldShard } from '../../../protocol/storage/shard-set.ts';
import { named, offer } from '../protocol/storage/storage-fixture.ts';
import { bytesOf, keys, segmentCoder } from './coding-fixture.ts';

/** A host: what it keeps, by the shard's id. */
type Host = Map<string, { readonly held: HeldShard; readonly bytes: Uint8Array; readonly pieces: Uint8Array }>;

const nameOf = (id: Uint8Array): string => Buffer.from(id).toString('hex');
const seed = auditSeed(named('randao'), named('deal'), 1);

function network(hostCount: number, storageClass: StorageClass, length: number) {
  const offers = Array.from({ length: hostCount }, (_, i) => offer(i));
  const hosts: Host[] = offers.map(() => new Map());
  const index = createPlacementIndex(offers, () => undefined);
  const [segment] = segmentsOf(length, storageClass) as [Segment];
  const bytes = bytesOf(`blob of ${length}`, segment.length);
  const shards = segmentCoder.encode(bytes, { segment, storageClass }, keys);
  const key = placementKey(keys.ownerSecret, keys.segmentId);
  const request = { key, storageClass, shardBytes: segment.shardBytes };
  const place = (list: readonly CodedShard[], kept: readonly number[]): number[] =>
    placeShards(index, { ...request, count: list.length, kept: kept.map((i) => offers[i] as (typeof offers)[number]) });
  const idOf = (i: number) => named(`shard id ${i}`);
  const store = (host: number, shard: CodedShard): void => {
    const held = { id: idOf(shard.index), root: shard.root, bytes: shard.bytes.length };
    hosts[host]?.set(nameOf(held.id), { held, bytes: shard.bytes.slice(), pieces: shard.pieces });
  };
  const holders = place(shards, []);
  for (const [i, host] of holders.entries()) store(host, shards[i] as CodedShard);
  const roots = shards.map(({ root }) => root);
  const read = (): SegmentToRead => {
    const found = holders.map((host, i) => hosts[host]?.get(nameOf(idOf(i)))?.bytes);
    return { segment, storageClass, roots, shards: found };
  };
  return { bytes, hosts, holders, shards, roots, place, store, read, storageClass };
}

/** The owner's audit of a host by what it was given, whatever the host does to its bytes. */
function audit(host: Host, given: readonly HeldShard[]): HeldShard[] {
  const set = createShardSet(given);
  const answer = answerAudit(set, seed, ({ id }, leaf) => {
    const { bytes, pieces } = host.get(nameOf(id)) ?? { bytes: new Uint8Array(0), pieces: new Uint8Array(0) };
    const start = Math.floor((leaf * 256) / PIECE_BYTES) * PIECE_BYTES;
    return proveLeaf(
      { shardBytes: bytes.length, pieces: splitHashes(pieces) },
      leaf,
      bytes.subarray(start, start + PIECE_BYTES),
    );
  });
  return verifyAudit(set, seed, answer);
}

const givenTo = (host: Host): HeldShard[] => [...host.values()].map(({ held }) => held);

test('eight hosts, 2/5: whichever three of the five holders are killed, every byte reads', () => {
  const { bytes, hosts, holders, read } = network(8, STORAGE_CLASSES.small, 70_000);
  assert.equal(holders.length, 5);
  for (let killed = 0; killed < 1 << 5; killed++) {
    const places = [0, 1, 2, 3, 4].filter((i) => (killed >> i) & 1);
    if (places.length !== 3) continue;
    const saved = places.map((i) => new Map(hosts[holders[i] as number]));
    for (const i of places) hosts[holders[i] as number]?.clear();
    assert.deepEqual(segmentCoder.read(read(), keys), { bytes, wrong: [] }, `killed ${places}`);
    for (const [at, i] of places.entries()) hosts[holders[i] as number] = saved[at] as Host;
  }
});

test('forty hosts, 10/20: six that are gone are made anew on others, byte for byte, and a liar is named by its audit', () => {
  const { bytes, hosts, holders, shards, place, store, read, storageClass } = network(
    40,
    STORAGE_CLASSES.standard,
    400_000,
  );
  const honest = hosts[holders[10] as number] as Host;
  assert.deepEqual(audit(honest, givenTo(honest)), []);

  const liar = hosts[holders[19] as number] as Host;
  for (const { bytes: kept } of liar.values()) kept.fill(0);
  assert.equal(audit(liar, givenTo(liar)).length, 1);
  for (const i of [0, 1, 2, 3, 4]) hosts[holders[i] as number]?.clear();

  const states = holders.map((_, i) => (i < 5 || i === 19 ? ('lost' as const) : ('live' as const)));
  const { isDue, lost } = segmentHealth(states, storageClass);
  assert.deepEqual([isDue, lost], [true, [0, 1, 2, 3, 4, 19]]);
  const repaired = segmentCoder.repair(read(), lost, keys);
  assert.deepEqual(
    repaired,
    lost.map((i) => shards[i]),
  );
  // Who had a shard, the liar among them, gets none again.
  const successors = place(repaired, holders);
  assert.equal(new Set([...holders, ...successors]).size, 26);
  for (const [at, host] of successors.entries()) {
    holders[lost[at] as number] = host;
    store(host, repaired[at] as CodedShard);
  }
  const successor = hosts[successors[0] as number] as Host;
  assert.deepEqual(audit(successor, givenTo(successor)), []);
  // Then the ten that were not touched may go as well.
  for (const i of [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]) hosts[holders[i] as number]?.clear();
  assert.deepEqual(segmentCoder.read(read(), keys), { bytes, wrong: [] });
});
