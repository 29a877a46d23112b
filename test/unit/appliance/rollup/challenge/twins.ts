import { makeFolder, replaceFile, sweepStaged } from '../../../../../appliance/durable-file.ts';
import { createChallenges } from '../../../../../appliance/rollup/challenge/challenges.ts';
import { type Conversations, createConversations } from '../../../../../appliance/rollup/challenge/conversations.ts';
import { createHeardMoves } from '../../../../../appliance/rollup/challenge/heard-moves.ts';
import type { Rivalry } from '../../../../../appliance/rollup/challenge/rivalry.ts';
import { createMoveSigner } from '../../../../../appliance/rollup/challenge/sign-move.ts';
import { createTalks, type Reach } from '../../../../../appliance/rollup/challenge/talks.ts';
import { createTruth, type Truth } from '../../../../../appliance/rollup/challenge/truth.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { globalStateHash } from '../../../../../protocol/dispute/global-state.ts';
import { FLAG_OK, type OpenedState, stateHash } from '../../../../../protocol/dispute/machine-state.ts';
import { challengeId, type Party } from '../../../../../protocol/dispute/parties.ts';
import { POINTS } from '../../../../../protocol/dispute/points.ts';
import { ITERATION_ROUNDS, type Side, widthOf } from '../../../../../protocol/dispute/rounds.ts';
import { bytesToHex, hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { DOMAIN, hashOf } from '../../../protocol/dispute/samples.ts';
import { type L1Double, seenBy } from './l1-double.ts';
import { assertedEnd, CHAIN, CONFIG_HASH, CORE0, GENESIS, openToyRun, TARGET } from './toy-machine.ts';

/** Where a twin leaves the truth: the state after so many iterations is its first false one, and in that iteration the state after so many steps. */
export interface Lie {
  readonly iteration: bigint;
  readonly step: bigint;
  readonly name: string;
}

/** What a twin says is true: the truth, up to its lie. */
function lyingTruth(truth: Truth, { iteration, step, name }: Lie): Truth {
  const falseG = hashOf(`false G ${name}`);
  const falseState = (input: Uint8Array): OpenedState => ({
    core: 7n,
    input,
    output: hexToBytes(falseG),
    flag: FLAG_OK,
  });
  const inputOf = async (rivalry: Rivalry): Promise<Uint8Array> =>
    (await truth.openingsAt(rivalry, iteration - 1n)).end.input;
  return {
    ...truth,
    async pointsAt(rivalry, place) {
      const points = await truth.pointsAt(rivalry, place);
      const isAboutSteps = place.round > ITERATION_ROUNDS;
      if (isAboutSteps && place.iteration !== iteration - 1n) return points;
      const falsePoint = isAboutSteps ? bytesToHex(stateHash(falseState(await inputOf(rivalry)))) : falseG;
      const [from, firstFalse] = isAboutSteps ? [place.step, step] : [place.iteration, iteration];
      return points.map((point, at) =>
        from + widthOf(place.round) * BigInt(at + 1) >= firstFalse ? falsePoint : point,
      );
    },
    async openingsAt(rivalry, at) {
      const openings = await truth.openingsAt(rivalry, at);
      return at === iteration - 1n ? { ...openings, end: falseState(openings.end.input) } : openings;
    },
    async witnessAt(rivalry, at, index) {
      const witness = await truth.witnessAt(rivalry, at, index);
      return { ...witness, post: falseState(witness.pre.input) };
    },
  };
}

const silent = createLogger({ level: 'silent' });
const HONEST_KEY = new Uint8Array(32).fill(1);
const LIAR_KEY = new Uint8Array(32).fill(2);
const [honest, liar] = [createMoveSigner(HONEST_KEY), createMoveSigner(LIAR_KEY)];

/** Both directions of the pair of the honest stake and a lying one. */
export async function rivalriesWith(
  { name }: Lie,
  stakeId = 8n,
): Promise<Record<'honestOpens' | 'liarOpens', Rivalry>> {
  const trueEnd = await assertedEnd();
  const falseEnd = hashOf(`false G ${name}`);
  const good: Party = { node: hashOf('true node'), stakeId: 7n, owner: honest.address, signer: honest.address };
  const bad: Party = { node: hashOf(`node ${name}`), stakeId, owner: liar.address, signer: liar.address };
  const direction = (O: Party, R: Party, end: Hex, side: Side): Rivalry => {
    const parties = { parent: hashOf('parent'), O, R };
    const subject = {
      id: challengeId(DOMAIN, parties),
      domain: DOMAIN,
      start: globalStateHash(GENESIS),
      end,
      core0: CORE0,
    };
    return {
      parties,
      side,
      subject,
      parent: GENESIS,
      target: TARGET,
      configHash: CONFIG_HASH,
      rollupConfig: '0x',
      contact: name,
    };
  };
  return { honestOpens: direction(good, bad, trueEnd, 'O'), liarOpens: direction(bad, good, falseEnd, 'R') };
}

/** The same pair as the opponent's node has it. */
export const turned = (rivalry: Rivalry): Rivalry => ({ ...rivalry, side: rivalry.side === 'O' ? 'R' : 'O' });

export interface PlayerOptions {
  readonly l1: L1Double;
  readonly rivalries: () => readonly Rivalry[];
  readonly folder: string;
  readonly reach: Reach;
  readonly lose?: () => boolean;
  /** A twin tells this in place of the truth. */
  readonly lie?: Lie;
}

const POLL_MS = 1;

/** A player as the rollup role wires it, over the double of L1. */
export function createPlayer({ l1, rivalries, folder, reach, lose, lie }: PlayerOptions) {
  const truth = createTruth(CHAIN, openToyRun);
  const told = lie === undefined ? truth : lyingTruth(truth, lie);
  const now = (): number => l1.now * 1000;
  const files = { replaceFile, makeFolder, sweepStaged };
  const heard = createHeardMoves(folder, { files, onDamaged: () => {} });
  const conversations: Conversations = createConversations({
    truth: told,
    heard,
    signer: lie === undefined ? honest : liar,
    now,
  });
  const talks = createTalks({ conversations, reach, log: silent });
  let talking = Promise.resolve();
  const challenges = createChallenges(
    { pollMs: POLL_MS, resubmitMs: 60_000 },
    {
      ...seenBy(l1, rivalries, lose),
      truth: told,
      canFinish: true,
      requireProver: async () => undefined,
      prove: async () => ({ proof: new Uint8Array(POINTS), preimage: new Uint8Array() }),
      heard,
      talks: {
        canReach: talks.canReach,
        keepTalking: (rivalry, signal) => {
          talking = talks.keepTalking(rivalry, signal);
          return talking;
        },
      },
      evidence: { alarm: () => {}, entry: () => {} },
      log: silent,
      now,
    },
  );
  return { challenges, conversations, heard, talked: () => talking };
}
