import type { AccessContext } from './audit-event.ts';
import type { GatewayConfig } from './config.ts';
import type { DescribedRecord } from './record-headers.ts';
import type { IdempotencyKey } from './store-needs.ts';

/** What makes a put that is sent again the same: one caller's keys say nothing about another's. */
export function putIdentity(
  key: string,
  { contentType, name = '', labels }: DescribedRecord,
  { access, config }: { readonly access: AccessContext; readonly config: GatewayConfig },
): IdempotencyKey {
  return {
    key: `${access.actor.tokenId} ${key}`,
    facts: [contentType, name, ...labels],
    ttlMs: config.idempotencyTtlMs,
    maxKeys: config.maxIdempotencyKeys,
  };
}
