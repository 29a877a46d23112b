import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Interface, toQuantity } from 'ethers';
import { createSimulatedParty, type SimulatedParty } from '../../appliance/rollup/index.ts';
import { ChallengeManagerAbi } from '../../contracts/generated/ChallengeManager.ts';
import { RollupAbi } from '../../contracts/generated/Rollup.ts';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { closeDisputedL1, type DisputedL1, openDisputedL1 } from './disputed-l1.ts';
import { sharesOf, type VerifierKind, type VerifierShare } from './step-verifiers.ts';

export interface SimulateOptions {
  /** Of the disputed network's steps. */
  readonly verifier: VerifierKind;
  /** The liar says nothing off chain, and answers on L1 alone. */
  readonly silent: boolean;
  /** In the disputed block. */
  readonly transfers: number;
  /** The first step of the machine after which the twin lies. */
  readonly lieAt: bigint;
}

/** A transaction of one of the two to the ChallengeManager. */
export interface SeenTransaction {
  readonly by: 'honest' | 'liar';
  readonly call: string;
  readonly gas: number;
  readonly bytes: number;
  /** Of a settlement: what its verifiers took of it. */
  readonly verifiers?: readonly VerifierShare[];
}

/** What L1 saw of a dispute, from the rival's stake on. */
export interface SimulatedDispute {
  readonly l1Transactions: number;
  readonly gas: number;
  /** Of calldata. */
  readonly bytes: number;
  readonly seconds: number;
  readonly winner: 'honest' | 'liar';
  readonly transactions: readonly SeenTransaction[];
}

export interface SimulateDeps {
  /** The round that the two have come to: 0 before the first, at most 12. */
  readonly onRound: (round: number) => void;
  /** A step is proved. */
  readonly onProving: () => void;
  readonly signal: AbortSignal;
}

interface PlayDeps extends SimulateDeps {
  /** The time of both, in milliseconds since 1970. */
  readonly clock: { ms: number };
}

/** After so long a silence a party turns to L1: the clock of both is put ahead by it. */
const TALK_OVER_MS = 3_600_000;
const LOOK_MS = 50;
/** No game on a development network takes so long. */
const PLAY_MS = 1_800_000;
/** NodeStatus of RollupTypes.sol. */
const DEAD = 2;
const ROLLUP = new Interface([...RollupAbi]);
const MANAGER = new Interface([...ChallengeManagerAbi]);

/** Plays a whole dispute on an L1 of its own, and leaves nothing of it behind. */
export async function simulateDispute(options: SimulateOptions, deps: SimulateDeps): Promise<SimulatedDispute> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-dispute-'));
  const l1Folder = join(folder, 'l1');
  const players: SimulatedParty[] = [];
  // A talk that goes on in the background ends with the play.
  const ended = new AbortController();
  const during = { ...deps, signal: AbortSignal.any([deps.signal, ended.signal]) };
  try {
    const l1 = await openDisputedL1({ ...options, folder: l1Folder }, deps.signal);
    const begun = performance.now();
    // Time passes by looks: on a loaded machine a talk takes longer, and nobody loses patience.
    const clock = { ms: Date.now() };
    players.push(...openPlayers(l1, options, { folder, now: () => clock.ms, onProving: deps.onProving }));
    await look(l1, players, { ...during, clock });
    // Whoever meets silence turns to L1 after a while, which nobody waits for here.
    if (options.silent) clock.ms += TALK_OVER_MS;
    const winner = await play(l1, players, { ...during, clock });
    const seconds = Math.round(performance.now() - begun) / 1000;
    const transactions = await seenBy(l1, deps.signal);
    const sum = (of: 'gas' | 'bytes'): number => transactions.reduce((all, one) => all + one[of], 0);
    return { l1Transactions: transactions.length, gas: sum('gas'), bytes: sum('bytes'), seconds, winner, transactions };
  } finally {
    ended.abort();
    await Promise.all(players.map((one) => one.close()));
    await closeDisputedL1(l1Folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The liar first. */
function openPlayers(
  l1: DisputedL1,
  { silent, lieAt }: Pick<SimulateOptions, 'silent' | 'lieAt'>,
  { folder, now, onProving }: { readonly folder: string; readonly now: () => number; readonly onProving: () => void },
): readonly [SimulatedParty, SimulatedParty] {
  const refuse = async () => ({ type: 'refused', reason: 'unknown' }) as const;
  const { truth, prover } = l1;
  const liar = createSimulatedParty({
    ...{ l1, truth, prover, onProving, now, lieAt },
    own: l1.liar,
    other: l1.honest,
    folder: join(folder, 'liar'),
    ask: refuse,
  });
  const honest = createSimulatedParty({
    ...{ l1, truth, prover, onProving, now },
    own: l1.honest,
    other: l1.liar,
    lieAt: undefined,
    folder: join(folder, 'honest'),
    ask: silent ? refuse : (_, encoded) => liar.hear(encoded),
  });
  return [liar, honest];
}

/** Both look at L1 once and do what they would, and L1 makes a block of it. */
async function look({ rpc }: DisputedL1, players: readonly SimulatedParty[], deps: PlayDeps): Promise<void> {
  const { signal, onRound, clock } = deps;
  for (const one of players) await one.tick(signal);
  signal.throwIfAborted();
  await rpc.call('evm_mine', [], signal);
  clock.ms += LOOK_MS;
  onRound(
    Math.max(0, ...players.flatMap((one) => one.state().flatMap(({ round, heardRound }) => [round, heardRound]))),
  );
}

async function play(
  l1: DisputedL1,
  players: readonly SimulatedParty[],
  deps: PlayDeps,
): Promise<SimulatedDispute['winner']> {
  for (const end = Date.now() + PLAY_MS; Date.now() < end; ) {
    await look(l1, players, deps);
    if (await isDead(l1, l1.liar.nodeId, deps.signal)) return 'honest';
    if (await isDead(l1, l1.honest.nodeId, deps.signal)) return 'liar';
    await delay(LOOK_MS, undefined, { signal: deps.signal });
  }
  const waiting = players.flatMap((one) => one.state().map((state) => state.waiting ?? state.next)).join(', ');
  throw new NectarError('DISPUTE_UNDECIDED', { seconds: PLAY_MS / 1000, waiting });
}

async function isDead({ rollup, rpc }: DisputedL1, nodeId: Hex, signal: AbortSignal): Promise<boolean> {
  const data = ROLLUP.encodeFunctionData('nodeOf', [nodeId]);
  const answer = String(await rpc.call('eth_call', [{ to: rollup, data }, 'latest'], signal));
  const [{ status }] = ROLLUP.decodeFunctionResult('nodeOf', answer) as unknown as [{ status: bigint }];
  return Number(status) === DEAD;
}

interface Block {
  readonly transactions: readonly { hash: Hex; from: Hex; to: Hex | null; input: Hex }[];
}

/** What L1 took for the ChallengeManager since both had asserted. */
async function seenBy(
  { rpc, before, challengeManager, honest, verifiers }: DisputedL1,
  signal: AbortSignal,
): Promise<readonly SeenTransaction[]> {
  const newest = Number(await rpc.call('eth_blockNumber', [], signal));
  const seen: SeenTransaction[] = [];
  for (let number = before + 1; number <= newest; number += 1) {
    const block = (await rpc.call('eth_getBlockByNumber', [toQuantity(number), true], signal)) as Block;
    for (const { hash, from, to, input } of block.transactions) {
      if (to?.toLowerCase() !== challengeManager) continue;
      const { gasUsed } = (await rpc.call('eth_getTransactionReceipt', [hash], signal)) as { gasUsed: Hex };
      const call = MANAGER.parseTransaction({ data: input })?.name ?? 'unknown';
      seen.push({
        by: from.toLowerCase() === honest.address ? 'honest' : 'liar',
        call,
        gas: Number(gasUsed),
        bytes: input.length / 2 - 1,
        ...(call === 'settle' && { verifiers: await sharesOf(rpc, verifiers, { hash, input, signal }) }),
      });
    }
  }
  return seen;
}
