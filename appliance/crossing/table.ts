/** The roles of a node that meet at crossings. */
export type SplitRole = 'gateway' | 'store' | 'audit' | 'rollup';
/** Roles that others call. */
export type ServingRole = Exclude<SplitRole, 'gateway'>;

export type CrossingName = 'audit-append' | 'audit-read' | 'audit-keys' | 'store' | 'blocks' | 'rollup';

export interface Crossing {
  readonly server: ServingRole;
  readonly callers: readonly SplitRole[];
}

/**
 * Who may call whom (docs/design/0002-containers.md). Over sockets the mount of a crossing's folder is this permission; over TLS the
 * serving role holds each connection against this table.
 */
export const CROSSINGS: Readonly<Record<CrossingName, Crossing>> = {
  'audit-append': { server: 'audit', callers: ['gateway', 'store', 'rollup'] },
  'audit-read': { server: 'audit', callers: ['gateway'] },
  'audit-keys': { server: 'audit', callers: ['store'] },
  store: { server: 'store', callers: ['gateway'] },
  blocks: { server: 'store', callers: ['rollup'] },
  rollup: { server: 'rollup', callers: ['gateway'] },
};

export function isCrossing(name: string): name is CrossingName {
  return Object.hasOwn(CROSSINGS, name);
}
