import { NectarError } from '../../protocol/errors.ts';
import type { Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Keys } from './interfaces.ts';

export interface KeyFreshness extends Service {
  /** Holds the files on the disk against those that the process works with, and puts on record what changed. */
  look(): Promise<void>;
  /** Puts on record, before and behind, that the index is sealed by the key that was made for it. */
  settleIndex(): Promise<void>;
}

/** How the key list is named in leaves that state a generation. */
const KEYS_FILE = 'keys';

/** What the audit log knows of the key list, and takes of it. */
export interface KeyEvidence {
  /** The newest generation of each file that a leaf states; a file that no leaf speaks of is absent. */
  latest(): Promise<{ readonly [KEYS_FILE]?: number }> | { readonly [KEYS_FILE]?: number };
  append(event: {
    readonly type: 'key.store' | 'key.root';
    readonly outcome: 'success' | 'failure';
    readonly context: { readonly actor: { readonly subject: string }; readonly requestId: string };
    readonly detail: Record<string, string | number>;
  }): Promise<{ readonly index: number }>;
}

export interface FreshnessDeps {
  readonly keys: Pick<
    Keys,
    'generation' | 'bringAlong' | 'block' | 'lookAtFiles' | 'isUnsettled' | 'settleRoot' | 'settleIndex'
  >;
  readonly evidence: KeyEvidence;
  readonly log: Logger;
}

/** How often the files are looked at while the node runs: a few KiB each time. */
const LOOK_EVERY_MS = 5_000;

/** At most one change can be durable without its leaf: the process ended between the two. */
const UNRECORDED = 1;

/**
 * Holds keys.json against the newest generation that the audit log states, once both are open: an older copy authenticates as well as
 * the newest, and would bring back retired KEKs and removed providers. Starts after the log and before the store, so that nothing
 * is wrapped or opened unchecked. What contradicts the log blocks the keys, and stays so until somebody decides: the node is up, and
 * says what is wrong. Goes on looking while the node runs (`look`): a file that is changed under it is found then, not at the next start.
 */
export function createKeyFreshness({ keys, evidence, log }: FreshnessDeps): KeyFreshness {
  let started = false;
  let timer: NodeJS.Timeout | undefined;
  /** The list that was stated before its identities were sealed anew: once, however often that is tried. */
  let settling: number | undefined;
  let looking: Promise<void> = Promise.resolve();

  const append = (
    type: 'key.store' | 'key.root',
    outcome: 'success' | 'failure',
    detail: { readonly generation: number; readonly [fact: string]: string | number },
  ): Promise<unknown> =>
    evidence.append({
      type,
      outcome,
      context: { actor: { subject: 'system:keys' }, requestId: `${type}/${detail.generation}` },
      detail: { file: KEYS_FILE, ...detail },
    });
  const record = (generation: number, why: string, outcome: 'success' | 'failure' = 'success'): Promise<unknown> =>
    append('key.store', outcome, { generation, why });

  /**
   * What follows a root key that was replaced, whoever asked for it and whatever ended before: the identities are sealed anew, a leaf
   * before and a leaf behind. The one before states the list that is there, so that the log is never two generations behind it.
   */
  async function settle(): Promise<void> {
    if (!keys.isUnsettled()) return;
    const generation = keys.generation();
    if (settling !== generation) await append('key.root', 'success', { generation, phase: 'identities' });
    settling = generation;
    const settled = await keys.settleRoot();
    await append('key.root', 'success', { ...settled, phase: 'done' });
    log.info(settled, 'the identities are sealed by a key of the new root key');
  }

  async function look(): Promise<void> {
    await settle().catch((error: unknown) => log.warn({ err: error }, 'identities are not sealed anew yet'));
    const looked = await keys.lookAtFiles();
    if (looked === undefined) return;
    const { list } = looked;
    await record(keys.generation(), list?.code ?? 'back', list === undefined ? 'success' : 'failure');
  }

  async function compare(): Promise<void> {
    const { [KEYS_FILE]: stated } = await evidence.latest();
    if (stated === undefined) {
      const { generation } = await keys.bringAlong();
      await record(generation, 'first');
      return;
    }
    const generation = keys.generation();
    if (generation === stated) return;
    if (generation === stated + UNRECORDED) {
      log.warn({ generation, stated }, 'a change of the key list was not on record: the node ended before it');
      await record(generation, 'found');
      return;
    }
    const code = generation < stated ? 'KEY_STORE_BEHIND' : 'KEY_STORE_AHEAD';
    keys.block(new NectarError(code, { generation, stated }));
  }

  return {
    name: 'key list',
    async start() {
      await compare();
      // The state is kept by the keys; a log that takes no leaf now says so itself.
      const again = (): void => {
        looking = look().catch((error: unknown) => log.debug({ err: error }, 'the key files were not checked'));
      };
      timer = setInterval(again, LOOK_EVERY_MS).unref();
      // What was damaged while the node was down is said from the start on.
      again();
      await looking;
      started = true;
    },
    async stop() {
      clearInterval(timer);
      await looking;
      started = false;
    },
    look,
    async settleIndex() {
      // As with the identities: the log is never two generations behind the list.
      await append('key.root', 'success', { generation: keys.generation(), phase: 'index' });
      const settled = await keys.settleIndex();
      await append('key.root', 'success', { ...settled, phase: 'index done' });
    },
    readiness: () => (started ? { ready: true } : { ready: false, reason: 'not compared with the log yet' }),
  };
}
