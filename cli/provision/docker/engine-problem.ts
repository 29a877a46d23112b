import { saysDiskFull } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';

const MAX_REASON_CHARS = 300;
const UNREACHABLE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EACCES', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH']);

/** What dockerode throws: an HTTP status with the engine's own words, or an error of the connection. */
interface Thrown {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly json?: { readonly message?: string; readonly cause?: string };
}

export function statusOf(error: unknown): number | undefined {
  return (error as Thrown | undefined)?.statusCode;
}

/** One clear error for whatever an engine call ended with. The engine's words are bounded and on one line. */
export function engineProblem(error: unknown, context: { engine: string; doing: string }): NectarError {
  if (error instanceof NectarError) return error;
  const { statusCode, code, message = '', json } = error as Thrown;
  if (statusCode === undefined) {
    const reason = code !== undefined && UNREACHABLE.has(code) ? code : oneLine(code ?? message);
    return new NectarError('CLI_ENGINE_UNREACHABLE', { engine: context.engine, reason }, { cause: error });
  }
  const reason = oneLine(json?.message ?? message);
  if (saysDiskFull(reason)) {
    return new NectarError('NODE_DISK_FULL', { path: `the engine ${context.engine}` }, { cause: error });
  }
  if (/port is already allocated|address already in use/i.test(reason)) {
    return new NectarError('CLI_ENGINE_PORT_TAKEN', { reason }, { cause: error });
  }
  return new NectarError('CLI_ENGINE_REFUSED', { ...context, status: statusCode, reason }, { cause: error });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_REASON_CHARS) || 'no reason given';
}
