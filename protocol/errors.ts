/**
 * NectarError and the one registry of codes.
 *
 * A code is AREA_PROBLEM, is never reused, and carries typed data: code and data are what crosses a socket, a log or an HTTP
 * answer. What an edge makes of a code stands there (definition.ts). `docs/reference/errors.md` is generated from both and
 * tested against them both ways.
 */
import { ANCHOR_ERRORS } from './errors/anchor.ts';
import { AUDIT_ERRORS } from './errors/audit.ts';
import { CLI_ERRORS } from './errors/cli.ts';
import { CLUSTER_ERRORS } from './errors/cluster.ts';
import { CODING_ERRORS } from './errors/coding.ts';
import { CONFIG_ERRORS } from './errors/config.ts';
import { CUSTODY_ERRORS } from './errors/custody.ts';
import type { ErrorDefinition } from './errors/definition.ts';
import { DISPUTE_ERRORS } from './errors/dispute.ts';
import { GATEWAY_ERRORS } from './errors/gateway.ts';
import { HARDENING_ERRORS } from './errors/hardening.ts';
import { KEY_ERRORS } from './errors/key.ts';
import { LIFE_ERRORS } from './errors/life.ts';
import { NETWORK_ERRORS } from './errors/network.ts';
import { NODE_ERRORS } from './errors/node.ts';
import { ROLLUP_ERRORS } from './errors/rollup.ts';
import { STORE_ERRORS } from './errors/store.ts';

export const ERRORS = {
  ...NODE_ERRORS,
  ...CONFIG_ERRORS,
  ...KEY_ERRORS,
  ...STORE_ERRORS,
  ...AUDIT_ERRORS,
  ...ROLLUP_ERRORS,
  ...DISPUTE_ERRORS,
  ...ANCHOR_ERRORS,
  ...NETWORK_ERRORS,
  ...GATEWAY_ERRORS,
  ...CLI_ERRORS,
  ...CLUSTER_ERRORS,
  ...LIFE_ERRORS,
  ...CUSTODY_ERRORS,
  ...CODING_ERRORS,
  ...HARDENING_ERRORS,
};

export type ErrorCode = keyof typeof ERRORS;

/** The data that an error of code `C` carries: facts for a machine, never plaintext, a key, a token or personal data. */
export type ErrorData<C extends ErrorCode> = (typeof ERRORS)[C] extends { message: (data: infer D) => string }
  ? D
  : never;

/** The only error class that crosses a room's boundary. Anything else that escapes is a bug (exit code 1). */
export class NectarError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly data: ErrorData<C>;

  constructor(code: C, data: ErrorData<C>, options?: { cause?: unknown }) {
    const definition = ERRORS[code] as { message: (data: ErrorData<C>) => string };
    super(definition.message(data), options);
    this.name = 'NectarError';
    this.code = code;
    this.data = data;
  }
}

/** True for a NectarError, of the given code when one is named. */
export function isNectarError<C extends ErrorCode>(error: unknown, code?: C): error is NectarError<C> {
  return error instanceof NectarError && (code === undefined || error.code === code);
}

/** The severity of a rollup error; undefined for every other error. Only the rollup's driver switches on it. */
export function rollupSeverity(error: unknown): ErrorDefinition<never>['severity'] {
  if (!isNectarError(error)) return undefined;
  const definition: Pick<ErrorDefinition<never>, 'severity'> = ERRORS[error.code];
  return definition.severity;
}
