import type { Custody } from '../../custody/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { custody } from './contract.ts';

/** Backup repositories of other nodes, reached over the store's socket. */
export function createCustodyClient(connection: Connection): Custody {
  return clientOf(connection, custody);
}
