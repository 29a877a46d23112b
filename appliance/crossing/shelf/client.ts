import type { Shelf } from '../../shelf/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { shelf } from './contract.ts';

/** What gateways share, reached over the store's crossing. */
export function createShelfClient(connection: Connection): Shelf {
  return clientOf(connection, shelf);
}
