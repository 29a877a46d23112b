/**
 * The guest of disputes on a block of 500 ERC-20 transfers between 1,000 accounts: steps, steps per CPU second, and the CPU seconds
 * that the points of each round take, the truth being asked for from the widest range to one step.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadMachine } from '../appliance/rollup/execute/machine-file.ts';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import type { ListedPreimage } from '../machine/host/given-preimages.ts';
import { createMachine } from '../machine/host/machine.ts';
import { openDisputeImage } from '../machine/tracer/image.ts';
import { openIteration } from '../machine/tracer/iteration.ts';
import { compilePoseidon2, createPoseidon2 } from '../machine/tracer/poseidon2.ts';
import { createTracer } from '../machine/tracer/tracer.ts';
import { translateImage } from '../machine/tracer/translate.ts';
import type { Iteration } from '../machine/tracer/types.ts';
import { encodeBatch } from '../protocol/rollup/batch.ts';
import { bytesToHex } from '../protocol/rollup/bytes.ts';
import { NEW_NETWORK_FORK } from '../protocol/rollup/fork.ts';
import { createRules } from '../protocol/rollup/rules.ts';
import { createL1History } from '../test/unit/machine/l1-history.ts';
import { rollupConfigOf } from '../test/unit/machine/tracer/guest-fixture.ts';
import { round } from './figures.ts';
import {
  blockOf,
  CHAIN_ID,
  createHolders,
  createTransfers,
  ORIGIN,
  signTransfers,
  tokenGenesis,
} from './token-chain.ts';

const ACCOUNTS = 1_000;
const TRANSFERS = 500;
const DEPLOYED_AT = 1n;
const HALT = 2n ** 40n;
const ZERO = `0x${'00'.repeat(32)}` as const;
const GENERATED = new URL('../machine/generated/', import.meta.url);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const read = (name: string): Uint8Array => readFileSync(new URL(name, GENERATED));

/** The first block of a chain, out of calldata, and what its derivation read. */
function transfersIteration(): Iteration {
  const rules = createRules(CHAIN_ID, nativeCrypto, NEW_NETWORK_FORK);
  const holders = createHolders(ACCOUNTS);
  const genesis = tokenGenesis(holders, rules);
  const stored = new Map<string, Uint8Array>();
  const asked = new Map<string, ListedPreimage>();
  const get = (kind: ListedPreimage['kind'], hash: Uint8Array): Uint8Array | undefined => {
    const name = bytesToHex(hash);
    const bytes = stored.get(name);
    if (bytes !== undefined) asked.set(name, { kind, hash, bytes });
    return bytes;
  };
  for (const [hash, bytes] of genesis.preimages) stored.set(hash, bytes);
  const l1 = createL1History({ number: DEPLOYED_AT, timestamp: ORIGIN.timestamp }, (_, hash, bytes) =>
    stored.set(hash, bytes),
  );
  const { number, hash } = l1.tip();
  const transactions = signTransfers(holders, createTransfers(holders, TRANSFERS));
  const data = encodeBatch([{ ...blockOf(0, transactions), l1Origin: { number, hash } }]);
  const { events } = l1.mine(12n, [], [{ source: 'calldata', data, delayedCount: 0n }]);
  const [batch] = events;
  if (batch?.kind !== 'batch') throw new RangeError('no batch was posted');
  const machine = createMachine(loadMachine(), { chainId: CHAIN_ID, ...NEW_NETWORK_FORK }, { get, getInbox: get });
  const [head, accumulator] = [genesis.hash, batch.afterAcc];
  const { block } = machine.deriveBlock({ deployedAt: DEPLOYED_AT, accumulator, head, offset: 0n });
  if (block === undefined || block.dropped.length > 0) throw new RangeError('not all transfers are in the block');
  const place = { blockHash: head, sendRoot: ZERO, batch: 0n, offset: 0n, target: 1n, accumulator };
  const config = { chainId: CHAIN_ID, ...NEW_NETWORK_FORK, deployedAt: DEPLOYED_AT };
  return openIteration(place, { config, rollupConfig: rollupConfigOf(config), answers: asked.values() });
}

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

export async function run(): Promise<void> {
  const iteration = transfersIteration();
  const image = translateImage(openDisputeImage(read('dispute.elf'), sha256));
  const poseidon2 = createPoseidon2(compilePoseidon2(read('poseidon2.wasm'), sha256));
  const tracer = createTracer({ image, poseidon2 }, iteration);
  const print = (figures: object): void => void process.stdout.write(`${JSON.stringify(figures)}\n`);
  let steps = 0n;
  // The first runs compile and recover keys; the last is what a run takes.
  for (const name of ['trace-first', 'trace-second', 'trace-third', 'trace']) {
    const seconds = cpuSeconds(() => {
      steps = tracer.countSteps(HALT) ?? 0n;
    });
    print({
      name,
      steps: Number(steps),
      seconds: round(seconds),
      millionStepsPerCpuSecond: round(Number(steps) / seconds / 1e6),
    });
  }
  print({ name: 'trace-end', seconds: round(cpuSeconds(() => tracer.openAt(HALT))), flag: tracer.openAt(HALT).flag });
  // The dissection of a step in the middle of the block.
  const wanted = (steps * 2n) / 3n;
  let from = 0n;
  for (let width = 2n ** 35n; width >= 1n; width /= 32n) {
    const [start, own] = [from, width];
    print({
      name: 'trace-points',
      width: Number(width),
      seconds: round(cpuSeconds(() => tracer.tracePoints(start, own))),
    });
    from += ((wanted - from) / width) * width;
  }
  print({ name: 'trace-witness', seconds: round(cpuSeconds(() => tracer.witnessAt(wanted))) });
  print({
    name: 'trace-memory',
    megabytes: Math.round(process.memoryUsage().rss / 2 ** 20),
    peak: Math.round(process.resourceUsage().maxRSS / 2 ** 10),
  });
  tracer.close();
}
