import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../../protocol/brand.ts';
import { encodeSignedMove, parseSignedMove } from '../../../protocol/dispute/message.ts';
import { type Move, moveHash, type SignedMove, type SigningDomain } from '../../../protocol/dispute/move.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { DurableFiles } from '../../durable-file.ts';

/** So many messages of an opponent are kept in one challenge; what comes after them is ignored, and its clock goes on. */
export const MAX_HEARD = 64;

/** A message of the opponent, with what this node answered. */
export interface Heard {
  readonly message: SignedMove;
  /** Undefined after round 12, which L1 answers. */
  readonly reply: SignedMove | undefined;
}

/** What is kept of one challenge. Losing it costs gas, not the game: L1 knows where the two stand. */
export interface Conversation {
  /** When the rival was first seen: milliseconds since 1970. */
  readonly since: number;
  readonly heardAt: number | undefined;
  readonly heard: readonly Heard[];
}

/** The conversations by challenge, each a file: on disk, synced, before anything that follows from it leaves. */
export interface HeardMoves {
  get(challenge: Hex): Promise<Conversation | undefined>;
  /** Notes when a rival was first seen, once. */
  begin(challenge: Hex, now: number): Promise<Conversation>;
  add(challenge: Hex, heard: Heard, now: number): Promise<void>;
  /** Removes conversations of other challenges than these that are long over; what an L1 reorg took may come again. */
  keepOnly(challenges: ReadonlySet<Hex>, now: number): Promise<void>;
}

const FILE = /^[0-9a-f]{64}\.json$/;
const FILE_MODE = 0o600;
/** Longer than any challenge lasts. */
const KEPT_MS = 60 * 86_400_000;

export interface HeardMovesDeps {
  readonly files: Pick<DurableFiles, 'replaceFile' | 'makeFolder' | 'sweepStaged'>;
  /** Called for a file that says nothing any more; it counts as absent. */
  readonly onDamaged: (challenge: string) => void;
}

export function createHeardMoves(folder: string, { files, onDamaged }: HeardMovesDeps): HeardMoves {
  /** Undefined: there is no file. */
  const known = new Map<Hex, Conversation | undefined>();
  const pathOf = (challenge: Hex): string => join(folder, `${challenge.slice(2)}.json`);
  let tail: Promise<unknown> = Promise.resolve();

  async function readConversation(challenge: Hex): Promise<Conversation | undefined> {
    const text = await readFile(pathOf(challenge), 'utf8').catch(absent);
    if (text === undefined) return undefined;
    try {
      return parseConversation(text);
    } catch {
      onDamaged(challenge);
      return undefined;
    }
  }

  async function get(challenge: Hex): Promise<Conversation | undefined> {
    if (!known.has(challenge)) known.set(challenge, await readConversation(challenge));
    return known.get(challenge);
  }

  async function put(challenge: Hex, conversation: Conversation): Promise<void> {
    await files.makeFolder(folder);
    await files.sweepStaged(folder);
    await files.replaceFile(pathOf(challenge), encodeConversation(conversation), FILE_MODE);
    known.set(challenge, conversation);
  }

  /** One change at a time: each is read, changed and written whole. */
  function exclusive<T>(change: () => Promise<T>): Promise<T> {
    const done = tail.then(change);
    tail = done.catch(() => undefined);
    return done;
  }

  async function beginNow(challenge: Hex, now: number): Promise<Conversation> {
    const before = await get(challenge);
    if (before !== undefined) return before;
    const conversation = { since: now, heardAt: undefined, heard: [] };
    await put(challenge, conversation);
    return conversation;
  }

  return {
    get,
    begin: (challenge, now) => exclusive(() => beginNow(challenge, now)),
    add: (challenge, heard, now) =>
      exclusive(async () => {
        const { since, heard: before } = await beginNow(challenge, now);
        await put(challenge, { since, heardAt: now, heard: [...before, heard] });
      }),
    keepOnly: (challenges, now) =>
      exclusive(async () => {
        const names = (await readdir(folder).catch(absent)) ?? [];
        for (const name of names.filter((file) => FILE.test(file))) {
          const challenge: Hex = `0x${name.slice(0, -'.json'.length)}`;
          if (challenges.has(challenge)) continue;
          const { mtimeMs } = await stat(join(folder, name));
          if (now - mtimeMs < KEPT_MS) continue;
          known.delete(challenge);
          await rm(join(folder, name), { force: true });
        }
      }),
  };
}

/** The message of the highest round; of several of one round the first that came. */
export function highestHeard(conversation: Conversation | undefined): SignedMove | undefined {
  return conversation?.heard.reduce<SignedMove | undefined>(
    (high, { message }) => (high === undefined || message.move.round > high.move.round ? message : high),
    undefined,
  );
}

/** The move of this node that a message says it answers. */
export function findOwnMove(
  domain: SigningDomain,
  conversation: Conversation | undefined,
  hash: Hex,
): Move | undefined {
  return conversation?.heard
    .map(({ reply }) => reply?.move)
    .find((move) => move !== undefined && moveHash(domain, move) === hash);
}

interface Stored {
  readonly since: number;
  readonly heardAt?: number;
  readonly heard: readonly { readonly message: Hex; readonly reply?: Hex }[];
}

function encodeConversation({ since, heardAt, heard }: Conversation): string {
  const stored: Stored = {
    since,
    ...(heardAt !== undefined && { heardAt }),
    heard: heard.map(({ message, reply }) => ({
      message: bytesToHex(encodeSignedMove(message)),
      ...(reply !== undefined && { reply: bytesToHex(encodeSignedMove(reply)) }),
    })),
  };
  return JSON.stringify(stored);
}

function parseConversation(text: string): Conversation {
  const { since, heardAt, heard } = JSON.parse(text) as Stored;
  if (!Number.isSafeInteger(since)) throw new RangeError('no time');
  return {
    since,
    heardAt,
    heard: heard.map(({ message, reply }) => ({
      message: parseSignedMove(hexToBytes(message)),
      reply: reply === undefined ? undefined : parseSignedMove(hexToBytes(reply)),
    })),
  };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
