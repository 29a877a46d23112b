import { setTimeout as sleepFor } from 'node:timers/promises';
import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { KeysConfig } from './config.ts';
import { readKeyFile } from './file-provider.ts';
import { type KeyPurpose, macKey } from './hierarchy.ts';
import { readIdentity, writeIdentity } from './identity-files.ts';
import {
  type FileEntry,
  type KeyStoreFile,
  type PassphraseEntry,
  readKeyStore,
  verifyKeyStore,
  writeKeyStore,
} from './key-store-file.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createKeysMetrics } from './metrics.ts';
import { type Enrolment, enroll, openByFile, openByPassphrase } from './root-key.ts';
import { createUnlockGate } from './unlock-gate.ts';

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
  const waiters = new Set<() => void>();
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
    verifyKeyStore(home, current, macKey(crypto, root));
    keyring = createKeyring(
      root,
      current.keks.map((kek) => kek.id),
      deps,
    );
    metrics.unlocked.set(1);
    for (const wake of waiters) wake();
    waiters.clear();
    log.info({ kek: current.current }, 'root key unlocked');
  }

  async function byFile(): Promise<void> {
    const entries = started().providers.filter((entry): entry is FileEntry => entry.provider === 'file');
    if (entries.length === 0 || options.keyFile === '')
      throw new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: 'key file' });
    const secret = await readKeyFile(options.keyFile, home);
    for (const entry of entries) {
      const root = openByFile(entry, secret.slice(), crypto);
      if (root === undefined) continue;
      secret.fill(0);
      accept(root);
      return;
    }
    throw new NectarError('KEY_FILE_WRONG', { path: options.keyFile });
  }

  async function byPassphrase(passphrase: Uint8Array): Promise<void> {
    const entry = started().providers.find(
      (candidate): candidate is PassphraseEntry => candidate.provider === 'passphrase',
    );
    if (entry === undefined) throw new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: 'passphrase' });
    const right = await gate.run(async () => {
      const root = await openByPassphrase(entry, passphrase, crypto);
      if (root !== undefined) accept(root);
      return root !== undefined;
    });
    if (!right) throw new NectarError('KEY_PASSPHRASE_WRONG', {});
  }

  async function unlock(secret: UnlockSecret): Promise<void> {
    const { provider } = secret;
    try {
      await (secret.provider === 'file' ? byFile() : byPassphrase(secret.passphrase));
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

  const identity = (name: string) => ({ home, name, key: open().keyring.derive('identity'), crypto });

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
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          waiters.delete(wake);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        waiters.add(wake);
      });
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
    sealIdentity: async (name, secret) => writeIdentity(identity(name), secret, randomBytes),
    openIdentity: async (name) => readIdentity(identity(name)),
  };
}
