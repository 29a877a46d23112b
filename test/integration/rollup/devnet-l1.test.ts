import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { JsonRpcProvider } from 'ethers';
import { backUpState, findAnvilPid } from '../../../cli/provision/process/anvil-process.ts';
import { startDevnetL1, stopDevnetL1 } from '../../../cli/provision/process/devnet-l1.ts';
import { deployL1Contracts } from '../../../cli/provision/process/l1-contracts.ts';
import { freePort } from './test-network.ts';

const folder = await mkdtemp(join(tmpdir(), 'nectar-devnet-'));
const port = await freePort();
const options = { folder, port, blockTimeS: 1, stateIntervalS: 1 };

after(async () => {
  await stopDevnetL1(folder);
  await rm(folder, { recursive: true, force: true });
});

async function codeAt(rpcUrl: string, address: string): Promise<string> {
  const provider = new JsonRpcProvider(rpcUrl);
  try {
    return await provider.getCode(address);
  } finally {
    provider.destroy();
  }
}

test('the development L1 keeps its chain, accounts and contracts over a stop, and over a broken state file', async () => {
  const l1 = await startDevnetL1(options);
  const { deployer, sequencer } = l1.accounts;
  const { inbox, sequencerInbox } = await deployL1Contracts(l1.rpcUrl, deployer.key, {
    sequencer: sequencer.address,
    genesisHash: `0x${'01'.repeat(32)}`,
  });
  assert.ok((await codeAt(l1.rpcUrl, sequencerInbox)).length > 2);
  assert.equal((await startDevnetL1(options)).pid, l1.pid, 'it is found running');

  await stopDevnetL1(folder);
  assert.equal(findAnvilPid(folder), undefined);
  const again = await startDevnetL1(options);
  assert.deepEqual(again.accounts, l1.accounts);
  assert.ok((await codeAt(l1.rpcUrl, inbox)).length > 2);

  await stopDevnetL1(folder);
  assert.equal(await backUpState(folder), true);
  // What a kill in the middle of a dump leaves.
  await writeFile(join(folder, 'state.json'), readFileSync(join(folder, 'state.json')).subarray(0, 1_000));
  assert.equal(await backUpState(folder), false);
  await startDevnetL1(options);
  assert.ok((await codeAt(l1.rpcUrl, inbox)).length > 2);
});

test('its contracts see the true hash of the block before theirs, also right after it was started again', async () => {
  await startDevnetL1(options);
  await stopDevnetL1(folder);
  const { rpcUrl } = await startDevnetL1(options);
  const provider = new JsonRpcProvider(rpcUrl);
  try {
    // PUSH1 1 NUMBER SUB BLOCKHASH PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN
    const seen = await provider.send('eth_call', [{ data: '0x600143034060005260206000f3' }, 'pending']);
    const before = await provider.getBlock('latest');
    const parents = [before?.hash, before?.parentHash];
    assert.ok(parents.includes(seen), `${seen} is none of ${parents.join()}`);
  } finally {
    provider.destroy();
  }
});

test('no key of it is readable by another user, in a log, or in the arguments of the process', async () => {
  const { pid, accounts } = await startDevnetL1(options);
  const phrase = readFileSync(join(folder, 'mnemonic'), 'utf8').trim();
  const keys = [accounts.deployer, accounts.sequencer, accounts.faucet, ...accounts.auditors];
  const secrets = [phrase, ...keys.map(({ key }) => Buffer.from(key).toString('hex'))];
  const commandLine = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
  for (const text of [commandLine, readFileSync(join(folder, 'anvil.log'), 'utf8')]) {
    assert.ok(!secrets.some((secret) => text.includes(secret)));
  }
  assert.equal(statSync(join(folder, 'mnemonic')).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('a port that another program holds is one clear error, and nothing is left running', async () => {
  const other = await mkdtemp(join(tmpdir(), 'nectar-devnet-'));
  const holder = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port: taken } = holder.address() as { port: number };
  try {
    const error = {
      code: 'CLI_DEVNET_PORT_TAKEN',
      message: new RegExp(`taken by another program \\(pid ${process.pid}, `),
    };
    await assert.rejects(startDevnetL1({ folder: other, port: taken }), error);
    assert.equal(findAnvilPid(other), undefined);
  } finally {
    holder.close();
    await rm(other, { recursive: true, force: true });
  }
});

test('of two that start on one port at one moment each knows its own: one is up, the other says that it is not', async () => {
  for (let round = 0; round < 6; round += 1) {
    const port = await freePort();
    const folders = ['one', 'other'].map((name) => join(folder, `${name}-${round}`));
    try {
      const started = await Promise.allSettled(folders.map((own) => startDevnetL1({ ...options, folder: own, port })));
      const outcomes = started.map((one) => (one.status === 'fulfilled' ? 'up' : one.reason.code));
      assert.equal(outcomes.filter((outcome) => outcome === 'up').length, 1, `round ${round}: ${outcomes}`);
      const refused = outcomes.find((outcome) => outcome !== 'up');
      assert.match(refused, /^(ROLLUP_L1_NOT_STARTED|CLI_DEVNET_PORT_TAKEN)$/);
      assert.notEqual(findAnvilPid(folders[outcomes.indexOf('up')] ?? ''), undefined);
    } finally {
      for (const own of folders) await stopDevnetL1(own);
    }
  }
});
