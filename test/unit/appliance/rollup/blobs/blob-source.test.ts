import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createBeaconApi } from '../../../../../appliance/rollup/blobs/beacon-api.ts';
import { createBlobSource } from '../../../../../appliance/rollup/blobs/blob-source.ts';
import { versionedHashOf } from '../../../../../appliance/rollup/blobs/kzg-thread.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { encodeBlobs } from '../../../../../protocol/rollup/blob-batch.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { type BeaconDouble, createBeaconDouble, GENESIS_TIME, hashKzg } from './beacon-double.ts';

const place = { hash: `0x${'b1'.repeat(32)}` as Hex, timestamp: GENESIS_TIME + 12n * 700n };
const SLOT = '700';

async function readBy(
  doubles: readonly BeaconDouble[],
  versionedHashes: readonly Hex[],
  kzg: Parameters<typeof createBlobSource>[0]['kzg'] = hashKzg,
) {
  const limits = { timeoutMs: 40, maxResponseBytes: 1_000_000 };
  const beacons = doubles.map((double, at) =>
    createBeaconApi({ url: `http://beacon-${at}/key/`, ...limits }, double.fetch),
  );
  const source = createBlobSource({ beacons, kzg });
  return source.read({ batch: 7n, place, versionedHashes }, new AbortController().signal);
}

/** By digest: a diff of two blobs takes minutes to print. */
function assertSame(actual: readonly Uint8Array[], expected: readonly Uint8Array[], message?: string): void {
  const digests = (blobs: readonly Uint8Array[]) => blobs.map((blob) => hash('sha256', blob));
  assert.deepEqual(digests(actual), digests(expected), message);
}

async function blobOf(length: number): Promise<{ blob: Uint8Array; hash: Hex }> {
  const [blob = new Uint8Array()] = encodeBlobs(randomBytes(length));
  return { blob, hash: await hashKzg.versionedHash(blob) };
}

test('blobs are asked for by slot and versioned hash, and come in the order of the hashes', async () => {
  const [first, second] = [await blobOf(10), await blobOf(20)];
  const beacon = createBeaconDouble();
  beacon.blobs.set(SLOT, [second.blob, (await blobOf(30)).blob, first.blob]);
  assertSame(await readBy([beacon], [first.hash, second.hash]), [first.blob, second.blob]);
  const paths = ['/key/eth/v1/beacon/genesis', '/key/eth/v1/config/spec', `/key/eth/v1/beacon/blobs/${SLOT}`];
  assert.deepEqual(beacon.asked, [...paths, `/key/eth/v1/beacon/blobs/${SLOT}`], 'the clock is read once');
});

test('a slot time in milliseconds, and a development L1 that has none, are understood', async () => {
  const { blob, hash } = await blobOf(10);
  const quick = createBeaconDouble({ SLOT_DURATION_MS: '6000' });
  quick.blobs.set('1400', [blob]);
  assertSame(await readBy([quick], [hash]), [blob]);
  const anvil = createBeaconDouble('none');
  const api = createBeaconApi({ url: 'http://l1', timeoutMs: 1_000, maxResponseBytes: 1_000_000 }, anvil.fetch);
  anvil.blobs.set(place.hash, [blob]);
  assertSame(await api.blobs(place, hash, new AbortController().signal), [blob]);
});

test('L1 takes proofs of cells from the Fulu fork on', async () => {
  const form = (spec?: Record<string, string>) =>
    createBeaconApi(
      { url: 'http://l1', timeoutMs: 1_000, maxResponseBytes: 1_000_000 },
      createBeaconDouble(spec).fetch,
    ).proofForm(place.timestamp, new AbortController().signal);
  const slots = { SECONDS_PER_SLOT: '12', SLOTS_PER_EPOCH: '32' };
  assert.equal(await form(slots), 'blob');
  assert.equal(await form({ ...slots, FULU_FORK_EPOCH: '22' }), 'blob');
  assert.equal(await form({ ...slots, FULU_FORK_EPOCH: '21' }), 'cells');
  assert.equal(await form({ ...slots, FULU_FORK_EPOCH: String(2n ** 64n - 1n) }), 'blob');
});

test('a beacon node from before Fulu gives sidecars', async () => {
  const { blob } = await blobOf(10);
  const other = (await blobOf(11)).blob;
  const commitment: Hex = `0x${'ab'.repeat(48)}`;
  const beacon = createBeaconDouble();
  beacon.lie = (path) => {
    if (path.includes('/blobs/')) return new Response('{}', { status: 404 });
    if (!path.includes(`/blob_sidecars/${SLOT}`)) return undefined;
    const sidecar = (bytes: Uint8Array, kzg_commitment: string) => ({
      index: '0',
      blob: bytesToHex(bytes),
      kzg_commitment,
    });
    return Response.json({ data: [sidecar(other, `0x${'cd'.repeat(48)}`), sidecar(blob, commitment)] });
  };
  const hash = versionedHashOf(commitment);
  const kzg = { versionedHash: async (bytes: Uint8Array) => (Buffer.compare(bytes, blob) === 0 ? hash : undefined) };
  assertSame(await readBy([beacon], [hash], kzg), [blob]);
});

/** An answer without an end; says how much of it was taken. */
function endless(): { response: Response; taken: () => number } {
  let taken = 0;
  const body = new ReadableStream({
    pull(controller) {
      taken += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  return { response: new Response(body), taken: () => taken };
}

test('a beacon node that lies, hangs or answers without end is passed over, and named by its number', async () => {
  const { blob, hash } = await blobOf(10);
  const data = (value: unknown): Response => Response.json({ data: value });
  const flood = endless();
  const lies: [string, (path: string, signal: AbortSignal) => Response | Promise<Response>, RegExp][] = [
    ['another blob', async () => data([bytesToHex((await blobOf(9)).blob)]), /it gave another blob/],
    ['a truncated blob', () => data([bytesToHex(blob.subarray(0, 1000))]), /invalid|of no use/],
    ['no list', () => data({}), /of no use/],
    ['no JSON', () => new Response('<html>'), /no Ethereum node/],
    ['1 GiB', () => flood.response, /response size/],
    ['nothing', () => data([]), /does not have the blob/],
    ['a failure', () => new Response('{}', { status: 503 }), /status 503/],
    [
      'silence',
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      /did not answer in time/,
    ],
    ['a redirect', () => Promise.reject(new TypeError('unexpected redirect')), /did not come about/],
  ];
  for (const [name, lie, reason] of lies) {
    const liar = createBeaconDouble();
    liar.lie = (path, signal) => (path.includes('/blobs/') ? lie(path, signal) : undefined);
    const error = await readBy([liar], [hash]).catch((caught: unknown) => caught);
    assert.ok(isNectarError(error, 'ROLLUP_L1_BLOBS_UNREADABLE'), name);
    assert.match(error.message, /waiting for the data of batch 7: beacon node 1: /);
    assert.match(error.data.reason, reason, name);
    if (name === '1 GiB') assert.ok(flood.taken() < 2_000_000, 'it is cut off at the limit');
    const honest = createBeaconDouble();
    honest.blobs.set(SLOT, [blob]);
    if (name !== '1 GiB') assertSame(await readBy([liar, honest], [hash]), [blob], name);
  }
});

test('a beacon node of another chain, or one that lies about its genesis, gives no blob and is asked anew', async () => {
  const { blob, hash } = await blobOf(10);
  for (const genesis of [{ genesis_time: '99999999999' }, { genesis_time: 'x' }, {}, []]) {
    const beacon = createBeaconDouble();
    beacon.blobs.set(SLOT, [blob]);
    beacon.lie = (path) => (path.endsWith('/genesis') ? Response.json({ data: genesis }) : undefined);
    await assert.rejects(readBy([beacon], [hash]), { code: 'ROLLUP_L1_BLOBS_UNREADABLE' });
  }
});

test('without a beacon node the reason names the option', async () => {
  await assert.rejects(readBy([], [`0x01${'00'.repeat(31)}`]), /no beacon node is configured \(rollup.beaconUrls\)/);
});
