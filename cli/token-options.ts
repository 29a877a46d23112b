import { SCOPES } from '../appliance/gateway/schema-parts.ts';
import { NectarError } from '../protocol/errors.ts';
import { parseDuration } from './render/quantities.ts';

/** What a token, or a client that shows a certificate, may do and for how long; throws CLI_USAGE. */
export function parseTokenOptions(options: { readonly scope: readonly string[]; readonly expires: string }): {
  readonly scope: readonly string[];
  readonly expiresInSeconds: number;
} {
  const expiresInMs = parseDuration(options.expires);
  if (expiresInMs === undefined) {
    throw new NectarError('CLI_USAGE', {
      problem: `the duration ${options.expires} is not of the form 90d, 12h, 30m or 45s`,
    });
  }
  if (options.scope.length === 0) throw new NectarError('CLI_USAGE', { problem: 'name at least one --scope' });
  const unknown = options.scope.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) {
    throw new NectarError('CLI_USAGE', { problem: `the scope ${unknown} is none of ${SCOPES.join(', ')}` });
  }
  return { scope: options.scope, expiresInSeconds: expiresInMs / 1000 };
}
