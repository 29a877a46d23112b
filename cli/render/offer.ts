import type { StorageOffer } from '../../appliance/gateway/storage-schemas.ts';
import { formatBytes } from './quantities.ts';

/** One line: what this node takes of other members, and has. */
export function describeOffer({ bytes, heldBytes, from }: StorageOffer): string {
  const held = heldBytes === 0 ? 'holds nothing for others' : `holds ${formatBytes(heldBytes)} for others`;
  const how = from === 'command' ? 'by `storage offer`' : 'as configured';
  if (bytes > 0) return `${formatBytes(bytes)} offered to other members, ${how}; ${held}`;
  return heldBytes === 0
    ? `nothing offered to other members, ${how}`
    : `nothing more offered to other members, ${how}; ${held}, which stays until they release it`;
}
