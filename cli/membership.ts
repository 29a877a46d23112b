import type { NetworkInfo } from '../appliance/gateway/node-schemas.ts';

const AUTHORIZED = ['active', 'warned'];

/** Whether the network admits the node now (NodeRegistry: Active, or Warned and not yet suspended). */
export function isAuthorized({ membership }: Pick<NetworkInfo, 'membership'>): boolean {
  return AUTHORIZED.includes(membership.toLowerCase());
}
