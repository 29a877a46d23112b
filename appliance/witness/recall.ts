import type { PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { parseOrigin } from '../../protocol/merkle/epoch.ts';
import { parseNote } from '../../protocol/merkle/note.ts';
import { encodeWitnessRecall, parseWitnessAnswer } from '../../protocol/network/witness-exchange.ts';
import { logKey } from './cosigned-checkpoint.ts';
import type { WitnessMetrics } from './metrics.ts';
import type { WitnessDeps } from './needs.ts';
import { MAX_ANSWERED, type Recalled, type RecalledFile } from './recalled-file.ts';

/** A checkpoint does not say when it left; that it is of an earlier epoch says that it was before this one. */
const BEFORE_THE_EPOCH = 0;

/** What members were asked of the log before its newest declared epoch. */
export interface RecallState {
  readonly epoch: number;
  /** Members that told what they know, though it be nothing. */
  readonly answered: number;
  /** Connected members that did not, at the last look. */
  readonly silent: number;
  /** Size of the largest head that one of them knew; 0: none. */
  readonly newest: number;
}

export interface Recall {
  /** Asks the members that have not answered yet, each once. */
  ask(members: readonly PeerIdText[], signal: AbortSignal): Promise<void>;
  /** null: the log declares no epoch. */
  state(): RecallState | null;
}

/**
 * After a restore, or a declared loss, the members that cosigned the log know heads of it that it has forgotten. What they tell is signed
 * by the log itself; the log holds it, or completes the gap of the epoch with it. Each answer counts once: whoever signs with the keys
 * of an earlier epoch later makes no gap larger by way of a member that has spoken.
 */
export function createRecall(
  file: RecalledFile,
  deps: Pick<WitnessDeps, 'audit' | 'ask' | 'log'> & { readonly metrics: Pick<WitnessMetrics, 'recalled'> },
): Recall {
  const { log, metrics } = deps;
  let state: RecallState | null = null;
  let kept: Recalled | undefined;
  let isSaid = false;

  const load = async (origin: string): Promise<Recalled> => {
    // One that this node did not make has the members asked again, as one that is missing has.
    const found = kept ?? (await file.read());
    return found?.origin === origin ? found : { origin, answered: [], newest: 0 };
  };
  const askOne = async (peerId: PeerIdText, now: Recalled, signal: AbortSignal): Promise<Recalled | undefined> => {
    try {
      const newest = await askMember(peerId, now.origin, { ...deps, signal });
      return { ...now, answered: [...now.answered, peerId], newest: Math.max(now.newest, newest) };
    } catch (error) {
      signal.throwIfAborted();
      log.debug({ peerId, err: error }, 'a member did not tell what it knows of the log');
      return undefined;
    }
  };

  return {
    state: () => state,
    async ask(members, signal) {
      const { size } = await deps.audit.treeHead();
      const { origin } = (await deps.audit.consistency(size)).checkpoint;
      const { number: epoch } = parseOrigin(origin);
      if (epoch < 2) return;
      kept = await load(origin);
      let silent = 0;
      for (const peerId of members) {
        if (kept.answered.includes(peerId) || kept.answered.length >= MAX_ANSWERED) continue;
        const next = await askOne(peerId, kept, signal);
        if (next === undefined) silent += 1;
        else {
          await file.write(next);
          kept = next;
        }
      }
      const answered = kept.answered.length;
      state = { epoch, answered, silent, newest: kept.newest };
      metrics.recalled.set({ outcome: 'answered' }, answered);
      metrics.recalled.set({ outcome: 'silent' }, silent);
      if (answered > 0 || isSaid) return;
      isSaid = true;
      log.warn({ epoch, silent }, 'no member has told what it knows of the log before its new epoch');
    },
  };
}

/** The size of the largest head that it told, each held against the log; throws when it did not answer, or told what is not of this log. */
async function askMember(
  peerId: PeerIdText,
  origin: string,
  { audit, ask, log, signal }: Pick<WitnessDeps, 'audit' | 'ask' | 'log'> & { readonly signal: AbortSignal },
): Promise<number> {
  const answer = parseWitnessAnswer(await ask(peerId, encodeWitnessRecall(), signal));
  if (answer.type !== 'known')
    throw new NectarError('NETWORK_MESSAGE_INVALID', {
      message: 'witness answer',
      problem: answer.type === 'refused' ? answer.reason : 'it is of another kind',
    });
  const { base } = parseOrigin(origin);
  const heads = answer.notes.flatMap((note) => {
    const [name = ''] = parseNote(note).text.split('\n');
    // Those of this epoch are told when the next checkpoint is cosigned.
    if (name === origin || parseOrigin(name).base !== base) return [];
    return [{ note, size: verifyCheckpoint(note, logKey(name, audit.publicKey)).size }];
  });
  const largest = heads.toSorted((a, b) => b.size - a.size);
  for (const { note, size } of largest) {
    await audit.witnessed?.({ note, where: `witness ${peerId}`, at: BEFORE_THE_EPOCH }).catch((error: unknown) => {
      if (!(error instanceof NectarError) || !/^AUDIT_(FORKED|TRUNCATED)$/.test(error.code)) throw error;
      log.error({ peerId, size }, 'a member has a checkpoint of this log that the log contradicts');
    });
  }
  return largest[0]?.size ?? 0;
}
