import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Hex } from '../../../protocol/brand.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeBatch } from '../../oracle/decode-batch.ts';
import { createL1Gate, type GateStop, type L1Gate } from './l1-gate.ts';
import type { ChildCrash, ChildSpec } from './sequencer-child.ts';
import { createTestNetwork, eventually, freePort, type RunningNode, type TestNetwork } from './test-network.ts';

interface Death {
  readonly moment: string;
  /** By its own hand, at a write or an announcement. */
  readonly crash?: ChildCrash;
  /** By the test's, at a request to L1. */
  readonly stop?: GateStop;
  /** Only once L1 has mined what was sent. */
  readonly isMined?: boolean;
}

const send = 'eth_sendRawTransaction';
/** Each step of the sequencer and of the batcher, cut before and behind what it leaves in the world. */
const DEATHS: readonly Death[] = [
  { moment: 'a block is built and not on disk', crash: { write: 'block', when: 'before', nth: 3 } },
  { moment: 'a block is on disk and not signed', crash: { write: 'block', when: 'after', nth: 3 } },
  { moment: 'a block is signed and its signature not on disk', crash: { write: 'signature', when: 'before', nth: 3 } },
  { moment: 'a signature is on disk', crash: { write: 'signature', when: 'after', nth: 3 } },
  { moment: 'a block is about to be announced', crash: { announcement: 'before', nth: 4 } },
  { moment: 'a block is announced', crash: { announcement: 'after', nth: 4 } },
  { moment: 'a batch is composed', stop: { method: 'eth_estimateGas', when: 'unasked' } },
  { moment: 'a batch is signed and not sent', stop: { method: send, when: 'unasked' } },
  { moment: 'a batch is sent and the sender does not know', stop: { method: send, when: 'unanswered' } },
  { moment: 'a batch is sent and waits on L1', stop: { method: send, when: 'answered' } },
  { moment: 'a batch is mined and not read back', stop: { method: send, when: 'answered' }, isMined: true },
  { moment: 'a batch is read back and not on disk', crash: { write: 'batch', when: 'before', nth: 1 } },
  { moment: 'a batch is confirmed on disk', crash: { write: 'batch', when: 'after', nth: 1 } },
];

let network: TestNetwork;
let gate: L1Gate;
let child: ChildProcess | undefined;
/** What left the machine, by height. */
const announced = new Map<bigint, string>();
/** Blocks that a disk has. */
const written = new Set<string>();

before(async () => {
  network = await createTestNetwork();
  gate = await createL1Gate(network.l1.rpcUrl);
});

after(async () => {
  child?.kill('SIGKILL');
  await gate?.close();
  await network?.stop();
});

function onLine(line: string): void {
  const [what, ...rest] = line.split(' ');
  if (what === 'written') return void written.add(rest[0] ?? '');
  const [number = '0', hash = ''] = rest;
  const height = BigInt(number);
  assert.equal(announced.get(height) ?? hash, hash, `two blocks at height ${height}`);
  announced.set(height, hash);
}

async function start(spec: ChildSpec): Promise<ChildProcess> {
  const path = join(network.folder, 'child.json');
  await writeFile(path, JSON.stringify(spec), { mode: 0o600 });
  const program = fileURLToPath(new URL('sequencer-child.ts', import.meta.url));
  const started = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface(started.stdout).on('line', onLine);
  child = started;
  return started;
}

async function hasReceipt(hash: unknown): Promise<boolean> {
  return (await network.l1Send('eth_getTransactionReceipt', [hash])) !== null;
}

async function die(spec: ChildSpec, { moment, crash, stop, isMined }: Death): Promise<void> {
  const fallen = stop && gate.fallAt(stop);
  const started = await start({ ...spec, ...(crash && { crash }) });
  const closed = once(started, 'close');
  if (fallen !== undefined) {
    const first = await Promise.race([fallen.then((hash) => ({ hash })), closed]);
    assert.ok('hash' in first, `${moment}: it ended by itself`);
    if (isMined) await eventually('the batch to be mined', () => hasReceipt(first.hash));
    started.kill('SIGKILL');
  }
  const [, signal] = await closed;
  assert.equal(signal, 'SIGKILL', moment);
  gate.open();
}

/** All blocks that L1 has, batch after batch. */
async function batchedBlocks({ rollup }: RunningNode): Promise<readonly BatchBlock[]> {
  const blocks: BatchBlock[] = [];
  for (let number = 0; ; number += 1) {
    const params = [`0x${number.toString(16)}`];
    const answer = await rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'nectar_getBatch', params });
    const { result } = answer as { result: { readonly data: Hex } | null };
    if (result === null) return blocks;
    const decoded = decodeBatch(hexToBytes(result.data));
    assert.ok(decoded, `batch ${number} cannot be read`);
    blocks.push(...decoded);
  }
}

async function hashOf({ rollup }: RunningNode, number: bigint): Promise<Hex> {
  const params = [`0x${number.toString(16)}`, false];
  const answer = await rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber', params });
  return (answer as { result: { hash: Hex } }).result.hash;
}

test('killed at each step, a sequencer announces no two blocks of a height, and a batcher posts each block once', async () => {
  const spec: ChildSpec = {
    descriptor: { ...network.descriptor, endpoints: { ...network.descriptor.endpoints, l1Rpc: [gate.url] } },
    databasePath: join(network.folder, 'killed'),
    key: Buffer.from(network.l1.accounts.sequencer.key).toString('hex'),
    databaseKey: randomBytes(32).toString('hex'),
    rpcPort: await freePort(),
  };
  for (const death of DEATHS) await die(spec, death);

  // Started once more, it brings all that it built to L1.
  const kept = [...written];
  const survivor = await start(spec);
  const witness = await network.startFollower('witness');
  await eventually('it to be on L1', () => witness.rollup.heads().safe.number > BigInt(kept.length));
  const closed = once(survivor, 'close');
  survivor.kill('SIGKILL');
  await closed;

  const posted = await eventually(
    'every block of a batch to be a block of L2',
    async () => {
      const blocks = await batchedBlocks(witness);
      const { number } = witness.rollup.heads().safe;
      return BigInt(blocks.length) === number && number;
    },
    120_000,
  );
  const onL1 = new Set<string>();
  // A disk has the genesis too.
  for (let number = 0n; number <= posted; number += 1n) {
    const hash = await hashOf(witness, number);
    assert.equal(hash, announced.get(number) ?? hash, `L1 has another block ${number} than was announced`);
    onL1.add(hash);
  }
  const replaced = kept.filter((hash) => !onL1.has(hash));
  assert.deepEqual(replaced, [], 'a block that was on disk was replaced by another');
});
