import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { FrameStream } from '../../../../appliance/p2p/frame-stream.ts';
import { createReleaseServer, exchangeRelease } from '../../../../appliance/p2p/release-exchange.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import type { Cid } from '../../../../protocol/brand.ts';
import { parseCid } from '../../../../protocol/network/block-cid.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import { encodeReleaseRequest, parseReleaseAnswer } from '../../../../protocol/network/release-exchange.ts';

const DAY_MS = 86_400_000;
const seed = createHash('sha256').update('holder').digest();
const self = peerIdOf(ed25519.getPublicKey(seed));
const owner = peerIdOf(ed25519.getPublicKey(createHash('sha256').update('owner').digest()));
const parties = { l2ChainId: 7n, owner, holder: self };
const root: Cid = parseCid(Uint8Array.of(1, 0x55, 0x12, 0x20, ...seed));
const request = { nonce: new Uint8Array(32).fill(9), roots: [root] };

/** A stream whose other side wrote this, and what was written to it. */
function streamOf(...read: Uint8Array[]) {
  const written: Uint8Array[] = [];
  const frames = {
    read: async () => read.shift() ?? assert.fail('nothing more to read'),
    write: async (bytes: Uint8Array) => void written.push(bytes),
    close: async () => undefined,
    reset: () => undefined,
  } as unknown as FrameStream;
  return { frames, written };
}

function serverAt(clock: { now: number }, release: () => Promise<number> = async () => 5) {
  const sign = (bytes: Uint8Array): Uint8Array => ed25519.sign(bytes, seed);
  const log = createLogger({ level: 'silent' });
  return createReleaseServer({ held: { release }, l2ChainId: 7n, self, sign, log, now: () => clock.now });
}

async function answered(server: ReturnType<typeof serverAt>): Promise<Uint8Array> {
  const { frames, written } = streamOf(encodeReleaseRequest(request));
  await server(frames, owner);
  return written[0] ?? assert.fail('no answer');
}

test('a peer that asks without end is refused until its time has come', async () => {
  const clock = { now: 0 };
  const server = serverAt(clock);
  const types = [];
  for (let n = 0; n < 17; n += 1) types.push(parseReleaseAnswer(await answered(server)).type);
  assert.deepEqual(types, [...Array(16).fill('released'), 'refused']);
  clock.now += 250;
  assert.equal(parseReleaseAnswer(await answered(server)).type, 'released');
});

test('what is not gone is not receipted', async () => {
  const server = serverAt({ now: 0 }, async () => {
    throw new Error('the disk refuses');
  });
  assert.deepEqual(parseReleaseAnswer(await answered(server)), { type: 'refused', reason: 'failed' });
});

test('a receipt of another day, request or key is none', async () => {
  const today = await answered(serverAt({ now: 10 * DAY_MS }));
  const ask = (answer: Uint8Array, now: number, over: Partial<typeof parties> = {}, nonce = request.nonce) => {
    const { frames } = streamOf(answer);
    return exchangeRelease(frames, { parties: { ...parties, ...over }, request: { ...request, nonce }, now });
  };
  for (const day of [9, 10, 11]) assert.equal((await ask(today, day * DAY_MS))?.bytes, 5);
  for (const day of [8, 12]) await assert.rejects(ask(today, day * DAY_MS), /receipt/);
  await assert.rejects(ask(today, 10 * DAY_MS, { holder: owner }), /receipt/);
  await assert.rejects(ask(today, 10 * DAY_MS, {}, new Uint8Array(32)), /receipt/);
});
