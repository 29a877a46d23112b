import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moveHash, type SignedMove } from '../../../protocol/dispute/move.ts';
import { otherSide } from '../../../protocol/dispute/rounds.ts';
import type { DurableFiles } from '../../durable-file.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Evidence } from './challenges.ts';
import type { Conversation } from './heard-moves.ts';
import type { Rivalry } from './rivalry.ts';
import type { EndedStake } from './stake-outcomes.ts';

/** What the audit log is told of a challenge. */
export interface ChallengeEvent {
  readonly type: 'challenge.alarm' | 'challenge.message' | 'challenge.entry' | 'challenge.end';
  readonly outcome: 'success' | 'failure';
  readonly detail: Readonly<Record<string, string | number>>;
}

/** Appends to the audit log. */
export type RecordChallenge = (
  event: ChallengeEvent & {
    readonly context: { readonly actor: { readonly subject: string }; readonly requestId: string };
  },
) => Promise<unknown>;

/** An event, and the name by which it is on record once. */
interface Noted {
  /** The file that remembers it: a challenge's, or that of the ends. */
  readonly about: string;
  readonly key: string;
  readonly event: ChallengeEvent;
}

/**
 * Puts challenges on record. A log that takes nothing holds up no challenge, whose clock goes on: what it has not taken is tried again
 * at the next look. An event is on record twice when the node dies between the log and its own note of it.
 */
export interface ChallengeEvidence extends Evidence {
  /** What both have said, as it is on disk: so a message that was stored before a kill is on record after it. */
  conversation(rivalry: Rivalry, conversation: Conversation | undefined): void;
  /** A move of this node that answers nothing. */
  said(rivalry: Rivalry, message: SignedMove): void;
  ended(ends: readonly EndedStake[]): void;
  /** Resolves when the log has taken what was noted, or has refused it. Never rejects. */
  flush(): Promise<void>;
}

export interface ChallengeEvidenceDeps {
  /** Undefined: this node keeps no log. */
  readonly record: RecordChallenge | undefined;
  readonly files: Pick<DurableFiles, 'replaceFile' | 'makeFolder' | 'sweepStaged'>;
  readonly log: Logger;
}

const FILE_MODE = 0o600;
const ENDS = 'ends';

export function createChallengeEvidence(
  folder: string,
  { record, files, log }: ChallengeEvidenceDeps,
): ChallengeEvidence {
  /** The names of what is on record, by file. */
  const known = new Map<string, Set<string>>();
  const waiting = new Map<string, Noted>();
  let running: Promise<void> | undefined;
  let failing = false;

  async function namesOf(about: string): Promise<Set<string>> {
    const before = known.get(about) ?? new Set(await readNames(join(folder, `${about}.json`)));
    known.set(about, before);
    return before;
  }

  async function put({ about, key, event }: Noted, append: RecordChallenge): Promise<void> {
    const names = await namesOf(about);
    if (names.has(key)) return;
    const context = { actor: { subject: 'system:rollup' }, requestId: `${event.type}/${key}` };
    await append({ ...event, context });
    names.add(key);
    await files.makeFolder(folder);
    await files.sweepStaged(folder);
    await files.replaceFile(join(folder, `${about}.json`), JSON.stringify([...names]), FILE_MODE);
  }

  async function flushNow(append: RecordChallenge): Promise<void> {
    try {
      for (const [name, noted] of waiting) {
        await put(noted, append);
        waiting.delete(name);
      }
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'an event of a challenge is not in the audit log yet');
      failing = true;
    }
  }

  function note(noted: Noted): void {
    if (record === undefined || known.get(noted.about)?.has(noted.key) === true) return;
    waiting.set(`${noted.about}/${noted.key}`, noted);
  }

  function message(rivalry: Rivalry, { move, signature }: SignedMove, direction: 'received' | 'signed'): void {
    const { id, domain } = rivalry.subject;
    const digest = moveHash(domain, move);
    const signer = rivalry.parties[direction === 'signed' ? rivalry.side : otherSide(rivalry.side)].signer;
    const detail = { challenge: id, direction, round: move.round, digest, signature, signer };
    note({ about: id.slice(2), key: `${direction}/${digest}`, event: eventOf('challenge.message', detail) });
  }

  return {
    alarm({ id, side, round, next, leftS, opponent }) {
      const detail = { challenge: id, side, round, secondsLeft: Number(leftS ?? 0n), opponent };
      const event = { ...eventOf('challenge.alarm', detail), outcome: 'failure' as const };
      note({ about: id.slice(2), key: `alarm/${round}/${next}`, event });
    },
    conversation(rivalry, conversation) {
      for (const { message: heard, reply } of conversation?.heard ?? []) {
        message(rivalry, heard, 'received');
        if (reply !== undefined) message(rivalry, reply, 'signed');
      }
    },
    said: (rivalry, said) => message(rivalry, said, 'signed'),
    entry(entry, nonce) {
      const { id } = entry.rivalry.subject;
      const round = 'move' in entry ? { round: entry.move.round } : {};
      const detail = { challenge: id, entry: entry.kind, ...round, nonce: Number(nonce) };
      note({ about: id.slice(2), key: `entry/${entry.kind}/${nonce}`, event: eventOf('challenge.entry', detail) });
    },
    ended(ends) {
      for (const { result, loser, winner, transaction, block } of ends) {
        const detail = { result, loser: String(loser), winner: String(winner), transaction, block: String(block) };
        const outcome = result === 'won' ? 'success' : 'failure';
        note({
          about: ENDS,
          key: `${transaction}/${loser}`,
          event: { ...eventOf('challenge.end', detail), outcome },
        });
      }
    },
    async flush() {
      if (record === undefined || waiting.size === 0) return running;
      running ??= flushNow(record).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function eventOf(type: ChallengeEvent['type'], detail: ChallengeEvent['detail']): ChallengeEvent {
  return { type, outcome: 'success', detail };
}

/** A file that is unreadable counts as absent: then some events are on record twice. */
async function readNames(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '[]';
  });
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
