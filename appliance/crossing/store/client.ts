import type { BackupKeys, Keys } from '../../keys/index.ts';
import type { Store } from '../../store/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { type StoreState, store, uploads } from './contract.ts';
import { backupKeys, keys } from './key-contract.ts';

type Crossed =
  | 'put'
  | 'uploads'
  | 'open'
  | 'head'
  | 'present'
  | 'list'
  | 'shred'
  | 'rewrap'
  | 'rekey'
  | 'pauseRekey'
  | 'keepReplaced'
  | 'changeOffer'
  | 'exportCar'
  | 'exportTink'
  | 'shardsOf'
  | 'drill'
  | 'repairShards'
  | 'scrub'
  | 'fsck'
  | 'adopt';

/** The store, reached over its socket. */
export interface StoreClient extends Pick<Store, Crossed> {
  state(timeoutMs: number): Promise<StoreState>;
}

/** The keys, reached over the store's socket: no key comes across. */
export interface KeysClient
  extends Pick<Keys, 'unlock' | 'rotate' | 'retire' | 'enroll' | 'change' | 'remove' | 'resolve' | 'replaceRoot'> {
  state(): Promise<ReturnType<Keys['state']>>;
  list(): Promise<ReturnType<Keys['list']>>;
  providers(): Promise<ReturnType<Keys['providers']>>;
  purposes(): Promise<ReturnType<Keys['purposes']>>;
  signToken(input: Uint8Array): Promise<Uint8Array>;
}

export function createStoreClient(connection: Connection): StoreClient {
  const client = clientOf(connection, store);
  const partial = clientOf(connection, uploads);
  return {
    ...client,
    uploads: {
      ...partial,
      append: (id, { offset, body }, context, signal) => partial.append(id, offset, body, context, signal),
    },
    async *exportCar(id, options, context) {
      yield* await client.exportCar(id, options, context);
    },
  };
}

/** `unlocked` is believed so long: a store that has been locked since refuses by itself. `locked` is asked anew. */
const UNLOCKED_MS = 1_000;
const NO_SECRET = new Uint8Array(0);

export function createKeysClient(connection: Connection, now = () => performance.now()): KeysClient {
  const client = clientOf(connection, keys);
  let unlockedUntil = Number.NEGATIVE_INFINITY;
  return {
    ...client,
    async state() {
      if (now() < unlockedUntil) return 'unlocked';
      const state = await client.state();
      if (state === 'unlocked') unlockedUntil = now() + UNLOCKED_MS;
      return state;
    },
    unlock: ({ provider, passphrase = NO_SECRET }) => client.unlock(provider, passphrase),
    enroll: ({ provider, settings = {}, secret = NO_SECRET }) => client.enroll({ provider, settings }, secret),
    replaceRoot: ({ without, secret = NO_SECRET }) => client.replaceRoot({ without }, secret),
    change: (id, { provider, settings = {}, secret = NO_SECRET }) => client.change(id, { provider, settings }, secret),
  };
}

/** What backups need of the keys, reached over the store's socket. */
export function createBackupKeysClient(connection: Connection): BackupKeys {
  return clientOf(connection, backupKeys);
}
