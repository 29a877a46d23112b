import { toQuantity } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { endOf, type Move, moveHash } from '../../../protocol/dispute/move.ts';
import { pointsRoot } from '../../../protocol/dispute/points.ts';
import { otherSide, sideOfRound } from '../../../protocol/dispute/rounds.ts';
import { invalid } from '../l1/field.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { CHALLENGE_MANAGER, CHALLENGE_STATUS } from './challenge-abi.ts';
import type { ChallengeStanding, Rivalry } from './rivalry.ts';

export interface ChallengeRecordOptions {
  /** The first L1 block that may hold a move. */
  readonly firstL1Block: bigint;
}

/**
 * What the ChallengeManager says of a challenge, as an endpoint tells it. A position is believed only with the move whose hash it
 * is; what an endpoint hides costs time on the clock, so several are asked (l1/endpoints.ts).
 */
export async function readStanding(
  { firstL1Block }: ChallengeRecordOptions,
  { rpc, freezeTime }: { readonly rpc: JsonRpc; readonly freezeTime: () => Promise<bigint> },
  { rivalry, signal }: { readonly rivalry: Rivalry; readonly signal: AbortSignal },
): Promise<ChallengeStanding> {
  const { id, domain } = rivalry.subject;
  const to = domain.challengeManager;
  const data = CHALLENGE_MANAGER.encodeFunctionData('challengeOf', [id]);
  const record = decode(String(await rpc.call('eth_call', [{ to, data }, 'latest'], signal)));
  if (record.status === CHALLENGE_STATUS.none || record.status === CHALLENGE_STATUS.void) return 'none';
  if (record.status !== CHALLENGE_STATUS.open) return 'closed';
  const topics = CHALLENGE_MANAGER.encodeFilterTopics('Moved', [id, record.round]);
  const filter = { address: to, topics, fromBlock: toQuantity(firstL1Block), toBlock: 'latest' };
  const logs = await rpc.call('eth_getLogs', [filter], signal);
  const moves = Array.isArray(logs) ? logs.map(parseMove) : [];
  const position = moves.find((move) => moveHash(domain, move) === record.position);
  if (position === undefined) throw invalid('log of the newest move of a challenge');
  const turn = otherSide(sideOfRound(position.round));
  const clockS = turn === 'O' ? record.openerClockS : record.responderClockS;
  return { position, turn, leftS: clockS - ((await freezeTime()) - record.since) };
}

interface Recorded {
  readonly position: Hex;
  readonly since: bigint;
  readonly openerClockS: bigint;
  readonly responderClockS: bigint;
  readonly round: bigint;
  readonly status: bigint;
}

function decode(answer: string): Recorded {
  try {
    return CHALLENGE_MANAGER.decodeFunctionResult('challengeOf', answer)[0].toObject() as Recorded;
  } catch {
    throw invalid('answer of challengeOf');
  }
}

/** A log as a move; its points must have the root and the end that were signed. */
function parseMove(log: { readonly topics?: readonly string[]; readonly data?: string }): Move {
  const parsed = CHALLENGE_MANAGER.parseLog({ topics: [...(log.topics ?? [])], data: log.data ?? '0x' });
  if (parsed === null) throw invalid('log of a move');
  const signed = parsed.args.getValue('move').toObject() as Omit<Move, 'points' | 'round' | 'choice'> & {
    readonly round: bigint;
    readonly choice: bigint;
    readonly end: Hex;
    readonly root: Hex;
  };
  const { end, root, round, choice, ...rest } = signed;
  const points = [...parsed.args.getValue('points')] as Hex[];
  const move = { ...rest, round: Number(round), choice: Number(choice), points };
  if (endOf(move) !== end || pointsRoot(points) !== root) throw invalid('points of a move');
  return move;
}
