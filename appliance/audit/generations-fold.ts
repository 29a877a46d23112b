import type { LoggedFacts } from './logged-facts.ts';
import { type FoldedNote, foldNote } from './logged-notes.ts';

/** The files of the home whose every change is a leaf with `{ file, generation }`. */
const TRACKED_FILES = ['tokens', 'keys'] as const;
type TrackedFile = (typeof TRACKED_FILES)[number];

/** How long a token that has ended is remembered: as long as the gateway lists it. */
const KEEP_ENDED_MS = 30 * 86_400_000;
/** More tokens than a node can have issued at a time; the oldest are forgotten, and count as unknown. */
const MAX_TOKENS = 4_096;

/** A token as the log knows it. */
export interface LoggedToken {
  readonly id: string;
  readonly subject: string;
  readonly name?: string;
  /** Separated by spaces. */
  readonly scope: string;
  /** Of one that stands in the path of a URL: the SHA-256 of it. */
  readonly pathHash?: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt?: string;
  /** The certificate that goes with it, in one word. */
  readonly certificate?: string;
}

export interface FoldedGenerations {
  readonly size: number;
  readonly files: { readonly index?: number } & Partial<Readonly<Record<TrackedFile, number>>>;
  readonly tokens: ReadonlyMap<string, LoggedToken>;
  readonly notes: ReadonlyMap<string, FoldedNote>;
  /** The newest leaf that says that bodies were erased; -1 for none. */
  readonly erased: number;
}

export const NO_GENERATIONS: FoldedGenerations = {
  size: 0,
  files: {},
  tokens: new Map(),
  notes: new Map(),
  erased: -1,
};

/** The fold after one more leaf. Generations are high-water marks: a later leaf that states an older one changes nothing. */
export function foldFacts(fold: FoldedGenerations, facts: LoggedFacts, now: number): FoldedGenerations {
  const size = fold.size + 1;
  const erased = facts.type === 'audit.erase' ? fold.size : fold.erased;
  const index = generationOf(facts.detail.indexGeneration);
  if (index !== undefined) return { ...fold, size, erased, files: raise(fold.files, 'index', index) };
  const notes = foldNote(fold.notes, facts, { index: fold.size, now });
  if (facts.outcome !== 'success') return { ...fold, size, erased, notes };
  const generation = generationOf(facts.detail.generation);
  const file = TRACKED_FILES.find((name) => name === facts.detail.file);
  const files = file === undefined || generation === undefined ? fold.files : raise(fold.files, file, generation);
  return { size, files, erased, notes, tokens: foldToken(fold.tokens, facts, now) };
}

function raise(
  files: FoldedGenerations['files'],
  file: 'index' | TrackedFile,
  generation: number,
): FoldedGenerations['files'] {
  return generation > (files[file] ?? -1) ? { ...files, [file]: generation } : files;
}

/** Numbers of an entry read back are text. */
function generationOf(value: string | number | undefined): number | undefined {
  const generation = typeof value === 'string' && /^[0-9]{1,16}$/.test(value) ? Number(value) : value;
  return typeof generation === 'number' && Number.isSafeInteger(generation) && generation >= 0 ? generation : undefined;
}

function foldToken(
  tokens: ReadonlyMap<string, LoggedToken>,
  { type, time, detail }: LoggedFacts,
  now: number,
): ReadonlyMap<string, LoggedToken> {
  const id = String(detail.token ?? '');
  if (id === '' || (type !== 'token.create' && type !== 'token.revoke')) return tokens;
  const known = tokens.get(id);
  const next = new Map(tokens);
  const at = String(detail.at ?? time ?? new Date(now).toISOString());
  if (type === 'token.revoke') {
    next.set(id, { ...(known ?? unknownToken(id, at)), revokedAt: known?.revokedAt ?? at });
  } else if (known === undefined) {
    const { subject = '', name, pathHash, scope = '', expiresAt = at, createdAt = at, certificate } = detail;
    next.set(id, {
      id,
      subject: String(subject),
      ...(name === undefined ? {} : { name: String(name) }),
      scope: String(scope),
      ...(pathHash === undefined ? {} : { pathHash: String(pathHash) }),
      createdAt: String(createdAt),
      expiresAt: String(expiresAt),
      ...(certificate === undefined ? {} : { certificate: String(certificate) }),
    });
  }
  return prune(next, now);
}

/** One that was made before tokens were logged in full: all that matters is that it is revoked. */
function unknownToken(id: string, at: string): LoggedToken {
  return { id, subject: '', scope: '', createdAt: at, expiresAt: at };
}

function prune(tokens: Map<string, LoggedToken>, now: number): Map<string, LoggedToken> {
  for (const [id, { scope, expiresAt }] of tokens) {
    const ended = scope !== '' && Date.parse(expiresAt) + KEEP_ENDED_MS < now;
    if (ended || tokens.size > MAX_TOKENS) tokens.delete(id);
  }
  return tokens;
}
