import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Interface } from 'ethers';
import { createL1Accounts } from '../../../appliance/rollup/account/l1-accounts.ts';
import type { DisputeMachine } from '../../../appliance/rollup/challenge/dispute-machine.ts';
import type { ChallengeEvent } from '../../../appliance/rollup/challenge/evidence.ts';
import { TALK_SILENCE_MS } from '../../../appliance/rollup/challenge/next-action.ts';
import type { OpenRun } from '../../../appliance/rollup/challenge/truth.ts';
import { createJsonRpc } from '../../../appliance/rollup/l1/json-rpc.ts';
import { createOwnChallenges, type OwnChallenges } from '../../../appliance/rollup/own-challenges.ts';
import type { Assertion } from '../../../appliance/rollup/validator/assertion.ts';
import type { DeriveState } from '../../../appliance/rollup/validator/derived-state.ts';
import type { Verdict } from '../../../appliance/rollup/validator/judge.ts';
import { createRollupCalls } from '../../../appliance/rollup/validator/rollup-calls.ts';
import { createLogger } from '../../../appliance/telemetry/index.ts';
import { ChallengeManagerAbi } from '../../../contracts/generated/ChallengeManager.ts';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { type GlobalState, globalStateHash } from '../../../protocol/dispute/global-state.ts';
import { FLAG_OK, type OpenedState, stateHash } from '../../../protocol/dispute/machine-state.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { EMPTY_SEND_ROOT } from '../../../protocol/rollup/send-tree.ts';
import { CHAIN, CORE0, openToyRun, GENESIS as TOY_GENESIS } from '../../unit/appliance/rollup/challenge/toy-machine.ts';
import { assertOnRecord } from './challenge-records.ts';
import { type ChallengedL1, createChallengedL1, type Staker } from './challenged-l1.ts';

const GENESIS: GlobalState = { ...TOY_GENESIS, sendRoot: EMPTY_SEND_ROOT };
/** The batches to which the first assertions go, and the iterations until there. */
const TARGET = 1n;
const MOVING = 3n;
/** The first false state of the last iteration that moves: in a loop, where the machine asks nothing. */
const LIE_AT = 20n;
const folder = await mkdtemp(join(tmpdir(), 'nectar-challenge-'));
const signal = new AbortController().signal;
const log = createLogger({ level: 'silent' });
const [TRUTH = GENESIS] = await CHAIN.statesAfter(GENESIS, TARGET, [MOVING]);
let skewMs = 0;
const now = (): number => Date.now() + skewMs;
const LIE: GlobalState = { ...TRUTH, blockHash: `0x${'66'.repeat(32)}` };
let l1: ChallengedL1;

before(async () => {
  l1 = await createChallengedL1({
    folder: join(folder, 'l1'),
    core0: CORE0,
    genesisHash: GENESIS.blockHash,
    truth: TRUTH,
    lie: LIE,
  });
});
after(async () => {
  await l1?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a party has of the chain: three blocks, of which the liar's last is false. */
function deriveFor(end: GlobalState): DeriveState {
  return async ({ batch, offset }) => {
    const block = batch === TARGET ? MOVING : offset;
    const [state] = await CHAIN.statesAfter(GENESIS, TARGET, [block]);
    assert.ok(state);
    const { blockHash, sendRoot } = block === MOVING ? end : state;
    return { block, blockHash, sendRoot, batch, offset };
  };
}

const falseState = (input: Uint8Array): OpenedState => ({
  core: 7n,
  input,
  output: hexToBytes(globalStateHash(LIE)),
  flag: FLAG_OK,
});

/** The truth up to the lie. */
const openLyingRun: OpenRun = async (iteration) => {
  const run = await openToyRun(iteration);
  const lie = falseState(hexToBytes(iteration.input));
  return {
    ...run,
    tracePoints: async (from, width) =>
      (await run.tracePoints(from, width)).map((point, at) =>
        from + width * BigInt(at + 1) >= LIE_AT ? stateHash(lie) : point,
      ),
    openAt: async (step) => (step >= LIE_AT ? lie : run.openAt(step)),
  };
};

let statusOfLie: Assertion['status'] = 'live';
const book = () => {
  const root = {
    parent: `0x${'00'.repeat(32)}`,
    state: GENESIS,
    target: TARGET,
    stakeId: 0n,
    l1Number: 0n,
    status: 'confirmed',
  } as const;
  const child = (
    { nodeId, stakeId }: Staker,
    state: GlobalState,
    status: Assertion['status'] = 'live',
  ): [Hex, Assertion] => [nodeId, { nodeId, parent: l1.genesisNode, state, target: 2n, stakeId, l1Number: 1n, status }];
  const assertions = new Map([
    [l1.genesisNode, { ...root, nodeId: l1.genesisNode }],
    child(l1.honest, TRUTH),
    child(l1.liar, LIE, statusOfLie),
  ]);
  return { assertions, latestConfirmed: l1.genesisNode };
};

type Ask = Parameters<typeof createOwnChallenges>[1]['ask'];

function player(who: Staker, name: string, ask: Ask, events: ChallengeEvent[] = []): OwnChallenges {
  const isLiar = who === l1.liar;
  const rpc = createJsonRpc({ urls: [l1.rpcUrl], timeoutMs: 60_000, maxResponseBytes: 8 << 20 });
  const { rollup, sequencerInbox, chainId } = l1;
  const machine: DisputeMachine = {
    openRun: isLiar ? openLyingRun : openToyRun,
    release: async () => {},
    close: async () => {},
    requireProver: async () => undefined,
    prove: async () => ({ proof: new Uint8Array(32), preimage: new Uint8Array() }),
  };
  const verdictOf = (nodeId: Hex): Verdict | undefined =>
    nodeId === who.nodeId ? { kind: 'right', block: MOVING } : undefined;
  return createOwnChallenges(
    {
      rollup,
      sequencerInbox,
      chainId,
      firstL1Block: 0n,
      key: who.key,
      folder: join(folder, name),
      evidenceFolder: join(folder, `${name}-evidence`),
      pollMs: 1,
      resubmitMs: 60_000,
    },
    {
      l1Rpc: rpc,
      sender: createL1Accounts({ chainId }, { rpc, now }).sender({ key: who.key, maxFeePerGasWei: 500_000_000_000n }),
      calls: createRollupCalls({ rollup, firstL1Block: 0n }, rpc),
      derive: deriveFor(isLiar ? LIE : TRUTH),
      book,
      verdictOf,
      machine,
      ask,
      record: async (event) => events.push(event),
      log,
      now,
    },
  );
}

interface Receipt {
  readonly from: Hex;
  readonly to: Hex;
  readonly gasUsed: Hex;
}

const newestBlock = async (): Promise<number> => Number(await l1.rpc<Hex>('eth_blockNumber'));

/** What L1 took for the ChallengeManager since a block. */
async function entriesSince(
  block: number,
): Promise<{ from: Hex; name: string | undefined; gas: number; bytes: number }[]> {
  const abi = new Interface([...ChallengeManagerAbi]);
  const newest = await newestBlock();
  const found = [];
  for (let number = block + 1; number <= newest; number++) {
    const { transactions } = await l1.rpc<{ transactions: { hash: Hex; to: Hex; input: Hex }[] }>(
      'eth_getBlockByNumber',
      [`0x${number.toString(16)}`, true],
    );
    for (const { hash, to, input } of transactions) {
      if (to?.toLowerCase() !== l1.challengeManager) continue;
      const { from, gasUsed } = await l1.rpc<Receipt>('eth_getTransactionReceipt', [hash]);
      found.push({
        from,
        name: abi.parseTransaction({ data: input })?.name,
        gas: Number(gasUsed),
        bytes: input.length / 2 - 1,
      });
    }
  }
  return found;
}

const ROLLUP = new Interface([...RollupAbi]);
async function ofRollup<T>(name: string, args: readonly unknown[]): Promise<T> {
  const data = ROLLUP.encodeFunctionData(name, args);
  return ROLLUP.decodeFunctionResult(name, await l1.rpc<Hex>('eth_call', [{ to: l1.rollup, data }, 'latest']))[0] as T;
}
const isLiarDead = async (): Promise<boolean> =>
  Number((await ofRollup<{ status: bigint }>('nodeOf', [l1.liar.nodeId])).status) === 2;

/** Looks of the players in turn until the lie is dead on L1, with a block after each. */
async function playUntilDead(players: readonly OwnChallenges[]): Promise<void> {
  for (let looks = 0; looks < 200 && !(await isLiarDead()); looks++) {
    for (const one of players) await one.tick(signal);
    await l1.rpc('evm_mine');
  }
  assert.ok(
    await isLiarDead(),
    JSON.stringify(
      players.map((one) => one.state()),
      (_, v) => (typeof v === 'bigint' ? String(v) : v),
    ),
  );
}

const nobody: Ask = async () => ({ type: 'refused', reason: 'unknown' });
let snapshot: Hex;

test('a liar that talks loses by one transaction, and its assertion dies', async () => {
  snapshot = await l1.rpc<Hex>('evm_snapshot');
  const block = await newestBlock();
  const records = { honest: [] as ChallengeEvent[], liar: [] as ChallengeEvent[] };
  const liar = player(l1.liar, 'talking-liar', nobody, records.liar);
  const honest = player(l1.honest, 'talking-honest', (_, encoded) => liar.hear(encoded), records.honest);
  await playUntilDead([liar, honest]);
  const entries = await entriesSince(block);
  assert.deepEqual(
    entries.map(({ name, from }) => [name, from]),
    [['settle', l1.honest.address]],
  );
  assert.ok((entries[0]?.gas ?? 0) < 400_000, `${entries[0]?.gas} gas`);
  for (const one of [honest, liar]) await one.tick(signal);
  assert.deepEqual(
    [honest.outcomes(), liar.outcomes()],
    [
      { won: 1, lost: 0 },
      { won: 0, lost: 1 },
    ],
  );
  const look = async (): Promise<void> => {
    for (const one of [honest, liar]) await one.tick(signal);
  };
  await assertOnRecord(records, { loser: l1.liar.stakeId, winner: l1.honest.stakeId }, look);
});

test('a liar that is silent loses in seven transactions of the honest side', async () => {
  assert.equal(await l1.rpc('evm_revert', [snapshot]), true);
  snapshot = await l1.rpc<Hex>('evm_snapshot');
  const block = await newestBlock();
  const honest = player(l1.honest, 'honest', nobody);
  const liar = player(l1.liar, 'liar', nobody);
  await honest.tick(signal);
  await liar.tick(signal);
  assert.deepEqual(await entriesSince(block), [], 'both still try to talk');
  skewMs += TALK_SILENCE_MS;
  await playUntilDead([honest, liar]);
  const own = (await entriesSince(block)).filter(({ from }) => from === l1.honest.address);
  const inOne = own.filter(({ name }) => name !== 'timeout');
  assert.deepEqual([...new Set(inOne.map(({ name }) => name))].toSorted(), [
    'answer',
    'answerBySteps',
    'open',
    'settle',
  ]);
  assert.equal(own.at(-1)?.name, 'settle');
  for (const { name, gas } of own) assert.ok(gas < 400_000, `${name}: ${gas} gas`);
});

test('what answers in the other direction cost is asked for once, when the lie is dead', async () => {
  assert.equal(await l1.rpc('evm_revert', [snapshot]), true);
  const liar = player(l1.liar, 'opening-liar', nobody);
  const honest = player(l1.honest, 'answering-honest', nobody);
  for (const one of [honest, liar]) await one.tick(signal);
  skewMs += TALK_SILENCE_MS;
  await liar.tick(signal);
  await l1.rpc('evm_mine');
  await playUntilDead([honest, liar]);

  statusOfLie = 'dead';
  const [block, owedWei] = [await newestBlock(), await ofRollup<bigint>('owedWei', [l1.honest.address])];
  for (let looks = 0; looks < 6; looks++) {
    await honest.tick(signal);
    await l1.rpc('evm_mine');
  }
  const refunds = (await entriesSince(block)).map(({ name, from }) => [name, from]);
  assert.deepEqual(refunds, [['refund', l1.honest.address]]);
  assert.ok((await ofRollup<bigint>('owedWei', [l1.honest.address])) > owedWei);
});
