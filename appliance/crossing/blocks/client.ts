import type { HeldBlocks, Store } from '../../store/index.ts';
import { clientOf } from '../client-of.ts';
import { collect } from '../collect.ts';
import type { Connection } from '../connection.ts';
import { invalidMessage } from '../message.ts';
import { blocks, SECRET_BYTES, type Want } from './contract.ts';

/** The rollup role's own secrets, 32 bytes each. */
export interface RollupSecrets {
  readonly databaseKey: Uint8Array;
  readonly operatorKey: Uint8Array;
  readonly identitySeed: Uint8Array;
}

type Crossed =
  | 'underReplicated'
  | 'markReplicated'
  | 'holderQuestions'
  | 'holderAnswered'
  | 'pendingReleases'
  | 'released'
  | 'shardHolders'
  | 'shardWork'
  | 'shardBrought'
  | 'shardAudits'
  | 'shardAudited'
  | 'unanchored'
  | 'markAnchored';

/** The store's ciphertext side, reached over its socket. */
export interface BlocksClient extends Pick<Store, Crossed> {
  readonly blocks: Pick<Store['blocks'], 'get'>;
  readonly held: Omit<HeldBlocks, 'bytes'>;
  readonly shards: Store['shards'];
  /** Resolves once the node is unlocked. */
  secrets(signal: AbortSignal): Promise<RollupSecrets>;
  /** Tells what the store wants, until the connection ends or the signal aborts. */
  wanted(onWant: (want: Want) => void, signal: AbortSignal): Promise<void>;
  handIn(id: number, bytes: Uint8Array | undefined): Promise<void>;
}

export function createBlocksClient(connection: Connection): BlocksClient {
  const client = clientOf(connection, blocks);
  const { underReplicated, markReplicated, holderQuestions, holderAnswered, pendingReleases, released } = client;
  const { shardHolders, shardWork, shardBrought, shardAudits, shardAudited } = client;
  const { unanchored, markAnchored, wanted } = client;
  return {
    ...{ underReplicated, markReplicated, holderQuestions, holderAnswered, pendingReleases, released },
    ...{ unanchored, markAnchored, wanted },
    ...{ shardHolders, shardWork, shardBrought, shardAudits, shardAudited },
    shards: { freeBytes: client.freeBytes, take: client.takeShard, proveLeaves: client.proveLeaves },
    blocks: { get: client.get },
    held: {
      hold: (owner, root, { cid, bytes }) => client.hold(owner, root, cid, bytes),
      get: client.getHeld,
      release: (owner, root, cids) => client.release(owner, root, cids),
      owners: () => client.heldOwners(),
      owes: (owner) => client.owes(owner),
      tidy: (standings) => client.tidyHeld(standings),
    },
    async secrets(signal) {
      const origin = { service: 'store', operation: 'secrets' };
      const all = await collect(await client.secrets(signal), 3 * SECRET_BYTES, origin);
      if (all.length !== 3 * SECRET_BYTES) throw invalidMessage(origin, 'not three secrets');
      const part = (index: number): Uint8Array => all.slice(index * SECRET_BYTES, (index + 1) * SECRET_BYTES);
      const secrets = { databaseKey: part(0), operatorKey: part(1), identitySeed: part(2) };
      all.fill(0);
      return secrets;
    },
    handIn: (id, bytes) => client.handIn(id, bytes !== undefined, bytes ?? new Uint8Array(0)),
  };
}
