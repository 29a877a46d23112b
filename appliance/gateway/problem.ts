import type { FastifyError } from 'fastify';
import Type, { type Static } from 'typebox';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { httpStatusOf } from './http-status.ts';

export const Problem = Type.Object(
  {
    type: Type.String({ examples: ['urn:nectar:error:GATEWAY_TOKEN_MISSING'] }),
    title: Type.String({ examples: ['Gateway token missing'] }),
    status: Type.Integer({ examples: [401] }),
    detail: Type.String({ examples: ['the request carries no bearer token'] }),
    code: Type.String({ description: 'One of docs/reference/errors.md.', examples: ['GATEWAY_TOKEN_MISSING'] }),
    requestId: Type.String({ examples: ['9f86d081884c7d659a2feaa0c55ad015'] }),
    data: Type.Unknown({ description: 'The facts of the code.', examples: [{}] }),
  },
  { $id: 'Problem', description: 'Problem (RFC 9457).', additionalProperties: false },
);
export type Problem = Static<typeof Problem>;

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The RFC 9457 document of an error. */
export function problemOf(error: NectarError, requestId: string): Problem {
  const words = error.code.toLowerCase().replaceAll('_', ' ');
  return {
    type: `urn:nectar:error:${error.code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: httpStatusOf(error.code),
    detail: error.message,
    code: error.code,
    requestId,
    data: error.data,
  };
}

/** Chain amounts are bigint; JSON has none. */
export function encodeProblem(problem: Problem): string {
  return JSON.stringify(problem, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

export interface RequestLimits {
  readonly bodyBytes: number;
}

/**
 * Any error of a request as one of the registry: our own as they are, the framework's by meaning, the rest as
 * NODE_INTERNAL, whose details stay in the log under the request id (they may quote the request).
 */
export function nectarErrorOf(error: unknown, requestId: string, limits: RequestLimits): NectarError {
  if (error instanceof NectarError) return error;
  const cause = { cause: error };
  if (isFastifyError(error)) {
    if (error.validation !== undefined) return invalidRequest(error);
    switch (error.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return new NectarError('GATEWAY_BODY_TOO_LARGE', { limitBytes: limits.bodyBytes }, cause);
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return new NectarError('GATEWAY_MEDIA_TYPE_UNSUPPORTED', {}, cause);
      case 'FST_ERR_NOT_FOUND':
        return new NectarError('GATEWAY_ROUTE_ABSENT', {}, cause);
      default:
        if ((error.statusCode ?? 500) < 500) {
          return new NectarError('GATEWAY_REQUEST_MALFORMED', { reason: reasonOf(error.code) }, cause);
        }
    }
  }
  return new NectarError('NODE_INTERNAL', { reference: requestId }, cause);
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** Fixed texts only: the framework's messages may quote what the client sent. */
function reasonOf(code: string): string {
  switch (code) {
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return 'the JSON body is empty';
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return 'the body is not valid JSON';
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return 'the body has not the length announced';
    case 'FST_ERR_BAD_URL':
      return 'the path is not well formed';
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return 'a part of the path is too long';
    default:
      return 'it cannot be read';
  }
}

/** The schema's words name the place and the rule, never the value. */
function invalidRequest(error: FastifyError): NectarError {
  const first = error.validation?.[0];
  const part = error.validationContext ?? 'body';
  const data = { part, path: first?.instancePath ?? '', reason: first?.message ?? 'is invalid' };
  return new NectarError('GATEWAY_REQUEST_INVALID', data, { cause: error });
}

/** Seconds after which a client may repeat; undefined where repeating does not help. */
export function retryAfterSeconds(error: NectarError): number | undefined {
  switch (error.code) {
    case 'GATEWAY_BUSY':
    case 'GATEWAY_TOKEN_BUSY':
    case 'GATEWAY_IDEMPOTENCY_RUNNING':
      return 1;
    case 'GATEWAY_OPERATION_RUNNING':
    case 'GATEWAY_STOPPING':
    case 'NODE_NOT_READY':
      return 5;
    default:
      return undefined;
  }
}

/** WWW-Authenticate of RFC 6750, section 3; undefined unless the error is about the token. */
export function challengeOf(error: NectarError): string | undefined {
  if (error.code === 'GATEWAY_TOKEN_MISSING') return 'Bearer realm="nectar"';
  if (/^GATEWAY_(TOKEN|CLIENT)_/.test(error.code) && httpStatusOf(error.code) === 401)
    return 'Bearer realm="nectar", error="invalid_token"';
  if (isNectarError(error, 'GATEWAY_SCOPE_MISSING')) {
    return `Bearer realm="nectar", error="insufficient_scope", scope="${error.data.scope}"`;
  }
  return undefined;
}
