import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { hasNoRoom } from '../../../appliance/durable-file.ts';
import { ERRORS, type ErrorCode, type ErrorData, isNectarError, NectarError } from '../../../protocol/errors.ts';

/** The end of what a process wrote is looked through; a crash says its reason last. */
const LOOKED_AT_BYTES = 256 * 1024;

export function logSize(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Why a process of ours ended, from what it wrote to its log since `from`: the error that `run --json` prints last, as the same
 * NectarError, else the last line that is no log entry (a crash of the runtime). undefined when it wrote neither.
 */
export function findFailure(log: string, from: number): NectarError | undefined {
  const lines = readFrom(log, from)
    .split('\n')
    .filter((line) => line.trim() !== '');
  for (const line of lines.reverse()) {
    const entry = parse(line);
    if (entry === undefined)
      return new NectarError('CLI_NODE_START_FAILED', { reason: line.trim().slice(0, 300), log });
    const { error } = entry as { error?: { code?: unknown; message?: unknown; data?: unknown } };
    if (typeof error?.code !== 'string') continue;
    return (
      knownError(error.code, error.data) ??
      new NectarError('CLI_NODE_START_FAILED', { reason: String(error.message), log })
    );
  }
  return undefined;
}

/** The same for the process of a home, which may have had no room to say why, or for half of it. */
export async function whyItEnded(home: string, log: string, from: number): Promise<NectarError | undefined> {
  const said = findFailure(log, from);
  if (said !== undefined && !isNectarError(said, 'CLI_NODE_START_FAILED')) return said;
  return (await hasNoRoom(home)) ? new NectarError('NODE_DISK_FULL', { path: home }) : said;
}

/** The error of a code that this program knows, with the data that another process gave; undefined for any other. */
export function knownError(code: string, data: unknown): NectarError | undefined {
  if (!Object.hasOwn(ERRORS, code) || typeof data !== 'object' || data === null) return undefined;
  try {
    return new NectarError(code as ErrorCode, data as ErrorData<ErrorCode>);
  } catch {
    return undefined;
  }
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function readFrom(log: string, from: number): string {
  const size = logSize(log);
  const begin = Math.max(from, size - LOOKED_AT_BYTES);
  if (size <= begin) return '';
  const descriptor = openSync(log, 'r');
  try {
    const buffer = Buffer.alloc(size - begin);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, begin)).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
