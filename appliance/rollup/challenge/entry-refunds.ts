import type { Hex } from '../../../protocol/brand.ts';
import { otherSide } from '../../../protocol/dispute/rounds.ts';
import type { L1Call } from '../batcher/l1-sender.ts';
import { invalid } from '../l1/field.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { CHALLENGE_MANAGER } from './challenge-abi.ts';
import { encodeRefund } from './encode-entry.ts';
import type { Rivalry } from './rivalry.ts';

interface Refunds {
  readonly entriesWei: bigint;
  readonly refundWei: bigint;
}

/** Finds the challenges in which this node's entries are still to be paid by an opponent that has lost its stake. */
export type FindRefunds = (ended: readonly Rivalry[], signal: AbortSignal) => Promise<readonly L1Call[]>;

/**
 * A winner's entries of the challenge that it wins are paid at once. Those of the other direction, and those against a stake that
 * another took, are paid to who asks; what is owed is claimed with the stake. Nothing is remembered: a reorg may take a refund back.
 */
export function createFindRefunds(rpc: JsonRpc): FindRefunds {
  async function view<T>(to: Hex, [name, arg]: readonly [string, unknown], signal: AbortSignal): Promise<T> {
    const data = CHALLENGE_MANAGER.encodeFunctionData(name, [arg]);
    const answer = await rpc.call('eth_call', [{ to, data }, 'latest'], signal);
    try {
      const result = CHALLENGE_MANAGER.decodeFunctionResult(name, String(answer));
      return (result.length === 1 ? result[0] : result).toObject() as T;
    } catch {
      throw invalid(`answer of ${name}`);
    }
  }

  async function isOwed({ subject, side, parties }: Rivalry, signal: AbortSignal): Promise<boolean> {
    const to = subject.domain.challengeManager;
    const { openerCreditGwei, responderCreditGwei } = await view<{
      openerCreditGwei: bigint;
      responderCreditGwei: bigint;
    }>(to, ['challengeOf', subject.id], signal);
    const credit = side === 'O' ? openerCreditGwei : responderCreditGwei;
    if (credit === 0n) return false;
    const { refundWei } = await view<Refunds>(to, ['refundsOf', parties[otherSide(side)].stakeId], signal);
    return refundWei > 0n;
  }

  return async (ended, signal) => {
    const calls: L1Call[] = [];
    for (const rivalry of ended) if (await isOwed(rivalry, signal)) calls.push(encodeRefund(rivalry));
    return calls;
  };
}
