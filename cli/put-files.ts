import { randomUUID } from 'node:crypto';
import type { RecordReceipt } from '../appliance/gateway/record-schemas.ts';
import { type ErrorCode, isNectarError, type NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import type { Client } from './client.ts';
import { inOrder } from './in-order.ts';
import { findPresent, isPresent } from './present-records.ts';
import { batchesOf, putBatch, type SmallPut } from './put-batches.ts';
import { type OneReceipt, type PutOptions, putOne } from './put-one.ts';
import type { Found, PutSource } from './put-sources.ts';
import { openStoredFiles, putKey, type StoredFiles, type StoredVersion } from './stored-files.ts';

/** Requests on their way at once: enough small files to share the node's flushes to the disk. */
const AT_A_TIME = 6;
/** From here on a file fills the connection by itself, and has a bar of its own. */
const ALONE_BYTES = 16 * 1024 * 1024;
/** Records that an earlier run stored, asked for in one question: less than the node answers. */
const ASKED_AT_A_TIME = 500;

/** What became of what was found at one place. */
export type PutOutcome =
  | { readonly source: PutSource; readonly receipt: RecordReceipt }
  | { readonly source: PutSource; readonly before: StoredVersion }
  /** Of --dry-run. */
  | { readonly source: PutSource; readonly wouldStore: true }
  | { readonly file: string; readonly error: NectarError }
  | { readonly file: string; readonly leftOut: string };

/** One file as it is to be stored, and how it is known again. */
interface Put extends Omit<SmallPut, 'idempotencyKey'> {
  /** Undefined for stdin and for commands, which nobody knows again. */
  readonly key: string | undefined;
}

/** Errors that say something about one file; with any other the next file would fare no better. */
const OF_ONE_FILE: ReadonlySet<ErrorCode> = new Set([
  'CLI_FILE_UNREADABLE',
  'CLI_FILE_CHANGED',
  'CLI_INPUT_EMPTY',
  'CLI_COMMAND_FAILED',
  'GATEWAY_REQUEST_INVALID',
  'GATEWAY_HEADERS_TOO_LARGE',
  'GATEWAY_BODY_TOO_LARGE',
  'GATEWAY_MEDIA_TYPE_UNSUPPORTED',
  'GATEWAY_IDEMPOTENCY_RUNNING',
]);

function isOfOneFile(error: unknown): error is NectarError {
  return isNectarError(error) && OF_ONE_FILE.has(error.code);
}

/**
 * Stores what was found, and yields what became of each in the order of the files. What is wrong with one file ends nothing; a node
 * that takes no more, or an interruption, ends the run with what was stored until then yielded.
 */
export function putFiles(
  call: Call<PutOptions>,
  client: Client,
  found: AsyncIterable<Found>,
): AsyncGenerator<readonly PutOutcome[]> {
  const stored = openStoredFiles(call.home);
  const seen = new Set<string>();
  return inOrder(batchesOf(found, call.options.resumable !== true && call.options.record === undefined), {
    limit: AT_A_TIME,
    alone: ([first]) => first !== undefined && 'source' in first && isLarge(first.source),
    work: (batch) => putTogether({ call, client, stored, seen }, batch),
    failureOf: (outcomes) => outcomes.find(endsTheRun),
  });
}

function endsTheRun(outcome: PutOutcome): outcome is Extract<PutOutcome, { error: unknown }> {
  return 'error' in outcome && !isOfOneFile(outcome.error);
}

function isLarge({ bytes = Number.POSITIVE_INFINITY }: PutSource): boolean {
  return bytes >= ALONE_BYTES;
}

interface Run {
  readonly call: Call<PutOptions>;
  readonly client: Client;
  readonly stored: StoredFiles;
  /** Files that this run has met. */
  readonly seen: Set<string>;
}

async function putTogether(run: Run, batch: readonly Found[]): Promise<readonly PutOutcome[]> {
  const planned = batch.map((found) => plan(run, found));
  const puts = planned.filter(isPut);
  const before = await findBefore(run, puts);
  const wanted = puts.filter((put) => !before.has(put));
  const made = run.call.options.dryRun === true ? new Map(wanted.map(wouldStore)) : await putWanted(run, wanted);
  return planned.flatMap((each) => (isPut(each) ? (before.get(each) ?? made.get(each) ?? []) : each));
}

function plan({ call, seen }: Run, found: Found): Put | PutOutcome {
  if (!('source' in found)) return found;
  const put = describe(call.options, found.source);
  if (put.key === undefined) return put;
  if (seen.has(put.key)) return { file: found.source.file, leftOut: 'named before' };
  seen.add(put.key);
  return put;
}

function isPut(planned: Put | PutOutcome): planned is Put {
  return 'key' in planned;
}

function wouldStore(put: Put): [Put, PutOutcome] {
  return [put, { source: put.source, wouldStore: true }];
}

function describe(options: PutOptions, source: PutSource): Put {
  const name = options.name ?? source.name;
  const contentType = options.contentType ?? source.contentType;
  const labels = [...new Set([...options.label, ...(options.labelFromPath === true ? source.folders : [])])];
  const again = options.again === true ? [randomUUID()] : [];
  const facts = [source.identity, name ?? null, contentType, labels, options.record ?? null, ...again];
  return { source, name, contentType, labels, key: source.identity === undefined ? undefined : putKey(facts) };
}

/** Those that an earlier run stored and the node still has. */
async function findBefore({ call, client, stored }: Run, puts: readonly Put[]): Promise<Map<Put, PutOutcome>> {
  const known: (StoredVersion & { readonly put: Put })[] = [];
  for (const put of puts) {
    const before = put.key === undefined ? undefined : await stored.find(put.key);
    if (before !== undefined) known.push({ ...before, put });
  }
  const there = new Map<Put, PutOutcome>();
  for (let at = 0; at < known.length; at += ASKED_AT_A_TIME) {
    const asked = known.slice(at, at + ASKED_AT_A_TIME);
    for (const { put, recordId, version } of await findPresent(client, asked, call.options.record !== undefined))
      there.set(put, { source: put.source, before: { recordId, version } });
  }
  return there;
}

async function putWanted(run: Run, puts: readonly Put[]): Promise<Map<Put, PutOutcome>> {
  const outcomes = puts.length > 1 ? await putMany(run, puts) : await putEach(run, puts);
  const noted = new Map<string, StoredVersion>();
  for (const [{ key }, outcome] of outcomes)
    if (key !== undefined && 'receipt' in outcome) noted.set(key, outcome.receipt);
  if (noted.size > 0) await run.stored.remember(noted);
  return outcomes;
}

async function putMany(run: Run, puts: readonly Put[]): Promise<Map<Put, PutOutcome>> {
  try {
    const outcomes = new Map<Put, PutOutcome>();
    for (const [i, result] of (await putBatch(run.client, puts.map(keyed))).entries()) {
      const put = puts[i];
      if (put === undefined) continue;
      outcomes.set(
        put,
        'error' in result ? { file: put.source.file, error: result.error } : await settle(run, put, result),
      );
    }
    return outcomes;
  } catch (error) {
    // One record for which the node refuses them all: each alone, and it is that one.
    if (!isOfOneFile(error)) throw error;
    return putEach(run, puts);
  }
}

async function putEach(run: Run, puts: readonly Put[]): Promise<Map<Put, PutOutcome>> {
  const outcomes = new Map<Put, PutOutcome>();
  for (const put of puts) outcomes.set(put, await putAlone(run, put));
  return outcomes;
}

function keyed(put: Put): SmallPut {
  return { ...put, idempotencyKey: put.key ?? randomUUID() };
}

/** A receipt that is an earlier one may be of a record that was destroyed since: then the file is stored anew. */
async function settle(run: Run, put: Put, { receipt, isReplayed }: OneReceipt): Promise<PutOutcome> {
  if (!isReplayed) return { source: put.source, receipt };
  if (await isPresent(run.client, receipt)) {
    if (put.key !== undefined) await run.stored.remember(new Map([[put.key, receipt]]));
    return { source: put.source, before: receipt };
  }
  const anew = await putOne(run.call, run.client, { ...put, idempotencyKey: randomUUID() });
  return { source: put.source, receipt: anew.receipt };
}

async function putAlone(run: Run, put: Put): Promise<PutOutcome> {
  try {
    return await settle(run, put, await putOne(run.call, run.client, { ...put, idempotencyKey: put.key }));
  } catch (error) {
    if (isOfOneFile(error)) return { file: put.source.file, error };
    throw error;
  }
}
