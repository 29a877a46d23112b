import type { ChainWord } from './chain-word.ts';
import { conflictError } from './freshness.ts';
import type { OpenAudit } from './open-audit.ts';
import type { AuditStanding } from './service-contract.ts';

/** How an open log stands, a barred one too. */
export function describeStanding(
  { log, fresh, chain }: OpenAudit & { readonly chain: ChainWord },
  nextErasure: string | undefined,
): AuditStanding {
  const { conflict, declared, heads } = fresh.freshness;
  return {
    ...log.treeHead(),
    ...(nextErasure === undefined ? {} : { nextErasure }),
    epochs: declared,
    external: heads[0] ?? null,
    chain: chain.state,
    conflict: conflict === null ? null : { ...conflict, reason: conflictError(conflict).message },
  };
}
