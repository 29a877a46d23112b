import { NectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';

/** Ours as it is; anything else is a bug, whose details stay in this role's log. */
export function failureOf(error: unknown, { log, operation }: { log: Logger; operation: string }): NectarError {
  if (error instanceof NectarError) return error;
  const reference = `${operation}/${Date.now().toString(36)}`;
  log.error({ err: error, reference }, 'a call of another role met a bug');
  return new NectarError('NODE_INTERNAL', { reference }, { cause: error });
}
