import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexlify } from 'ethers';
import { createWorld, FORCE_AFTER_MS, own, RESEND_MS, readInVain, signal } from './forcing-world.ts';

/** The first transaction lies in the Inbox and is forced. */
async function forceFirst(transaction = own(0n)) {
  const { world, start } = createWorld();
  const forcing = start();
  const tick = () => forcing.tick(signal);
  await forcing.track(transaction);
  world.time += FORCE_AFTER_MS;
  await tick();
  world.messages.push(hexlify(transaction.raw));
  await tick();
  assert.deepEqual(world.sent, [hexlify(transaction.raw), 'force']);
  return { world, start, forcing, tick };
}

test('a message that an L1 reorg took back is not taken for one that L2 read in vain', async () => {
  const { world, forcing, tick } = await forceFirst();
  world.messages.pop();
  await tick();
  assert.equal(forcing.list()[0]?.state, 'sent-to-inbox', 'its L1 transaction is mined again by itself');
  assert.equal(world.sent.length, 2);
  world.time += RESEND_MS;
  await tick();
  assert.equal(world.sent.at(-1), hexlify(own(0n).raw), 'or is sent again');
  for (let times = 0; times < 5; times += 1) {
    world.messages.push(hexlify(own(0n).raw));
    await tick();
    world.messages.pop();
    await tick();
    world.time += RESEND_MS;
    await tick();
    assert.equal(world.sent.at(-1), hexlify(own(0n).raw), `reorg ${times}`);
  }
});

test('a message that comes back behind others is forced where it is now', async () => {
  const { world, forcing, tick } = await forceFirst();
  world.messages = ['0x01', '0x02', hexlify(own(0n).raw)];
  world.time += RESEND_MS;
  await tick();
  assert.equal(world.sent.at(-1), 'force');
  assert.equal(forcing.list()[0]?.state, 'forced');
});

test('a message that derivation reads while the list is looked at has had its effect', async () => {
  const { world, forcing, tick } = await forceFirst();
  world.meanwhile = () => {
    world.read = 1n;
    world.safe = 1n;
  };
  await tick();
  world.meanwhile = () => {};
  // An L1 reorg takes the batch back: had it been counted as read in vain, the next one would replace it.
  world.read = 0n;
  world.safe = 0n;
  await forcing.track(own(0n, 'another'));
  assert.equal(forcing.list()[0]?.hash, own(0n).hash);
});

test('a process that starts again and again pays no more often for what L2 reads in vain', async () => {
  const { world, start } = createWorld();
  await start().track(own(0n));
  for (let starts = 0; starts < 8; starts += 1) {
    const forcing = start();
    world.time += FORCE_AFTER_MS;
    await forcing.tick(signal);
    if (world.sent.filter((one) => one !== 'force').length > world.messages.length)
      await readInVain(world, () => forcing.tick(signal));
  }
  assert.equal(world.messages.length, 3);
});

test('a message that was sent, came and was read between two looks was read in vain, and is counted', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track(own(0n));
  for (let times = 0; times < 6; times += 1) {
    world.time += RESEND_MS;
    await forcing.tick(signal);
    if (world.sent.length > world.messages.length) world.messages.push(world.sent.at(-1) ?? '');
    world.read = BigInt(world.messages.length);
    await forcing.tick(signal);
  }
  assert.equal(world.sent.length, 3);
});

test('what offers less than the base fee of L2 is not paid for on L1, and says so', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track({ ...own(0n), maxFeePerGasWei: 200n });
  world.baseFee = 201n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, []);
  assert.match(forcing.list()[0]?.waiting ?? '', /offers 200 wei .* takes 201/);
  const dearer = { ...own(0n, 'for more'), maxFeePerGasWei: 400n };
  await forcing.track(dearer);
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(dearer.raw)], 'the next one signed replaces it');
});

test('the spike of a fee ends', async () => {
  const { world, start } = createWorld();
  await start().track({ ...own(0n), maxFeePerGasWei: 200n });
  const forcing = start();
  world.baseFee = 900n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [], 'a restart has not forgotten what it offers');
  world.baseFee = 150n;
  await forcing.tick(signal);
  assert.equal(world.sent.length, 1);
  assert.equal(forcing.list()[0]?.waiting, undefined);
});

test('nothing goes to the Inbox before the transaction that it follows', async () => {
  const { world, start } = createWorld();
  const forcing = start();
  await forcing.track({ ...own(0n), maxFeePerGasWei: 200n });
  await forcing.track(own(1n));
  world.baseFee = 300n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, []);
  assert.match(forcing.list()[1]?.waiting ?? '', /nonce 0/);
  world.baseFee = 100n;
  world.closed = true;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, []);
  world.closed = false;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(own(0n).raw), hexlify(own(1n).raw)]);
});

test('the first free nonce is behind all that are known, and before a gap', async () => {
  const { world, start } = createWorld();
  await start().track(own(4n));
  const forcing = start();
  assert.equal(await forcing.nextFree(4n), 5n, 'also in a process that has not looked yet');
  await forcing.track(own(5n));
  await forcing.track(own(8n));
  assert.equal(await forcing.nextFree(4n), 6n);
  assert.equal(await forcing.nextFree(7n), 7n);
  world.safe = 5n;
  await forcing.tick(signal);
  assert.equal(await forcing.nextFree(5n), 6n);
});

test('a list of an older program is read: what it did not say is not known', async () => {
  const { world, start } = createWorld();
  await start().track(own(0n));
  const [name, bytes] = [...world.kept][0] as [string, Uint8Array];
  const older = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>[];
  for (const one of older) delete one.fruitless;
  world.kept.set(name, new TextEncoder().encode(JSON.stringify(older)));
  const forcing = start();
  world.baseFee = 10n ** 18n;
  world.time += FORCE_AFTER_MS;
  await forcing.tick(signal);
  assert.deepEqual(world.sent, [hexlify(own(0n).raw)]);
});
