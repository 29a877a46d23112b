import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Sender, Outgoing } from '../batcher/l1-sender.ts';
import type { AssertionFollower } from './assertion-follower.ts';
import type { DerivedState } from './derived-state.ts';
import type { FalseAlarm, FalseAlarms } from './false-alarms.ts';
import type { Judge } from './judge.ts';
import { nextSteps, type Step } from './next-steps.ts';
import { type RollupCalls, whyRefused } from './rollup-calls.ts';
import type { StakeWish } from './stake-wish.ts';

export interface ValidatorState {
  readonly mode: 'watching' | 'asserting';
  /** The newest L1 block up to which assertions are known; undefined until the first look. */
  readonly l1Number: bigint | undefined;
  readonly latestConfirmed:
    | { readonly nodeId: Hex; readonly batch: bigint; readonly block: bigint | undefined }
    | undefined;
  /** Assertions that wait for their period. */
  readonly pending: number;
  readonly falseAlarms: readonly FalseAlarm[];
  /** Why the own stake does not move; undefined while watching, or when all is done. */
  readonly waiting: string | undefined;
}

export interface ValidatorOptions {
  readonly pollMs: number;
  readonly resubmitMs: number;
}

/** The account that asserts; undefined on a node that only watches. */
export interface Asserting {
  readonly address: Hex;
  readonly sender: L1Sender;
  readonly calls: Pick<RollupCalls, 'nonceAt' | 'findStake' | 'owedWei' | 'encode'>;
  /** Whether the account is to have a stake. */
  readonly wish: Pick<StakeWish, 'isWanted'>;
  /** The own state before a batch, from final L1 blocks. */
  readonly finalState: (batch: bigint) => Promise<DerivedState | undefined>;
}

export interface ValidatorDeps {
  readonly follower: AssertionFollower;
  readonly judge: Judge;
  readonly alarms: FalseAlarms;
  readonly asserting?: Asserting;
  readonly log: Logger;
  readonly now: () => number;
  readonly onState?: (state: ValidatorState) => void;
}

/** Holds every assertion on L1 against the own chain; where it is given an account, asserts, backs and confirms. */
export interface Validator {
  state(): ValidatorState;
  /** Looks once; runs by itself every `pollMs`. Never throws. */
  tick(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** What L1 answers while it is only too early: the next look tries again, and nobody needs to know. */
const NOT_YET = new Set(['TooEarly', 'TargetNotReached', 'StillRivaled', 'NodeExists', 'Frozen', 'NodeStatusForbids']);
const REFUSALS: Readonly<Record<string, string>> = {
  NotValidator: 'this account is not on the list of validators',
  StakeAmountWrong: 'the stake is less than the rollup asks for now',
  TooLate: 'the period for a rival of the present assertion is over',
  Frozen: 'the guardian has frozen the rollup',
};

interface Flight {
  readonly step: Step;
  readonly outgoing: Outgoing;
  sentAt: number;
}

export function createValidator(options: ValidatorOptions, deps: ValidatorDeps): Validator {
  const { follower, judge, alarms, asserting, log, now } = deps;
  let l1Number: bigint | undefined;
  let flight: Flight | undefined;
  let waiting: string | undefined;
  let failing = false;

  function state(): ValidatorState {
    const { assertions, latestConfirmed } = follower.book();
    const latest = latestConfirmed === undefined ? undefined : assertions.get(latestConfirmed);
    const verdict = latest && judge.verdictOf(latest.nodeId);
    return {
      mode: asserting === undefined ? 'watching' : 'asserting',
      l1Number,
      latestConfirmed: latest && {
        nodeId: latest.nodeId,
        batch: latest.state.batch,
        block: verdict?.kind === 'right' ? verdict.block : undefined,
      },
      pending: [...assertions.values()].filter(({ status }) => status === 'live').length,
      falseAlarms: alarms.list(),
      waiting,
    };
  }

  /** Sent and not mined yet: the same call on the same nonce for more, or made anew once its nonce is used or gone. */
  async function pursue(current: Flight, { sender }: Asserting, signal: AbortSignal): Promise<void> {
    const standing = await sender.standing(current.outgoing, signal);
    if (standing !== 'next') {
      if (standing === 'detached') log.warn({ step: current.step.kind }, "L1 took the validator's nonce back");
      flight = undefined;
      return;
    }
    if (now() - current.sentAt < options.resubmitMs) return;
    current.sentAt = now();
    if (!(await sender.bump(current.outgoing, signal))) waiting = 'the transaction waits at the limit of its fee';
  }

  /** True when L1 took the call: then what follows from it is looked at first. */
  async function attempt(
    step: Step,
    { address, sender, calls }: Asserting,
    { stakeId, signal }: { readonly stakeId: bigint; readonly signal: AbortSignal },
  ): Promise<boolean> {
    try {
      const outgoing = await sender.send(await calls.encode(step, stakeId, address, signal), signal);
      flight = { step, outgoing, sentAt: now() };
      log.info({ step: step.kind, ...describe(step) }, 'validator acts on L1');
      return true;
    } catch (error) {
      const name = whyRefused(error);
      if (name === undefined && !signal.aborted && !isRefused(error)) throw error;
      if (name !== undefined && name in REFUSALS) waiting = REFUSALS[name];
      else if (name === undefined || !NOT_YET.has(name))
        waiting = `L1 refuses to ${step.kind}: ${name ?? 'for want of ETH, or a reason that it does not say'}`;
      log.debug({ err: error, step: step.kind, name }, 'L1 refuses a step of the validator');
      return false;
    }
  }

  async function act(own: Asserting, signal: AbortSignal): Promise<void> {
    if (flight !== undefined) return pursue(flight, own, signal);
    const { head } = follower.covered();
    // Something of this account is mined that the book does not show yet: a second stake would be one too many.
    const [seen, mined] = [
      await own.calls.nonceAt(own.address, head, signal),
      await own.calls.nonceAt(own.address, 'latest', signal),
    ];
    if (seen !== mined) return;
    const stake = await own.calls.findStake(own.address, signal);
    const owedWei = stake === undefined ? await own.calls.owedWei(own.address, signal) : 0n;
    const isLeaving = !(await own.wish.isWanted());
    const of = { book: follower.book(), verdictOf: judge.verdictOf, finalState: own.finalState };
    const next = await nextSteps({ ...of, stake, isLeaving, owedWei });
    waiting = next.waiting;
    for (const step of next.steps) if (await attempt(step, own, { stakeId: stake?.id ?? 0n, signal })) return;
  }

  async function look(signal: AbortSignal): Promise<void> {
    const isCurrent = await follower.advance(signal);
    // L1 answers again: what kept it from being followed is over.
    if (failing) waiting = undefined;
    const book = follower.book();
    await judge.judge(book);
    await alarms.update(book, judge.verdictOf);
    l1Number = follower.covered().head;
    if (isCurrent && asserting !== undefined) await act(asserting, signal);
  }

  async function tick(signal: AbortSignal): Promise<void> {
    try {
      await look(signal);
      failing = false;
    } catch (error) {
      if (signal.aborted) return;
      // Mostly L1 that does not answer, which the driver says; what stays is said once.
      waiting = error instanceof NectarError ? error.message : 'internal error';
      if (!failing)
        log[error instanceof NectarError ? 'info' : 'error']({ err: error }, 'assertions cannot be followed now');
      failing = true;
    }
    deps.onState?.(state());
  }

  return {
    state,
    tick,
    async run(signal) {
      while (!signal.aborted) {
        await tick(signal);
        await delay(options.pollMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof NectarError && error.code === 'ROLLUP_L1_REFUSED';
}

function describe(step: Step): Record<string, unknown> {
  if (step.kind === 'create') return { parent: step.parent, batch: step.state.batch, block: step.state.block };
  return 'nodeId' in step ? { nodeId: step.nodeId } : {};
}
