import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { isStatementOf } from '../../../protocol/network/node-statement.ts';

/** Statements remembered as good. */
const MAX_GOOD_STATEMENTS = 16_384;

/** Whether a peer's key signed that it belongs to these accounts. */
export type StatementCheck = (peerId: PeerIdText, by: { owner: Hex; operator: Hex }, statement: Hex) => boolean;

/** A signature takes some 1.5 ms to check, and is what it was: those that were good are remembered. What anybody can send is not. */
export function createStatementCheck(l2ChainId: bigint): StatementCheck {
  const good = new Set<string>();
  return (peerId, { owner, operator }, statement) => {
    const name = `${peerId}/${owner}/${operator}/${statement}`;
    if (good.has(name)) return true;
    if (!isStatementOf(peerId, { l2ChainId, owner, operator }, statement)) return false;
    if (good.size >= MAX_GOOD_STATEMENTS) good.clear();
    good.add(name);
    return true;
  };
}
