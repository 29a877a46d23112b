import { type FileRule, isOdd, ruleOf } from './file-rules.ts';
import type { Needle } from './needles.ts';
import { unseen } from './observe.ts';
import type { Place, PlaceEntry } from './place.ts';
import { createScanner } from './scan-bytes.ts';

/** A running node changes files while an engine packs them; what it then sends is cut off. */
const ATTEMPTS = 3;
const MAX_ODD_FILES = 64;
/** Of a file that tells by its content how it is protected. */
const MAX_KEPT_BYTES = 64 * 1024;
const KEPT = ['key-store', 'identity'];

export interface FileSeen {
  readonly place: Place;
  readonly rule: FileRule;
  readonly entry: PlaceEntry;
  /** The beginning of it, of sealed files alone. */
  readonly content: Buffer | undefined;
}

export interface SignSeen {
  readonly sign: string;
  /** Below the place. */
  readonly path: string;
}

export interface PlaceSurvey {
  readonly place: Place;
  /** Why it could not be read to its end; what was seen before still stands. */
  readonly error: string | undefined;
  readonly files: readonly FileSeen[];
  readonly signs: readonly SignSeen[];
  readonly scannedBytes: number;
}

/** Reads every byte of a place once: what its files are like, and what is in them that should not be. */
export async function surveyPlace(place: Place, needles: readonly Needle[], signal: AbortSignal): Promise<PlaceSurvey> {
  let survey = await readPlace(place, needles, signal);
  for (let attempt = 1; attempt < ATTEMPTS && survey.error !== undefined; attempt += 1) {
    survey = await readPlace(place, needles, signal);
  }
  return survey;
}

async function readPlace(place: Place, needles: readonly Needle[], signal: AbortSignal): Promise<PlaceSurvey> {
  const files: FileSeen[] = [];
  const signs: SignSeen[] = [];
  let scannedBytes = 0;
  let odd = 0;
  let error: string | undefined;
  try {
    for await (const entry of place.entries(signal)) {
      const rule = ruleOf(place.name, entry.path);
      const { content, found, bytes } = await readContent(entry, { needles, keep: KEPT.includes(rule.purpose) });
      scannedBytes += bytes;
      signs.push(...[...found].map((sign) => ({ sign, path: entry.path })));
      const isCounted = !rule.listed && isOdd(entry, rule, place.owners) && odd < MAX_ODD_FILES;
      if (isCounted) odd += 1;
      if (rule.listed || isCounted) files.push({ place, rule, entry, content });
    }
  } catch (cause) {
    signal.throwIfAborted();
    error = `${place.name}: ${unseen(cause).error}`;
  }
  return { place, error, files, signs, scannedBytes };
}

async function readContent(
  entry: PlaceEntry,
  { needles, keep }: { readonly needles: readonly Needle[]; readonly keep: boolean },
): Promise<{ content: Buffer | undefined; found: ReadonlySet<string>; bytes: number }> {
  const scanner = createScanner(needles);
  const kept: Uint8Array[] = [];
  for await (const chunk of entry.content()) {
    scanner.push(chunk);
    if (keep && scanner.bytes <= MAX_KEPT_BYTES) kept.push(Buffer.from(chunk));
  }
  const content = keep && entry.type === 'file' ? Buffer.concat(kept) : undefined;
  return { content, found: scanner.found, bytes: scanner.bytes };
}
