import { verifyAuditProof } from '../../protocol/merkle/audit-proof.ts';
import { askNode } from './ask-node.ts';
import type { NodeApi } from './node-api.ts';

export interface ProvenEntry {
  readonly type: string;
  readonly outcome: string;
  /** The event, as the log committed to it. */
  readonly body: string;
}

/** An entry of the log, believed for its proof: inclusion, checkpoint, and the node's key as its own public half states it. */
export async function proveEntry(
  api: NodeApi | undefined,
  { leaf, vkey }: { readonly leaf: number; readonly vkey: string },
  signal: AbortSignal,
): Promise<ProvenEntry> {
  const proof = await askNode(api, `/v1/audit/proof/${leaf}`, { signal });
  const { leaf: seen, body } = verifyAuditProof(proof.raw(), vkey);
  return { type: seen.type, outcome: seen.outcome, body: body ?? '' };
}
