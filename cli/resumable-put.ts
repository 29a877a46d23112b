import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordReceipt } from '../appliance/gateway/record-schemas.ts';
import { isNectarError, NectarError } from '../protocol/errors.ts';
import type { Client } from './client.ts';
import { FIRST_WAIT_MS, GIVE_UP_MS, isPassing, LONGEST_WAIT_MS } from './passing-failure.ts';
import type { PutSource } from './put-sources.ts';
import { type ByteProgress, countBytes } from './render/progress.ts';
import type { UnfinishedUpload } from './unfinished-uploads.ts';

/** Below this a put that breaks is begun anew: the other way writes every byte twice. */
export const RESUMABLE_BYTES = 2 * 1024 ** 3;

const TUS = { 'tus-resumable': '1.0.0' } as const;

export interface ResumablePut {
  readonly source: PutSource;
  readonly metadata: Readonly<Record<string, string>>;
  readonly progress: ByteProgress;
  readonly signal: AbortSignal;
  /** Where an earlier run had come to, and where this one is noted down. */
  readonly unfinished?: UnfinishedUpload | undefined;
  /** Told when an earlier run had sent so many bytes. */
  readonly onResumed?: (offset: number) => void;
  /** Told once for each time the connection breaks. */
  readonly onBroken: (reason: string, offset: number) => void;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** Stores a file in as many requests, and runs of the command, as it takes: what broke off goes on where it was. */
export async function putResumable(client: Client, put: ResumablePut): Promise<RecordReceipt> {
  const { path, state } = (await findBegun(client, put)) ?? (await begin(client, put));
  const receipt = await sendAll(client, put, path, state);
  await put.unfinished?.finished();
  return receipt;
}

type Headers = Readonly<Record<string, string>>;

async function begin(client: Client, { source, metadata, unfinished }: ResumablePut) {
  const state = await client.headers('POST', '/v1/uploads', {
    headers: { ...TUS, 'upload-length': String(source.bytes ?? 0), 'upload-metadata': encodeMetadata(metadata) },
  });
  const path = state.location ?? '';
  // Without the note the put is as good, for this run.
  await unfinished?.begun(path).catch(() => undefined);
  return { path, state };
}

/** The upload of an earlier run; undefined when there is none, or the node no longer has it. */
async function findBegun(client: Client, { source, unfinished, onResumed }: ResumablePut) {
  const path = unfinished?.location;
  if (path === undefined) return undefined;
  try {
    const state = await client.headers('HEAD', path, { headers: TUS });
    if (Number(state['upload-length']) !== source.bytes) return undefined;
    onResumed?.(Number(state['upload-offset']));
    return { path, state };
  } catch (error) {
    if (isNectarError(error, 'CLI_GATEWAY_PROBLEM') && [404, 410].includes(error.data.status)) return undefined;
    throw error;
  }
}

async function sendAll(client: Client, put: ResumablePut, path: string, begun: Headers): Promise<RecordReceipt> {
  const { source, signal, now = Date.now, wait = (ms) => sleep(ms, undefined, { signal }) } = put;
  const bytes = source.bytes ?? 0;
  let known = begun;
  let shown = 0;
  let waitMs = FIRST_WAIT_MS;
  let advancedAt = now();
  let broken: NectarError | undefined;
  for (;;) {
    const receipt = receiptOf(known, bytes);
    if (receipt !== undefined) return receipt;
    const offset = Number(known['upload-offset']);
    put.progress.advance(offset - shown);
    shown = offset;
    try {
      const counted = countBytes(source.open(offset), {
        advance(count) {
          shown += count;
          put.progress.advance(count);
        },
        done() {},
      });
      known = await client.headers('PATCH', path, {
        headers: {
          ...TUS,
          'upload-offset': String(offset),
          'content-type': 'application/offset+octet-stream',
          'content-length': String(bytes - offset),
        },
        bulk: counted,
      });
    } catch (error) {
      if (!isPassing(error) || now() - advancedAt > GIVE_UP_MS) throw error;
      broken = error;
      put.onBroken(error.code, offset);
      await wait(waitMs);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      known = await client.headers('HEAD', path, { headers: TUS }).catch((unreachable) => {
        if (isPassing(unreachable)) return known;
        throw unreachable;
      });
    }
    if (Number(known['upload-offset']) > offset) {
      advancedAt = now();
      waitMs = FIRST_WAIT_MS;
    } else if (now() - advancedAt > GIVE_UP_MS) {
      throw broken ?? new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'an upload that does not go on' });
    }
  }
}

function receiptOf(headers: Readonly<Record<string, string>>, bytes: number): RecordReceipt | undefined {
  const recordId = headers['x-nectar-record-id'];
  if (recordId === undefined) return undefined;
  return {
    recordId,
    version: Number(headers['x-nectar-record-version']),
    cid: headers['x-nectar-cid'] ?? '',
    bytes,
    auditLeaf: Number(headers['x-nectar-audit-leaf']),
  };
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value, 'utf8').toString('base64')}`)
    .join(',');
}
