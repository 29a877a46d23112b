import { setTimeout as sleepFor } from 'node:timers/promises';
import { KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { faulty } from '../service.ts';
import { bodySecretAdoption } from './adopt-body-secret.ts';
import type { KeysConfig } from './config.ts';
import { compareKeyStore, createHeldIdentities, type IdentityFault, type KeyContradiction } from './held-files.ts';
import { macKey } from './hierarchy.ts';
import { type IdentityPlace, readIdentity, writeIdentity } from './identity-files.ts';
import type { Keys, KeysDeps, LookedAtFiles } from './interfaces.ts';
import type { Change, Open } from './key-changes.ts';
import { enrolment, firstGeneration, removal, replacement, retirement, rotation } from './key-changes.ts';
import { listKeks, listProviders, listPurposes } from './key-list.ts';
import { type ReadKeyStore, readKeyStore, writeKeyStore } from './key-store-file.ts';
import type { KeyStore } from './key-store-schema.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createKeysMetrics } from './metrics.ts';
import { isAttended, openAttended, openUnattended, type UnlockSecret } from './open-root-key.ts';
import type { ProviderHost } from './provider.ts';
import { getProvider } from './providers/registry.ts';
import { createKeyFileRetry } from './retry-key-file.ts';
import type { ReplacedRoot, RootWanted } from './root-replacement.ts';
import { indexSettlement, isUnsettled, requireSettled, rootReplacement, settlement } from './root-replacement.ts';
import { settleIdentities } from './settle-identities.ts';
import { attemptOf, createUnlockGate } from './unlock-gate.ts';
import { createWaitList } from './wait-list.ts';

/** The root key and what hangs below it, from HOME/keys.json. */
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
  let digest = '';
  let blocked: { readonly by: KeyContradiction; readonly reads: boolean } | undefined;
  let identityFault: IdentityFault | undefined;
  const identities = createHeldIdentities(home, (name) => withIdentity(name, readIdentity));
  let unopened: NectarError | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  function open(): Open {
    if (store === undefined || keyring === undefined) throw new NectarError('KEY_LOCKED', {});
    return { store, ring: keyring };
  }

  /** For whatever protects a record, and for changes of the list. */
  function usable(): Open {
    const opened = open();
    if (blocked !== undefined) throw blocked.by;
    return opened;
  }

  function readable(): Open {
    const opened = open();
    if (blocked?.reads === false) throw blocked.by;
    return opened;
  }

  function started(): { read: ReadKeyStore; store: KeyStore } {
    if (read === undefined || store === undefined) throw new NectarError('NODE_NOT_READY', { service: 'keys', reason });
    return { read, store };
  }

  /** Takes over the root key once keys.json is proven to be the one that it signed. */
  function accept(root: Uint8Array, by: string): void {
    // It may have been opened, or stopped, meanwhile.
    if (keyring !== undefined || read === undefined || store === undefined) return void root.fill(0);
    try {
      read.verify(macKey(crypto, root));
    } catch (error) {
      root.fill(0);
      throw error;
    }
    keyring = createKeyring(root, store, deps);
    metrics.unlocked.set(1);
    waiting.wake();
    log.info({ kek: store.current, by }, 'root key unlocked');
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
  function update<T>(change: (of: Open) => Change<T> | Promise<Change<T>>, opened: () => Open = usable): Promise<T> {
    const result = writing.then(async () => {
      const { store: from, ring } = opened();
      const { next, result: done, commit, root } = await change({ store: from, ring });
      const signing = macKey(crypto, root ?? ring.root);
      try {
        digest = await writeKeyStore(home, next, signing).finally(() => signing.fill(0));
      } catch (error) {
        root?.fill(0);
        throw error;
      }
      store = next;
      commit(ring);
      log.info({ generation: next.generation, kek: next.current }, 'key list changed');
      return done;
    });
    writing = result.catch(() => undefined);
    return result;
  }

  async function lookAgain(): Promise<LookedAtFiles | undefined> {
    const { store: current, ring } = open();
    identityFault = await identities.look();
    metrics.damagedIdentities.set(identityFault === undefined ? 0 : 1);
    // What was found at the start stays until somebody decides.
    if (blocked?.reads === false) return undefined;
    const signing = macKey(crypto, ring.root);
    const found = await compareKeyStore(home, { store: current, digest }, signing).finally(() => signing.fill(0));
    if (found?.code === blocked?.by.code) return undefined;
    blocked = found === undefined ? undefined : { by: found, reads: true };
    metrics.blocked.set(found === undefined ? 0 : 1);
    if (found === undefined) log.info({}, 'keys.json is current again');
    else log.error({ code: found.code }, 'keys.json was changed under the running node');
    return { list: found };
  }

  async function withIdentity<T>(name: string, use: (at: IdentityPlace) => Promise<T>): Promise<T> {
    const { ring } = open();
    const [key, former] = [ring.derive('identity'), ring.former('identity')];
    try {
      return await use({ home, name, key, former, crypto });
    } finally {
      for (const bytes of [key, former]) bytes?.fill(0);
    }
  }

  /** A passphrase that comes with it is an attempt like one to unlock: guesses wait. */
  async function replaceRoot(opened: Open, wanted: RootWanted): Promise<Change<ReplacedRoot>> {
    requireSettled(opened.store);
    const change = () => rootReplacement(opened, wanted, changeDeps);
    return wanted.secret === undefined ? change() : attemptOf(gate, change);
  }

  async function settle(opened: Open): Promise<Change<{ readonly generation: number }>> {
    await settleIdentities(home, opened.ring, { crypto, randomBytes });
    await identities.remember();
    return settlement(opened);
  }

  function setUnopened(error: NectarError): void {
    unopened = error;
    reason = `locked: ${error.message}`;
  }

  /** A list that is damaged opens by nothing: it ends the start. Whatever else fails may be mended while the node waits, locked. */
  async function openAtStart(): Promise<void> {
    const { store: current } = started();
    if (keyFile === '' && current.providers.every(isAttended)) return;
    await unlock({ provider: 'any' }).catch((error: unknown) => {
      if (!isNectarError(error) || error.code === 'KEY_STORE_INVALID') throw error;
      setUnopened(error);
      log.warn({ code: error.code }, 'no provider unlocks the node by itself');
    });
  }

  const retry = createKeyFileRetry({
    unopened: () => (keyring === undefined && store !== undefined ? unopened : undefined),
    async open() {
      const { root, by } = await openUnattended(started().store, 'file', host);
      accept(root, by);
    },
    failed: setUnopened,
  });

  return {
    name: 'keys',
    async start() {
      read = await readKeyStore(home);
      ({ store, digest } = read);
      await identities.remember();
      blocked = undefined;
      identityFault = undefined;
      unopened = undefined;
      reason = 'locked: unlock it with a passphrase';
      await openAtStart();
      retry.start();
    },
    async stop() {
      retry.stop();
      await writing;
      keyring?.wipe();
      keyring = undefined;
      store = undefined;
      read = undefined;
      reason = 'stopped';
      metrics.unlocked.set(0);
    },
    readiness() {
      const fault = blocked?.by ?? identityFault;
      if (keyring !== undefined) return fault === undefined ? { ready: true } : faulty(fault);
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
    pending: (purpose) => open().ring.pending(purpose),
    newDek(context) {
      const { store: current, ring } = usable();
      const dek = randomBytes(KEY_BYTES);
      return { dek, wrapped: ring.wrap(current.current, dek, context) };
    },
    unwrapDek: (wrapped, context) => readable().ring.unwrap(wrapped, context),
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
    purposes: () => listPurposes(started().store),
    rotate: () => update((opened) => rotation(opened, changeDeps)),
    retire: (olderThan) => update((opened) => retirement(opened, changeDeps, olderThan)),
    enroll: (wanted) => update((opened) => enrolment(opened, wanted, changeDeps)),
    change: (id, wanted) => update((opened) => replacement(opened, { ...wanted, id }, changeDeps)),
    remove: (id) => update((opened) => removal(opened, id, changeDeps)),
    replaceRoot: (wanted) => update((opened) => replaceRoot(opened, wanted)),
    isUnsettled: () => keyring !== undefined && blocked === undefined && isUnsettled(started().store),
    settleRoot: () => update(settle),
    settleIndex: () => update((opened) => indexSettlement(opened, changeDeps)),
    adoptBodySecret: (secret) => update((opened) => bodySecretAdoption(opened, secret, changeDeps)),
    generation: () => started().store.generation,
    async bringAlong() {
      const { generation } = started().store;
      return generation > 0 ? { generation } : update(firstGeneration);
    },
    block(by) {
      blocked = { by, reads: false };
      metrics.blocked.set(1);
      log.error({ code: by.code }, 'key list contradicts the audit log');
    },
    lookAtFiles() {
      const looked = writing.then(lookAgain);
      writing = looked.catch(() => undefined);
      return looked;
    },
    async resolve() {
      if (blocked === undefined) throw new NectarError('KEY_STORE_AGREES', {});
      const { data } = blocked.by;
      const stated = 'generation' in data ? Math.max(data.generation, data.stated) : undefined;
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
        if (!isNectarError(error, 'KEY_STORE_INVALID')) throw error;
        throw new NectarError('KEY_SHARES_WRONG', {}, { cause: error });
      }
    },
    async sealIdentity(name, secret) {
      await withIdentity(name, (at) => writeIdentity(at, secret, randomBytes));
      await identities.remember();
    },
    openIdentity: (name) => withIdentity(name, readIdentity),
  };
}
