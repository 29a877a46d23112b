import { NectarError } from '../../protocol/errors.ts';
import type { PublicIdentity } from '../config/index.ts';
import { clientOf } from './client-of.ts';
import type { Connection } from './connection.ts';
import { call, contract } from './contract.ts';
import type { Route } from './route.ts';
import { routesOf } from './routes-of.ts';
import { done, exact, nullable, publicIdentity } from './shape.ts';

/** An answer that is there at once, or not yet. */
const TIMEOUT_MS = 5_000;

/**
 * How roles learn which node they belong to, where no configuration says it: the store has made or adopted the keys, and tells. A role
 * with a volume says what that volume belongs to, so that a lost volume of the store is not taken for a new node.
 */
const ofStore = contract('identity', {
  /** Of the rollup, with what its volume belongs to; null: nothing yet. */
  introduce: call({
    args: [exact({ known: nullable(publicIdentity) })],
    returns: publicIdentity,
    timeoutMs: TIMEOUT_MS,
  }),
  /** Of the gateway, which keeps nothing. */
  get: call({ args: [], returns: publicIdentity, timeoutMs: TIMEOUT_MS }),
});

/** Of the audit, which reaches nobody: the store asks it, and tells it. */
const ofAudit = contract('introduction', {
  known: call({ args: [], returns: exact({ known: nullable(publicIdentity) }), timeoutMs: TIMEOUT_MS }),
  introduce: call({ args: [publicIdentity], returns: done, timeoutMs: TIMEOUT_MS }),
});

export interface AuditIntroduction {
  known(): Promise<{ readonly known: PublicIdentity | null }>;
  /** @throws NectarError NODE_IDENTITY_DIFFERENT */
  introduce(identity: PublicIdentity): Promise<void>;
}

export interface StoreIntroduction {
  /** @throws NectarError NODE_NOT_READY, NODE_IDENTITY_DIFFERENT */
  introduce(from: { readonly known: PublicIdentity | null }): Promise<PublicIdentity>;
  get(): Promise<PublicIdentity>;
}

export const auditIntroduction = (connection: Connection): AuditIntroduction => clientOf(connection, ofAudit);
export const storeIntroduction = (connection: Connection): StoreIntroduction => clientOf(connection, ofStore);
export const auditIntroductionRoutes = (audit: AuditIntroduction): Route[] => routesOf(ofAudit, audit);

/** Each caller has its own half: the gateway is told, the rollup tells too. */
export function storeIntroductionRoutes(store: StoreIntroduction, caller: 'gateway' | 'rollup'): Route[] {
  const routes = routesOf(ofStore, store);
  return routes.filter(({ name }) => name === (caller === 'gateway' ? 'identity.get' : 'identity.introduce'));
}

/** @throws NectarError NODE_IDENTITY_DIFFERENT */
export function requireSame(where: string, known: PublicIdentity, found: PublicIdentity): void {
  const same =
    known.nodeId === found.nodeId &&
    known.peerId === found.peerId &&
    known.operator === found.operator &&
    known.checkpointVkey === found.checkpointVkey &&
    known.tokenJwk.x === found.tokenJwk.x;
  if (!same) throw new NectarError('NODE_IDENTITY_DIFFERENT', { where, known: known.nodeId, found: found.nodeId });
}
