import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { conditionError } from './condition.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { encodeEntry, type RekeyEntry, type VersionEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { AccessContext } from './needs.ts';
import { createPace, type Pace } from './pace.ts';
import { measure, versions } from './rekey-scan.ts';
import type { RekeyPlan, RekeyState } from './rekey-state.ts';
import { isOlder, rekeyVersion } from './rekey-version.ts';
import { rewrapAll } from './rewrap.ts';

/** Versions sealed at a time: small ones share fsyncs, large ones come one by one. */
const BATCH_VERSIONS = 16;
const BATCH_BYTES = 4 * 1024 * 1024;
/** How often uploads are looked at that began before the rekey. */
const UPLOADS_MS = 250;

/** Seals every version anew, in the background. What is still to be done follows from the versions themselves: a crash forgets nothing. */
export interface Rekeying {
  begin(plan: RekeyPlan, context: AccessContext): Promise<RekeyState>;
  pause(context: AccessContext): Promise<RekeyState>;
  state(): RekeyState | undefined;
  /** Goes on with what an earlier process left. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

interface Run {
  readonly abort: AbortController;
  readonly work: Promise<void>;
}

export function createRekeying(core: StoreCore, whole: { rewrapUploads(): Promise<unknown> }): Rekeying {
  let entry: RekeyEntry | undefined;
  let progress = { total: 0, done: 0, bytes: 0 };
  let failed = new Set<string>();
  let run: Run | undefined;
  const pace: Pace = createPace(() => entry?.load ?? 100);

  function must(): RekeyEntry {
    if (entry === undefined) throw new NectarError('STORE_REKEY_ABSENT', {});
    return entry;
  }

  async function keep(change: Partial<RekeyEntry>): Promise<void> {
    entry = { ...must(), ...change, failed: failed.size, total: progress.total };
    await core.db.commit([{ type: 'put', key: core.keys.rekey, value: encodeEntry(entry) }]);
  }

  /** The log is told before anything changes, and of every end. */
  async function tell(
    outcome: 'success' | 'failure',
    context: AccessContext,
    detail: Record<string, string | number>,
  ): Promise<void> {
    const { target } = must();
    await core.trail.append({ type: 'key.rekey', outcome, context, detail: { target, ...detail } });
  }

  function state(): RekeyState {
    const { v: _, actor: __, ...told } = must();
    return { ...told, ...progress, failed: failed.size };
  }

  function start(): void {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, core.signal]);
    const work = seal(signal).catch((error: unknown) => (signal.aborted ? undefined : stopAt(error)));
    run = { abort, work };
  }

  async function seal(signal: AbortSignal): Promise<void> {
    const early = new Set(core.uploading);
    failed = new Set();
    progress = await measure(core, must().target);
    tellMetrics();
    for (;;) {
      const tried = await sealOnce(signal);
      if (tried > 0) continue;
      // A put that began before has its data key from then.
      if (![...early].some((slot) => core.uploading.has(slot))) break;
      await sleep(UPLOADS_MS, undefined, { signal });
    }
    await finish();
  }

  /** Every version that is still to be sealed, once. Resolves with how many there were. */
  async function sealOnce(signal: AbortSignal): Promise<number> {
    const { target } = must();
    let tried = 0;
    let batch: VersionEntry[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      await sealBatch(batch, signal);
      tried += batch.length;
      [batch, bytes] = [[], 0];
    };
    for await (const version of versions(core, (key) => failed.add(Buffer.from(key).toString('hex')))) {
      signal.throwIfAborted();
      if (!isOlder(version, target) || failed.has(nameOf(version))) continue;
      batch.push(version);
      bytes += version.bytes;
      if (batch.length >= BATCH_VERSIONS || bytes >= BATCH_BYTES) await flush();
    }
    await flush();
    return tried;
  }

  async function sealBatch(batch: readonly VersionEntry[], signal: AbortSignal): Promise<void> {
    const { target, actor } = must();
    const context = { actor, requestId: `rekey/${target}` };
    const rest = (): Promise<void> => pace.rest(signal);
    const settled = await Promise.allSettled(
      batch.map((version) => rekeyVersion(core, { entry: version, target, context, signal, rest })),
    );
    for (const [at, result] of settled.entries()) {
      const version = batch[at];
      if (version === undefined) continue;
      if (result.status === 'fulfilled') count(version, result.value);
      else if (!isOfVersion(result.reason)) throw result.reason;
      else if (await isThere(core, version)) giveUp(version, result.reason);
      else count(version, false);
    }
    core.superseded.wake();
    tellMetrics();
    await rest();
  }

  function count(version: VersionEntry, sealed: boolean): void {
    progress.done += 1;
    if (!sealed) return;
    progress.bytes += version.bytes;
    core.metrics.rekeyedVersions.inc();
    core.metrics.rekeyedBytes.inc(version.bytes);
  }

  function giveUp(version: VersionEntry, { code }: NectarError): void {
    failed.add(nameOf(version));
    core.deps.log.warn(
      { recordId: version.recordId, version: version.version, code },
      'a version cannot be sealed anew',
    );
  }

  /** Nothing is wrapped by an older KEK any more: they end, the log before and after. */
  async function finish(): Promise<void> {
    const { target, actor } = must();
    const context = { actor, requestId: `rekey/${target}` };
    const { done, bytes } = progress;
    const endedAt = core.deps.now().toISOString();
    if (failed.size > 0) {
      await tell('failure', context, { phase: 'incomplete', versions: done, failed: failed.size });
      await keep({ state: 'incomplete', endedAt });
      core.deps.log.error({ failed: failed.size }, 'some versions could not be sealed anew: the older keys are kept');
      return tellMetrics();
    }
    // Versions of newer data keys that a rotation since has left under a KEK in between, and uploads that are not records yet.
    await rewrapAll(core, () => undefined);
    await whole.rewrapUploads();
    for (const kind of [KIND.version, KIND.rekey]) await core.db.compact(kindRange(kind));
    await tell('success', context, { phase: 'retiring', versions: done });
    const { destroyed, generation } = await core.deps.keys.retire(target);
    await tell('success', context, {
      ...{ phase: 'done', versions: done, bytes, destroyed: destroyed.join(' ') },
      ...{ file: 'keys', generation },
    });
    await keep({ state: 'done', endedAt });
    core.superseded.wake();
    core.deps.log.info({ versions: done, destroyed }, 'every version is sealed under new keys');
    tellMetrics();
  }

  async function stopAt(error: unknown): Promise<void> {
    const reason = isNectarError(error) ? error.code : 'NODE_INTERNAL';
    const { target, actor } = must();
    core.deps.log.error({ err: error }, 'sealing under new keys has stopped');
    const { done, total } = progress;
    entry = { ...must(), state: 'failed', reason };
    tellMetrics();
    const context = { actor, requestId: `rekey/${target}` };
    await tell('failure', context, { phase: 'failed', reason, versions: done, of: total }).catch(() => undefined);
    await keep({ state: 'failed', reason }).catch(() => undefined);
  }

  function tellMetrics(): void {
    const { rekeyRunning, rekeyRemaining, rekeyFailed } = core.metrics;
    rekeyRunning.set(entry?.state === 'running' ? 1 : 0);
    rekeyRemaining.set(entry === undefined || entry.state === 'done' ? 0 : Math.max(0, progress.total - progress.done));
    rekeyFailed.set(failed.size);
  }

  return {
    state: () => (entry === undefined ? undefined : state()),
    async begin({ target, load }, context) {
      const goesOn = entry !== undefined && entry.state !== 'done';
      if (target === undefined && !goesOn) throw new NectarError('STORE_REKEY_ABSENT', {});
      if (entry?.state === 'running' && target === undefined) {
        await keep({ load });
        pace.wake();
        return state();
      }
      await halt();
      const { actor } = context;
      const startedAt = core.deps.now().toISOString();
      const versions = core.db.stats().versions;
      const { reason: _, endedAt: __, ...before } = entry ?? {};
      const next: RekeyEntry =
        target === undefined
          ? { ...must(), ...before, state: 'running', load, actor }
          : { v: 1, target, state: 'running', startedAt, load, actor, total: versions, failed: 0 };
      const previous = entry;
      entry = next;
      if (target !== undefined) progress = { total: versions, done: 0, bytes: 0 };
      try {
        await tell('success', context, { phase: target === undefined ? 'resumed' : 'started', versions, load });
        await core.db.commit([{ type: 'put', key: core.keys.rekey, value: encodeEntry(next) }]);
      } catch (error) {
        entry = previous;
        throw error;
      }
      start();
      return state();
    },
    async pause(context) {
      if (must().state !== 'running') return state();
      await halt();
      const { done, total } = progress;
      if (must().state === 'running') {
        await keep({ state: 'paused' });
        await tell('success', context, { phase: 'paused', versions: done, of: total });
      }
      tellMetrics();
      return state();
    },
    async resume() {
      entry = await findEntry<RekeyEntry>(core, core.keys.rekey).catch(() => undefined);
      if (entry === undefined) return;
      if (entry.state === 'done') {
        progress = { total: entry.total, done: entry.total, bytes: 0 };
        return;
      }
      progress = await measure(core, entry.target);
      tellMetrics();
      if (entry.state !== 'running') return;
      const unsound = core.index.condition.state === 'fresh' ? undefined : conditionError(core.index.condition);
      if (unsound !== undefined) {
        entry = { ...entry, state: 'failed', reason: unsound.code };
        return;
      }
      await tell('success', systemContext(`rekey/${entry.target}`), { phase: 'resumed', load: entry.load });
      core.deps.log.info({ target: entry.target }, 'sealing under new keys resumes');
      start();
    },
    stop: halt,
  };

  async function halt(): Promise<void> {
    const stopping = run;
    run = undefined;
    stopping?.abort.abort(new NectarError('NODE_NOT_READY', { service: 'store', reason: 'stopping' }));
    await stopping?.work;
  }
}

function nameOf({ recordId, version }: VersionEntry): string {
  return `${recordId}/${version}`;
}

/** One that was destroyed while it was read is missing nothing. */
async function isThere(core: StoreCore, { recordId, version, root }: VersionEntry): Promise<boolean> {
  const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version)).catch(() => ({ root }));
  return entry?.root === root;
}

/** What is wrong with one version stops none of the others. */
function isOfVersion(error: unknown): error is NectarError {
  const codes = [
    'STORE_BLOB_CORRUPT',
    'STORE_BLOCK_MISSING',
    'STORE_INDEX_CORRUPT',
    'KEY_UNWRAP_INVALID',
    'KEY_KEK_UNKNOWN',
    'KEY_KEK_DESTROYED',
  ];
  return isNectarError(error) && codes.includes(error.code);
}
