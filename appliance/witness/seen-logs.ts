import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerIdText } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { parseVerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { replaceFile } from '../durable-file.ts';

/** The newest checkpoint of somebody's log that we have cosigned. */
export interface SeenHead {
  readonly v: 1;
  readonly origin: string;
  /** The key that the log had when we saw it first: another one is another log. */
  readonly vkey: string;
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  /** The checkpoint with the log's own signature. */
  readonly note: string;
}

/** Why a checkpoint was kept as evidence. `split`: two heads of one size, both signed. `unproven`: signed, and not shown to continue. */
export type ForkKind = 'split' | 'unproven' | 'key';

export interface ForkEvidence {
  readonly v: 1;
  readonly kind: ForkKind;
  readonly peerId: PeerIdText;
  readonly at: string;
  readonly seen: SeenHead;
  readonly presented: { readonly vkey: string; readonly note: string; readonly proof: readonly string[] };
}

/** A member has one log, and a successor of it after each restore. */
const MAX_LOGS_PER_PEER = 16;
/** Evidence of one kind that is kept of one member. */
const MAX_FORKS_PER_PEER = 16;
const MAX_FILE_BYTES = 64 * 1024;
/** Heads that this run remembers beside the files: more than a network has logs. */
const MAX_REMEMBERED = 4_096;

/**
 * What the witness remembers, in files: durable before anything is said. A head is what its note says, which its log has signed; and what
 * this run has kept is newer than a file that somebody put back, changed or removed meanwhile.
 */
export interface SeenLogs {
  /** Throws WITNESS_STATE_INVALID: what cannot be read is not taken for nothing. */
  find(peerId: PeerIdText, origin: string): Promise<SeenHead | undefined>;
  /** Of all logs of the member, the largest first. */
  all(peerId: PeerIdText): Promise<readonly SeenHead[]>;
  /** Resolves once durable. False when the member has too many logs. */
  keep(peerId: PeerIdText, head: SeenHead): Promise<boolean>;
  keepFork(evidence: ForkEvidence): Promise<void>;
  /** Members of whom there is evidence of a split log. */
  splits(): Promise<readonly PeerIdText[]>;
}

export function createSeenLogs(folder: string): SeenLogs {
  const logsOf = (peerId: PeerIdText): string => join(folder, 'logs', peerId);
  const forksOf = (peerId: PeerIdText): string => join(folder, 'forks', peerId);
  const pathOf = (peerId: PeerIdText, origin: string): string =>
    join(logsOf(peerId), `${createHash('sha256').update(origin).digest('hex').slice(0, 32)}.json`);
  const remembered = new Map<string, SeenHead>();
  const remember = (path: string, head: SeenHead): void => {
    remembered.delete(path);
    remembered.set(path, head);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };

  return {
    async find(peerId, origin) {
      const path = pathOf(peerId, origin);
      const mine = remembered.get(path);
      try {
        const kept = await readHead(path);
        if (kept !== undefined && kept.origin !== origin) throw invalid(path, 'it is of another log');
        return kept === undefined || kept.size < (mine?.size ?? 0) ? mine : kept;
      } catch (error) {
        if (mine === undefined || !isNectarError(error, 'WITNESS_STATE_INVALID')) throw error;
        return mine;
      }
    },
    async all(peerId) {
      const names = (await namesIn(logsOf(peerId))).slice(0, MAX_LOGS_PER_PEER);
      const heads = await Promise.all(names.map((name) => readHead(join(logsOf(peerId), name))));
      return heads.filter((head) => head !== undefined).toSorted((a, b) => b.size - a.size);
    },
    async keep(peerId, head) {
      const path = pathOf(peerId, head.origin);
      await mkdir(logsOf(peerId), { recursive: true, mode: 0o700 });
      const known = await namesIn(logsOf(peerId));
      if (known.length >= MAX_LOGS_PER_PEER && !known.some((name) => path.endsWith(name))) return false;
      await replaceFile(path, `${JSON.stringify(head)}\n`, 0o600);
      remember(path, head);
      return true;
    },
    async keepFork(evidence) {
      const forks = forksOf(evidence.peerId);
      await mkdir(forks, { recursive: true, mode: 0o700 });
      const text = `${JSON.stringify(evidence)}\n`;
      const about = JSON.stringify([evidence.kind, evidence.presented.note]);
      const name = `${evidence.kind}-${createHash('sha256').update(about).digest('hex').slice(0, 16)}.json`;
      const known = await namesIn(forks);
      // By kind: who presents much that proves nothing does not keep out what does.
      const alike = known.filter((each) => each.startsWith(`${evidence.kind}-`));
      if (alike.includes(name) || alike.length >= MAX_FORKS_PER_PEER) return;
      await replaceFile(join(forks, name), text, 0o600);
    },
    async splits() {
      const peers = await namesIn(join(folder, 'forks'));
      const kinds = await Promise.all(peers.map((peer) => namesIn(join(folder, 'forks', peer))));
      const isSplit = (_: string, i: number): boolean => kinds[i]?.some((name) => name.startsWith('split-')) === true;
      return peers.filter(isSplit) as PeerIdText[];
    },
  };
}

/** Throws WITNESS_STATE_INVALID for one that is not what its log has signed: it would accuse an honest member, or excuse another. */
async function readHead(path: string): Promise<SeenHead | undefined> {
  const head = await readJson<Partial<SeenHead>>(path);
  if (head === undefined) return undefined;
  const { v, origin, vkey, size, root, note } = head ?? {};
  if (v !== 1 || origin === undefined || vkey === undefined || note === undefined || size === undefined)
    throw invalid(path, 'it is of another version');
  try {
    const signed = verifyCheckpoint(note, parseVerifierKey(vkey));
    if (signed.origin === origin && signed.size === size && Buffer.from(signed.root).toString('hex') === root)
      return { v, origin, vkey, size, root, note };
  } catch (error) {
    throw new NectarError('WITNESS_STATE_INVALID', { path, reason: 'its log has not signed it' }, { cause: error });
  }
  throw invalid(path, 'it says another thing than the note that its log has signed');
}

function invalid(path: string, reason: string): NectarError {
  return new NectarError('WITNESS_STATE_INVALID', { path, reason });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Throws WITNESS_STATE_INVALID. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new NectarError('WITNESS_STATE_INVALID', { path, reason: code }, { cause: error });
  }
  try {
    if (text.length > MAX_FILE_BYTES) throw new Error('too long');
    return JSON.parse(text) as T;
  } catch (error) {
    throw new NectarError('WITNESS_STATE_INVALID', { path, reason: 'it is not what was written' }, { cause: error });
  }
}
