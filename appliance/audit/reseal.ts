import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import type { Logger } from '../telemetry/index.ts';
import type { AuditInput } from './audit-input.ts';
import { bodyBundlePath, encodeGroup, type StoredEntry } from './body-bundle.ts';
import { type BodySealer, placeOf } from './body-seal.ts';
import type { Disk } from './disk.ts';
import type { Log } from './log.ts';

/** Seals the bodies of before a new root key by the newest key, behind a start; what erases bodies takes its turn with it. */
export interface Resealing {
  /** Begins, where the secret of bodies has more than one key. */
  start(log: OpenedLog, signal: AbortSignal): void;
  /** Work that writes bundles anew too: never beside this, or either would undo the other's. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

interface OpenedLog {
  readonly leaves: Pick<Log, 'size' | 'readBundle'>;
  readonly sealer: BodySealer;
  /** Whether there is an earlier key that bodies may be sealed by. */
  readonly hasFormer: boolean;
}

export interface ResealingDeps {
  readonly disk: Pick<Disk, 'replace'>;
  readonly append: (event: AuditInput) => Promise<unknown>;
  readonly log: Logger;
}

export function createResealing({ disk, append, log }: ResealingDeps): Resealing {
  const abort = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  let all: Promise<void> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  /** One bundle a turn: erasing, reading and appending go on in between. A kill leaves a mixture, which opens as well. */
  async function reseal({ leaves, sealer }: OpenedLog, signal: AbortSignal): Promise<number> {
    let bodies = 0;
    for (let bundle = 0; (bundle + 1) * TILE_WIDTH <= leaves.size(); bundle += 1) {
      signal.throwIfAborted();
      bodies += await inTurn(() => resealBundle(bundle, { disk, leaves, sealer }));
    }
    return bodies;
  }

  async function run(opened: OpenedLog, signal: AbortSignal): Promise<void> {
    try {
      const bodies = await reseal(opened, signal);
      if (bodies === 0) return;
      const context = { actor: { subject: 'node' }, requestId: 'bodies' };
      await append({ type: 'key.root', outcome: 'success', context, detail: { phase: 'bodies', bodies } });
      log.info({ bodies }, 'bodies are sealed by the key of the newest root key');
    } catch (error) {
      const code = error instanceof NectarError ? error.code : 'unknown';
      if (!signal.aborted) log.warn({ code }, 'some bodies stay under the key that they have until the next start');
    }
  }

  return {
    inTurn,
    start(opened, signal) {
      if (opened.hasFormer) all = run(opened, AbortSignal.any([signal, abort.signal]));
    },
    async stop() {
      abort.abort();
      await all;
      await turn;
    },
  };
}

/**
 * Seals the bodies of a full bundle by the newest key, in place; resolves with how many. Keys change at a start, so a bundle whose first
 * body is by the newest key is done. A body that opens by no key stays what it is: it is evidence of what happened to it.
 */
async function resealBundle(
  bundle: number,
  { disk, leaves, sealer }: Pick<ResealingDeps, 'disk'> & Pick<OpenedLog, 'leaves' | 'sealer'>,
): Promise<number> {
  const first = bundle * TILE_WIDTH;
  const entries = await leaves.readBundle(bundle);
  let resealed = 0;
  const written: StoredEntry[] = [];
  for (const [i, { leaf, sealed }] of entries.entries()) {
    const place = placeOf(first + i, leaf);
    if (sealed !== undefined && resealed === 0 && sealer.isNewest(place, sealed)) return 0;
    const anew = sealed === undefined ? undefined : sealedAnew(sealer, place, sealed);
    if (anew !== undefined) resealed += 1;
    written.push({ leaf, sealed: anew ?? sealed });
  }
  if (resealed > 0) await disk.replace([{ path: bodyBundlePath(bundle), bytes: encodeGroup(first, written) }]);
  return resealed;
}

function sealedAnew(sealer: BodySealer, place: ReturnType<typeof placeOf>, sealed: Uint8Array): Uint8Array | undefined {
  try {
    return sealer.seal(place, sealer.open(place, sealed));
  } catch (error) {
    if (isNectarError(error, 'AUDIT_BODY_INVALID')) return undefined;
    throw error;
  }
}
