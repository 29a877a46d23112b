import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { replaceFile } from '../../appliance/durable-file.ts';
import { CopyReport } from '../../appliance/gateway/request-schemas.ts';
import { Recorded } from '../../appliance/gateway/schema-parts.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Client } from '../client.ts';
import { openNodeClient } from '../node-client.ts';
import { readSmallFile } from './backup/small-files.ts';

const ANSWER_MS = 10_000;
const RETRY_MS = 250;
const MODE = 0o600;

/**
 * Backups and restores that the audit log does not hold yet, since the node was down or locked: HOME/run/copies/<time>-<manifest>.json.
 * The next `up` or `unlock` puts them on record. Who may write there could take them away, as he could copy the files without this
 * program: of what is done to a node that is down, its log has an honest operator's word.
 */
function copiesFolder(home: string): string {
  return join(home, 'run', 'copies');
}

/** Durable when it resolves. */
export async function noteCopy(home: string, report: CopyReport): Promise<void> {
  const folder = copiesFolder(home);
  await makeFolders(folder, 0o700);
  const name = `${report.at.replaceAll(/[^0-9TZ]/g, '')}-${report.manifestSha256.slice(0, 8)}.json`;
  await replaceFile(join(folder, name), `${JSON.stringify(report)}\n`, MODE);
}

export interface RecordCopies {
  readonly home: string;
  readonly signal: AbortSignal;
  /** The log opens a moment after the node was unlocked. */
  readonly patienceMs?: number;
}

/** Puts on record what waits for it, oldest first, each at least once. Returns how many still wait: the node is down or locked. */
export async function recordCopies({ home, signal, patienceMs = 0 }: RecordCopies): Promise<number> {
  for (let waited = 0; ; waited += RETRY_MS) {
    const names = await readdir(copiesFolder(home)).catch(() => []);
    const waiting = names.filter((name) => name.endsWith('.json')).toSorted();
    const left = waiting.length - (waiting.length === 0 ? 0 : await recordAll({ home, signal }, waiting));
    if (left === 0 || waited >= patienceMs) return left;
    await sleep(RETRY_MS, undefined, { signal });
  }
}

async function recordAll({ home, signal }: RecordCopies, names: readonly string[]): Promise<number> {
  let recorded = 0;
  try {
    const client = await openNodeClient({ home, signal });
    try {
      for (const name of names) {
        await recordCopy(client, join(copiesFolder(home), name));
        recorded += 1;
      }
    } finally {
      await client.close();
    }
  } catch (error) {
    // Whatever the node says, the notes stay, and what was asked for is done.
    if (!(error instanceof NectarError)) throw error;
  }
  return recorded;
}

async function recordCopy(client: Client, path: string): Promise<void> {
  const report = parseReport(await readSmallFile(path));
  if (report !== undefined) {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(report);
    await client.send(Recorded, 'POST', '/v1/node/copies', { body, headers, timeoutMs: ANSWER_MS });
  }
  await rm(path, { force: true });
}

/** undefined: a note that is none says nothing that could be put on record. */
function parseReport(bytes: Uint8Array | undefined): CopyReport | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    return Value.Check(CopyReport, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
