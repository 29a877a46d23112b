import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { createTestNetwork, ETHER, eventually, type RunningNode, type TestNetwork } from './test-network.ts';

const carol: Hex = `0x${'ca'.repeat(20)}`;
let network: TestNetwork;
let maker: RunningNode;
let made: Uint8Array;

before(async () => {
  network = await createTestNetwork();
  await network.startSequencer({ validator: true });
  maker = await network.startFollower('maker');
  await network.fundOnL1(maker.rollup.account.address());
  const from = { rpcUrl: network.l1.rpcUrl, key: network.l1.accounts.faucet.key };
  const to = maker.rollup.account.address();
  await depositEth(from, { inbox: network.descriptor.l1.inbox, to, amountWei: 5n * ETHER });
  await eventually('the deposit', async () => (await maker.rollup.account.balance()) > 0n);
  await maker.rollup.withdraw({ to: carol, amountWei: String(ETHER) });
});

after(() => network?.stop());

async function passTime(seconds: number): Promise<void> {
  await network.l1Send('evm_increaseTime', [seconds]);
  await network.l1Send('evm_mine', []);
}

async function take(node: RunningNode): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of node.rollup.snapshot()) parts.push(part);
  return Buffer.concat(parts);
}

async function rpc(node: RunningNode, method: string, params: unknown[] = []): Promise<unknown> {
  return ((await node.rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as { result?: unknown }).result;
}

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(network.folder, `${name}.snapshot`);
  await writeFile(path, bytes);
  return path;
}

test('without a confirmed assertion there is nothing to make a snapshot of', async () => {
  await assert.rejects(take(maker), { code: 'ROLLUP_SNAPSHOT_UNAVAILABLE' });
});

test('a node that begins with a snapshot derives on from there and has the same state, withdrawals provable among it', async () => {
  await eventually(
    'the withdrawal to be claimable',
    async () => {
      await passTime(20);
      return (await maker.rollup.withdrawals())[0]?.state === 'claimable';
    },
    60_000,
  );
  made = await eventually('a snapshot', () => take(maker).catch(() => undefined));
  const path = await file('made', made);
  const node = await network.startFollower('newcomer', {}, { snapshotPath: path });
  assert.equal(existsSync(path), false, 'the file was taken');
  const from = BigInt(((await rpc(node, 'nectar_syncStatus')) as { historyFrom: string }).historyFrom);
  assert.ok(from > 0n);
  const wanted = maker.rollup.heads().safe.number;
  await eventually('it to derive on', () => node.rollup.heads().safe.number >= wanted && wanted > from);
  const at = `0x${wanted.toString(16)}`;
  const block = (await rpc(node, 'eth_getBlockByNumber', [at, false])) as { hash: string };
  assert.equal(block.hash, ((await rpc(maker, 'eth_getBlockByNumber', [at, false])) as { hash: string }).hash);
  const account = maker.rollup.account.address();
  assert.equal(await rpc(node, 'eth_getBalance', [account, at]), await rpc(maker, 'eth_getBalance', [account, at]));
  const proof = await eventually(
    'the proof',
    async () => (await rpc(node, 'nectar_withdrawalProof', ['0x0'])) ?? undefined,
  );
  assert.equal((proof as { message: { to: string } }).message.to, carol);
  await eventually('its verdict', () => node.rollup.assertions().state === 'sound');
  // Kept over a restart, when there is no file any more.
  await node.stop();
  const again = await network.startFollower('newcomer', {}, { snapshotPath: path });
  assert.ok(again.rollup.heads().safe.number >= from);
  await again.stop();
});

test('a snapshot that is cut off, changed or of something that L1 did not confirm leaves nothing', async () => {
  const refused = async (name: string, bytes: Uint8Array): Promise<string> => {
    const path = await file(name, bytes);
    const error = await network.startFollower(name, {}, { snapshotPath: path }).then(
      () => assert.fail('taken'),
      (cause: { code?: string; data?: { reason?: string } }) => cause,
    );
    assert.equal(error.code, 'ROLLUP_SNAPSHOT_INVALID', String(error));
    assert.equal(existsSync(join(network.folder, name)) && existsSync(join(network.folder, name, 'CURRENT')), false);
    return error.data?.reason ?? '';
  };
  const changed = (at: number): Uint8Array => {
    const copy = Uint8Array.from(made);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const text = Buffer.from(made).toString('latin1');
  const nodeId = /"nodeId":"0x([0-9a-f])/.exec(text);
  assert.ok(nodeId);
  assert.match(await refused('cut-f', made.subarray(0, made.length - 100)), /cut off/);
  assert.match(await refused('end-f', made.subarray(0, 2)), /cut off/);
  assert.match(await refused('state-f', changed(made.length - 60)), /hashes to something else/);
  assert.match(
    await refused('long-f', Buffer.concat([made.subarray(0, made.length - 4), Buffer.from([0, 0, 0, 1, 7])])),
    /more than/,
  );
  const other = Uint8Array.from(made);
  const place = nodeId.index + nodeId[0].length - 1;
  other[place] = nodeId[1] === '0' ? 0x31 : 0x30;
  assert.match(await refused('node-f', other), /not confirmed/);
  assert.match(await refused('text-f', Buffer.from('hello, this is no snapshot')), /too large|not a snapshot/);
});

test('an import that was killed half-way begins anew at the next start', async () => {
  const path = await file('half', made);
  const database = join(network.folder, 'killed');
  // What a kill leaves: parts of the state, and no heads. L1 is silent, so the import breaks off after nothing was believed.
  await assert.rejects(network.startFollower('killed', { l1RpcUrls: ['http://127.0.0.1:9'] }, { snapshotPath: path }), {
    code: 'ROLLUP_L1_UNREACHABLE',
  });
  assert.ok(existsSync(path), 'the file waits');
  assert.ok(existsSync(database));
  const node = await network.startFollower('killed', {}, { snapshotPath: path });
  assert.ok(node.rollup.heads().safe.number > 0n);
  await node.stop();
  assert.equal(await readFile(path).catch(() => 'gone'), 'gone');
});
