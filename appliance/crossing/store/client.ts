import type { BackupKeys, Keys } from '../../keys/index.ts';
import type { Store } from '../../store/index.ts';
import { once } from '../collect.ts';
import type { Connection } from '../connection.ts';
import {
  exportCar,
  fsck,
  head,
  listRecords,
  open,
  put,
  rewrap,
  type StoreState,
  scrub,
  shred,
  state,
} from './contract.ts';
import {
  enrollProvider,
  keyState,
  listKeys,
  listProviders,
  removeProvider,
  repositoryKey,
  resolveKeys,
  retireKeys,
  rotateKeys,
  signCopy,
  signToken,
  unlock,
} from './key-contract.ts';

type Crossed = 'put' | 'open' | 'head' | 'list' | 'shred' | 'rewrap' | 'exportCar' | 'scrub' | 'fsck';

/** The store, reached over its socket. */
export interface StoreClient extends Pick<Store, Crossed> {
  state(timeoutMs: number): Promise<StoreState>;
}

/** The keys, reached over the store's socket: no key comes across. */
export interface KeysClient
  extends Pick<Keys, 'unlock' | 'rotate' | 'retire' | 'enroll' | 'change' | 'remove' | 'resolve'> {
  state(): Promise<ReturnType<Keys['state']>>;
  list(): Promise<ReturnType<Keys['list']>>;
  providers(): Promise<ReturnType<Keys['providers']>>;
  signToken(input: Uint8Array): Promise<Uint8Array>;
}

export function createStoreClient(connection: Connection): StoreClient {
  return {
    state: (timeoutMs) => connection.unary(state, null, { timeoutMs }),
    put: (input, body, context, signal) => connection.upload(put, { input, context }, body, signal),
    async open(id, options, context, signal) {
      const { head: opened, body } = await connection.download(open, { id, options, context }, signal);
      return { ...opened, body };
    },
    head: (id, options, context) => connection.unary(head, { id, options, context }),
    list: (query, context) => connection.unary(listRecords, { query, context }),
    shred: (id, context, expected) =>
      connection.unary(shred, { id, context, ...(expected === undefined ? {} : { expected }) }),
    rewrap: (onProgress, context) => connection.feed(rewrap, { context }, onProgress),
    async *exportCar(id, options, context) {
      yield* (await connection.download(exportCar, { id, options, context })).body;
    },
    fsck: (options, onProgress, signal) => connection.feed(fsck, options, onProgress, signal),
    scrub: (onProgress, signal) => connection.feed(scrub, null, onProgress, signal),
  };
}

/** `unlocked` is believed so long: a store that has been locked since refuses by itself. `locked` is asked anew. */
const UNLOCKED_MS = 1_000;

export function createKeysClient(connection: Connection, now = () => performance.now()): KeysClient {
  let unlockedUntil = Number.NEGATIVE_INFINITY;
  return {
    async state() {
      if (now() < unlockedUntil) return 'unlocked';
      const state = await connection.unary(keyState, null);
      if (state === 'unlocked') unlockedUntil = now() + UNLOCKED_MS;
      return state;
    },
    async unlock(secret) {
      await connection.upload(unlock, { provider: secret.provider }, once(secret.passphrase ?? new Uint8Array(0)));
    },
    list: () => connection.unary(listKeys, null),
    providers: () => connection.unary(listProviders, null),
    rotate: () => connection.unary(rotateKeys, null),
    retire: () => connection.unary(retireKeys, null),
    enroll: ({ provider, settings = {}, secret }) =>
      connection.upload(enrollProvider, { provider, settings }, once(secret ?? new Uint8Array(0))),
    change: (id, { provider, settings = {}, secret }) =>
      connection.upload(enrollProvider, { provider, settings, id }, once(secret ?? new Uint8Array(0))),
    remove: (id) => connection.unary(removeProvider, { id }),
    resolve: () => connection.unary(resolveKeys, null),
    signToken: async (input) => (await connection.unary(signToken, { input })).signature,
  };
}

/** What backups need of the keys, reached over the store's socket. */
export function createBackupKeysClient(connection: Connection): BackupKeys {
  return {
    sign: async (statement) => (await connection.unary(signCopy, statement)).signature,
    repositoryKey: async (repository) => (await connection.unary(repositoryKey, { repository })).key,
  };
}
