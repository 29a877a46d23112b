import { setTimeout as sleepFor } from 'node:timers/promises';
import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { KeysConfig } from './config.ts';
import { type KeyPurpose, macKey } from './hierarchy.ts';
import { type IdentityPlace, readIdentity, writeIdentity } from './identity-files.ts';
import { type KeyStoreFile, readKeyStore, verifyKeyStore, writeKeyStore } from './key-store-file.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createKeysMetrics } from './metrics.ts';
import { rootByFile, rootByPassphrase } from './open-root-key.ts';
import { type Enrolment, enroll } from './root-key.ts';
import { createUnlockGate } from './unlock-gate.ts';
import { createWaitList } from './wait-list.ts';

export type UnlockSecret = { provider: 'passphrase'; passphrase: Uint8Array } | { provider: 'file' };

export interface KeyInfo {
  readonly id: string;
  readonly createdAt: string;
  readonly current: boolean;
  /** The enrolled providers, joined by "+". */
  readonly provider: string;
}

/** The secret boundary: nothing else in the node ever sees the root key or a KEK. */
export interface Keys extends Service {
  state(): 'locked' | 'unlocked';
  unlock(secret: UnlockSecret): Promise<void>;
  whenUnlocked(signal: AbortSignal): Promise<void>;
  /** 32 bytes, a fresh copy: the caller may wipe it. KEY_LOCKED. */
  derive(purpose: KeyPurpose, length?: 32): Uint8Array;
  newDek(context: DekContext): { dek: Uint8Array; wrapped: WrappedDek };
  unwrapDek(wrapped: WrappedDek, context: DekContext): Uint8Array;
  rewrapDek(wrapped: WrappedDek, context: DekContext): WrappedDek;
  list(): readonly KeyInfo[];
  rotate(): Promise<{ from: string; to: string }>;
  /** Wraps the root key for one more provider. */
  enroll(enrolment: Enrolment): Promise<void>;
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
}

export function createKeys(options: KeysConfig & { readonly home: string }, deps: KeysDeps): Keys {
  const { home } = options;
  const { crypto, randomBytes } = deps;
  const log = deps.log.child({ service: 'keys' });
  const metrics = createKeysMetrics(deps.metrics);
  const sleep = deps.sleep ?? ((ms: number) => sleepFor(ms));
  const gate = createUnlockGate(
    { delayMs: options.unlockDelayMs, maxMs: options.unlockDelayMaxMs },
    { now: deps.now, sleep },
  );
  const waiting = createWaitList();
  let store: KeyStoreFile | undefined;
  let keyring: Keyring | undefined;
  let reason = 'not started';
  let writing: Promise<unknown> = Promise.resolve();

  function open(): { store: KeyStoreFile; keyring: Keyring } {
    if (store === undefined || keyring === undefined) throw new NectarError('KEY_LOCKED', {});
    return { store, keyring };
  }

  function started(): KeyStoreFile {
    if (store === undefined) throw new NectarError('NODE_NOT_READY', { service: 'keys', reason });
    return store;
  }

  /** Takes over the root key once keys.json is proven to be the one that it signed. */
  function accept(root: Uint8Array): void {
    const current = started();
    if (keyring !== undefined) {
      root.fill(0);
      return;
    }
    try {
      verifyKeyStore(home, current, macKey(crypto, root));
    } catch (error) {
      root.fill(0);
      throw error;
    }
    keyring = createKeyring(
      root,
      current.keks.map((kek) => kek.id),
      deps,
    );
    metrics.unlocked.set(1);
    waiting.wake();
    log.info({ kek: current.current }, 'root key unlocked');
  }

  async function unlock(secret: UnlockSecret): Promise<void> {
    const { provider } = secret;
    try {
      const { keyFile } = options;
      const root =
        secret.provider === 'file'
          ? await rootByFile(started(), { home, keyFile, crypto })
          : await rootByPassphrase(started(), secret.passphrase, { gate, crypto });
      accept(root);
      metrics.unlockAttempts.inc({ provider, outcome: 'success' });
    } catch (error) {
      metrics.unlockAttempts.inc({ provider, outcome: 'failure' });
      throw error;
    }
  }

  /** Changes of keys.json come one after another. */
  function update<T>(change: (state: { store: KeyStoreFile; keyring: Keyring }) => Promise<T>): Promise<T> {
    const result = writing.then(() => change(open()));
    writing = result.catch(() => undefined);
    return result;
  }

  async function save(next: Omit<KeyStoreFile, 'mac'>, root: Uint8Array): Promise<void> {
    store = await writeKeyStore(home, next, macKey(crypto, root));
  }

  async function withIdentity<T>(name: string, use: (at: IdentityPlace) => Promise<T>): Promise<T> {
    const key = open().keyring.derive('identity');
    try {
      return await use({ home, name, key, crypto });
    } finally {
      key.fill(0);
    }
  }

  return {
    name: 'keys',
    async start() {
      store = await readKeyStore(home);
      reason = 'locked: unlock it with a passphrase';
      if (options.keyFile === '') return;
      await unlock({ provider: 'file' }).catch((error: unknown) => {
        if (!(error instanceof NectarError)) throw error;
        reason = `locked: ${error.message}`;
        log.warn({ code: error.code }, 'key file does not unlock the node');
      });
    },
    async stop() {
      await writing;
      keyring?.wipe();
      keyring = undefined;
      store = undefined;
      reason = 'stopped';
      metrics.unlocked.set(0);
    },
    readiness: () => (keyring === undefined ? { ready: false, reason } : { ready: true }),
    state: () => (keyring === undefined ? 'locked' : 'unlocked'),
    unlock,
    whenUnlocked(signal) {
      if (keyring !== undefined) return Promise.resolve();
      return waiting.wait(signal);
    },
    derive: (purpose) => open().keyring.derive(purpose),
    newDek(context) {
      const { store: current, keyring: ring } = open();
      const dek = randomBytes(KEY_BYTES);
      return { dek, wrapped: ring.wrap(current.current, dek, context) };
    },
    unwrapDek: (wrapped, context) => open().keyring.unwrap(wrapped, context),
    rewrapDek(wrapped, context) {
      const { store: current, keyring: ring } = open();
      const dek = ring.unwrap(wrapped, context);
      try {
        return ring.wrap(current.current, dek, context);
      } finally {
        dek.fill(0);
      }
    },
    list() {
      const { keks, current, providers } = started();
      const provider = [...new Set(providers.map((entry) => entry.provider))].join('+');
      return keks.map((kek) => ({ ...kek, current: kek.id === current, provider }));
    },
    rotate: () =>
      update(async ({ store: current, keyring: ring }) => {
        const to = `kek/${Math.max(...current.keks.map((kek) => Number(kek.id.slice('kek/'.length)))) + 1}`;
        ring.add(to);
        const keks = [...current.keks, { id: to, createdAt: deps.now().toISOString() }];
        await save({ ...current, current: to, keks }, ring.root);
        log.info({ from: current.current, to }, 'key-encryption key rotated');
        return { from: current.current, to };
      }),
    enroll: (enrolment) =>
      update(async ({ store: current, keyring: ring }) => {
        const entry = await enroll(ring.root, enrolment, home, deps);
        await save({ ...current, providers: [...current.providers, entry] }, ring.root);
      }),
    sealIdentity: (name, secret) => withIdentity(name, (at) => writeIdentity(at, secret, randomBytes)),
    openIdentity: (name) => withIdentity(name, readIdentity),
  };
}
