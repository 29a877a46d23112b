import { setTimeout as sleepFor } from 'node:timers/promises';
import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { faulty, type Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { KeysConfig } from './config.ts';
import { type KeyPurpose, macKey } from './hierarchy.ts';
import { type IdentityPlace, readIdentity, writeIdentity } from './identity-files.ts';
import { type Change, enrolment, type Open, removal, replacement, retirement, rotation } from './key-changes.ts';
import { type KeyInfo, listKeks, listProviders, type ProviderInfo } from './key-list.ts';
import { type ReadKeyStore, readKeyStore, writeKeyStore } from './key-store-file.ts';
import type { KeyStore } from './key-store-schema.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createKeysMetrics } from './metrics.ts';
import { isAttended, openAttended, openUnattended, type UnlockSecret } from './open-root-key.ts';
import type { ProviderHost } from './provider.ts';
import { getProvider } from './providers/registry.ts';
import type { Enrolment } from './root-key.ts';
import type { RunTool } from './run-tool.ts';
import { createUnlockGate } from './unlock-gate.ts';
import { createWaitList } from './wait-list.ts';

export type KeyContradiction = NectarError<'KEY_STORE_BEHIND' | 'KEY_STORE_AHEAD'>;

/** The secret boundary: nothing else in the node ever sees the root key or a KEK. */
export interface Keys extends Service {
  state(): 'locked' | 'unlocked';
  unlock(secret: UnlockSecret): Promise<void>;
  whenUnlocked(signal: AbortSignal): Promise<void>;
  /** 32 bytes, a fresh copy: the caller may wipe it. KEY_LOCKED. */
  derive(purpose: KeyPurpose, length?: 32): Uint8Array;
  newDek(context: DekContext): { dek: Uint8Array; wrapped: WrappedDek };
  unwrapDek(wrapped: WrappedDek, context: DekContext): Uint8Array;
  /** Under the current KEK; what is under it already comes back as it is. */
  rewrapDek(wrapped: WrappedDek, context: DekContext): WrappedDek;
  list(): readonly KeyInfo[];
  providers(): readonly ProviderInfo[];
  rotate(): Promise<{ from: string; to: string; generation: number }>;
  /** Destroys every KEK but the current one: only once every record has been rewrapped. */
  retire(): Promise<{ destroyed: readonly string[]; generation: number }>;
  /** Wraps the root key for one more provider. */
  enroll(wanted: Enrolment): Promise<{ id: string; generation: number }>;
  change(id: string, wanted: Enrolment): Promise<{ id: string; generation: number }>;
  remove(id: string): Promise<{ id: string; generation: number }>;
  /** Which version of itself the key list is; 0: of a format that did not count. */
  generation(): number;
  /** Writes a list of an older format in this one, as its first generation. */
  bringAlong(): Promise<{ generation: number }>;
  /** The log states another generation. From here on nothing is wrapped, unwrapped or changed, until `resolve`. */
  block(reason: KeyContradiction): void;
  /**
   * An operator's decision that this list is the one: a new generation past the one the log states, with a new KEK. Without a
   * contradiction: KEY_STORE_AGREES.
   */
  resolve(): Promise<{ from: string; to: string; generation: number }>;
  /** A copy of the root key, for a recovery kit, in this process alone: no crossing has it. The caller wipes it. KEY_LOCKED. */
  exportRoot(): Uint8Array;
  /** Opens the node with the root key that recovery officers gave back; takes it over. KEY_SHARES_WRONG when it is another node's. */
  openWithRoot(root: Uint8Array): void;
  sealIdentity(name: string, secret: Uint8Array): Promise<void>;
  openIdentity(name: string): Promise<Uint8Array>;
}

export interface KeysDeps {
  readonly crypto: EnvelopeCrypto;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Injected in tests; waits by timer otherwise. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** How programs are started; undefined where this process may start none. */
  readonly run?: RunTool | undefined;
  /** $CREDENTIALS_DIRECTORY. */
  readonly credentials?: string | undefined;
}

export function createKeys(options: KeysConfig & { readonly home: string }, deps: KeysDeps): Keys {
  const { home, keyFile } = options;
  const { crypto, randomBytes, now } = deps;
  const log = deps.log.child({ service: 'keys' });
  const metrics = createKeysMetrics(deps.metrics);
  const sleep = deps.sleep ?? ((ms: number) => sleepFor(ms));
  const gate = createUnlockGate({ delayMs: options.unlockDelayMs, maxMs: options.unlockDelayMaxMs }, { now, sleep });
  const host: ProviderHost = { crypto, randomBytes, home, keyFile, credentials: deps.credentials, run: deps.run };
  const changeDeps = { crypto, randomBytes, now, host };
  const waiting = createWaitList();
  let read: ReadKeyStore | undefined;
  let store: KeyStore | undefined;
  let keyring: Keyring | undefined;
  let reason = 'not started';
  let blocked: KeyContradiction | undefined;
  let unopened: NectarError | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  function open(): Open {
    if (store === undefined || keyring === undefined) throw new NectarError('KEY_LOCKED', {});
    return { store, ring: keyring };
  }

  /** For whatever opens or protects a record, and for changes of the list. */
  function usable(): Open {
    const opened = open();
    if (blocked !== undefined) throw blocked;
    return opened;
  }

  function started(): { read: ReadKeyStore; store: KeyStore } {
    if (read === undefined || store === undefined) throw new NectarError('NODE_NOT_READY', { service: 'keys', reason });
    return { read, store };
  }

  /** Takes over the root key once keys.json is proven to be the one that it signed. */
  function accept(root: Uint8Array, by: string): void {
    const { read: file, store: current } = started();
    if (keyring !== undefined) {
      root.fill(0);
      return;
    }
    try {
      file.verify(macKey(crypto, root));
    } catch (error) {
      root.fill(0);
      throw error;
    }
    keyring = createKeyring(root, current.keks, deps);
    metrics.unlocked.set(1);
    waiting.wake();
    log.info({ kek: current.current, by }, 'root key unlocked');
  }

  async function unlock(secret: UnlockSecret): Promise<void> {
    const { provider } = secret;
    const attended = provider !== 'any' && getProvider(provider).attended;
    try {
      const { store: current } = started();
      const { root, by } = attended
        ? await openAttended(current, secret, { gate, host })
        : await openUnattended(current, provider, host);
      accept(root, by);
      metrics.unlockAttempts.inc({ provider, outcome: 'success' });
    } catch (error) {
      metrics.unlockAttempts.inc({ provider, outcome: 'failure' });
      throw error;
    }
  }

  /** Changes of keys.json come one after another; memory follows the disk, never the other way round. */
  function update<T>(
    change: (opened: Open) => Change<T> | Promise<Change<T>>,
    opened: () => Open = usable,
  ): Promise<T> {
    const result = writing.then(async () => {
      const { store: from, ring } = opened();
      const { next, result: done, commit } = await change({ store: from, ring });
      const signing = macKey(crypto, ring.root);
      await writeKeyStore(home, next, signing).finally(() => signing.fill(0));
      store = next;
      commit(ring);
      log.info({ generation: next.generation, kek: next.current }, 'key list changed');
      return done;
    });
    writing = result.catch(() => undefined);
    return result;
  }

  async function withIdentity<T>(name: string, use: (at: IdentityPlace) => Promise<T>): Promise<T> {
    const key = open().ring.derive('identity');
    try {
      return await use({ home, name, key, crypto });
    } finally {
      key.fill(0);
    }
  }

  /** A list that is damaged opens by nothing: it ends the start. Whatever else fails may be mended while the node waits, locked. */
  async function openAtStart(): Promise<void> {
    const { store: current } = started();
    if (keyFile === '' && current.providers.every(isAttended)) return;
    await unlock({ provider: 'any' }).catch((error: unknown) => {
      if (!isNectarError(error) || error.code === 'KEY_STORE_INVALID') throw error;
      unopened = error;
      reason = `locked: ${error.message}`;
      log.warn({ code: error.code }, 'no provider unlocks the node by itself');
    });
  }

  return {
    name: 'keys',
    async start() {
      read = await readKeyStore(home);
      store = read.store;
      blocked = undefined;
      unopened = undefined;
      reason = 'locked: unlock it with a passphrase';
      await openAtStart();
    },
    async stop() {
      await writing;
      keyring?.wipe();
      keyring = undefined;
      store = undefined;
      read = undefined;
      reason = 'stopped';
      metrics.unlocked.set(0);
    },
    readiness() {
      if (keyring !== undefined) return blocked === undefined ? { ready: true } : faulty(blocked);
      // Where nobody could type a passphrase, what keeps the node shut does not pass by itself.
      return unopened !== undefined && store?.providers.some(isAttended) !== true
        ? { ...faulty(unopened), reason }
        : { ready: false, reason };
    },
    state: () => (keyring === undefined ? 'locked' : 'unlocked'),
    unlock,
    whenUnlocked(signal) {
      if (keyring !== undefined) return Promise.resolve();
      return waiting.wait(signal);
    },
    derive: (purpose) => open().ring.derive(purpose),
    newDek(context) {
      const { store: current, ring } = usable();
      const dek = randomBytes(KEY_BYTES);
      return { dek, wrapped: ring.wrap(current.current, dek, context) };
    },
    unwrapDek: (wrapped, context) => usable().ring.unwrap(wrapped, context),
    rewrapDek(wrapped, context) {
      const { store: current, ring } = usable();
      if (wrapped.kekId === current.current) return wrapped;
      const dek = ring.unwrap(wrapped, context);
      try {
        return ring.wrap(current.current, dek, context);
      } finally {
        dek.fill(0);
      }
    },
    list: () => listKeks(started().store),
    providers: () => listProviders(started().store),
    rotate: () => update((opened) => rotation(opened, changeDeps)),
    retire: () => update((opened) => retirement(opened, changeDeps)),
    enroll: (wanted) => update((opened) => enrolment(opened, wanted, changeDeps)),
    change: (id, wanted) => update((opened) => replacement(opened, { ...wanted, id }, changeDeps)),
    remove: (id) => update((opened) => removal(opened, id, changeDeps)),
    generation: () => started().store.generation,
    async bringAlong() {
      const { generation } = started().store;
      if (generation > 0) return { generation };
      return update(({ store: from }) => {
        const next = { ...from, generation: 1 };
        return { next, result: { generation: 1 }, commit: () => undefined };
      });
    },
    block(why) {
      blocked = why;
      metrics.blocked.set(1);
      log.error({ code: why.code }, 'key list contradicts the audit log');
    },
    async resolve() {
      if (blocked === undefined) throw new NectarError('KEY_STORE_AGREES', {});
      const { stated } = blocked.data;
      const result = await update((opened) => rotation(opened, changeDeps, stated), open);
      blocked = undefined;
      metrics.blocked.set(0);
      return result;
    },
    // Not slice(): of a Buffer that is the same memory, which the keyring wipes.
    exportRoot: () => Uint8Array.from(open().ring.root),
    openWithRoot(root) {
      try {
        accept(root, 'recovery kit');
      } catch (error) {
        throw isNectarError(error, 'KEY_STORE_INVALID')
          ? new NectarError('KEY_SHARES_WRONG', {}, { cause: error })
          : error;
      }
    },
    sealIdentity: (name, secret) => withIdentity(name, (at) => writeIdentity(at, secret, randomBytes)),
    openIdentity: (name) => withIdentity(name, readIdentity),
  };
}
