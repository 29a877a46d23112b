import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexlify } from 'ethers';
import { createWorld, FORCE_AFTER_MS, own, readInVain, signal } from './forcing-world.ts';

test('what L1 has not confirmed in time goes to the Inbox, and is forced there', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  const first = own(0n);
  await forcing.track(first);
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [], 'the sequencer has its time');
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(first.raw)], 'once');
  world.messages.push(hexlify(first.raw));
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(first.raw), 'force']);
  assert.equal(forcing.list()[0]?.state, 'forced');
  world.read = 1n;
  world.safe = 1n;
  await forcing.tick(signal);
  assert.deepEqual(forcing.list(), []);
});

test('a restart forgets nothing that left the node', async () => {
  const { world, start } = createWorld();
  const [first, second] = [own(0n), own(1n)];
  await start().track(first);
  const forcing = start();
  await forcing.track(second);
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(first.raw), hexlify(second.raw)], 'in the order of their nonces');
});

test('a clock that was ahead when it was written keeps no transaction waiting', async () => {
  const { world, start } = createWorld();
  world.time += 10 * FORCE_AFTER_MS;
  await start().track(own(0n));
  world.time -= 10 * FORCE_AFTER_MS;
  const forcing = start();
  await forcing.tick(signal);
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.equal(world.sent.length, 1);
});

test('a transaction whose nonce is not due stays here, and says which one is missing', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track(own(3n));
  world.safe = 2n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, []);
  assert.match(forcing.list()[0]?.waiting ?? '', /nonce 2/);
  world.safe = 3n;
  await forcing.tick(signal);
  assert.equal(world.sent.length, 1);
  assert.equal(forcing.list()[0]?.waiting, undefined);
});

test('a message that L2 read without effect is sent anew, a few times', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  const tick = () => forcing.tick(signal);
  await forcing.track(own(0n));
  for (let times = 1; times <= 3; times += 1) {
    world.time += FORCE_AFTER_MS;
    await tick();
    assert.equal(world.sent.filter((one) => one !== 'force').length, times);
    await readInVain(world, tick);
  }
  world.time += 10 * FORCE_AFTER_MS;
  await tick();
  assert.equal(world.sent.filter((one) => one !== 'force').length, 3);
  assert.match(forcing.list()[0]?.waiting ?? '', /without effect/);
});

test('what L2 read without effect is replaced by the next one with its nonce, wherever it is', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  const tick = () => forcing.tick(signal);
  await forcing.track(own(0n));
  world.time += FORCE_AFTER_MS;
  await tick();
  const second = own(0n, 'for more');
  await forcing.track(second);
  assert.equal(forcing.list()[0]?.hash, own(0n).hash, 'on its way');
  await readInVain(world, tick);
  world.time += FORCE_AFTER_MS;
  await tick();
  await forcing.track(second);
  assert.equal(forcing.list()[0]?.hash, second.hash);
  world.time += FORCE_AFTER_MS;
  await tick();
  assert.equal(world.sent.at(-1), hexlify(second.raw));
});

test('what an L1 reorg takes back is watched again, with its time', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  const first = own(0n);
  await forcing.track(first);
  world.safe = 1n;
  await forcing.tick(signal);
  assert.deepEqual(forcing.list(), []);
  world.safe = 0n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.equal(forcing.list().length, 1);
  assert.deepEqual(world.sent, []);
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(first.raw)]);
});

test('what is final is forgotten, on disk too', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track(own(0n));
  assert.equal(world.kept.size, 1);
  world.safe = 1n;
  await forcing.tick(signal);
  assert.equal(world.kept.size, 1);
  world.finalized = 1n;
  await forcing.tick(signal);
  assert.equal(world.kept.size, 0);
});

test('what cannot be known to be final is kept, and keeps nothing else waiting', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track(own(0n));
  await forcing.track(own(1n));
  world.safe = 1n;
  world.forgotten = true;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(own(1n).raw)]);
});

test('a full list makes room of what L1 has confirmed', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  for (let nonce = 0n; nonce < 64n; nonce += 1n) await forcing.track(own(nonce));
  await forcing.track(own(64n));
  assert.equal(forcing.list().length, 64);
  world.safe = 64n;
  await forcing.tick(signal);
  await forcing.track(own(64n));
  assert.deepEqual(
    forcing.list().map(({ nonce }) => nonce),
    [64n],
  );
});

test('a replacement inherits how long its nonce has waited', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track(own(0n));
  world.time += FORCE_AFTER_MS;
  const second = own(0n, 'for more');
  await forcing.track(second);
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(second.raw)]);
});
