import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { createTokens } from '../../appliance/gateway/tokens.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { IDENTITIES } from '../provision/process/identities.ts';
import { readSmallFile } from './backup/small-files.ts';
import { openIdentity } from './open-identity.ts';
import { replaceFile } from './replace-file.ts';

/** As long as the gateway allows. */
export const CLIENT_TOKEN_SECONDS = 366 * 86_400;
const RENEW_BEFORE_SECONDS = 30 * 86_400;

export const CLIENT_TOKEN_REQUEST = {
  subject: 'cli',
  name: 'the command line of this machine',
  scope: ['admin'] as const,
  expiresInSeconds: CLIENT_TOKEN_SECONDS,
};

export function clientTokenPath(home: string): string {
  return join(home, 'client', 'token');
}

/** True in the last thirty days of the command line's token, and when there is none that can be read. */
export function isTokenDue(token: string, now: number): boolean {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown;
    };
    return typeof claims.exp !== 'number' || (claims.exp - RENEW_BEFORE_SECONDS) * 1000 <= now;
  } catch {
    return true;
  }
}

export async function isClientTokenDue(home: string, now: number): Promise<boolean> {
  const token = await readSmallFile(clientTokenPath(home));
  return token === undefined || isTokenDue(Buffer.from(token).toString('utf8'), now);
}

export async function writeClientToken(home: string, token: string): Promise<void> {
  await mkdir(join(home, 'client'), { recursive: true, mode: 0o700 });
  await replaceFile(clientTokenPath(home), `${token}\n`, 0o600);
}

/**
 * A new token for the command line, of a home that no process runs: the list of tokens is the node's while it runs. Those that it had
 * are revoked: whoever still has an old copy has nothing.
 */
export async function replaceClientToken(request: {
  readonly home: string;
  readonly keys: Pick<Keys, 'openIdentity'>;
  now(): number;
}): Promise<void> {
  const { home, keys, now } = request;
  const { nodeId, tokenJwk } = readPublicIdentity(home);
  const signer = await openIdentity(keys, IDENTITIES.token);
  const options = { path: join(home, 'tokens.json'), nodeId, publicJwk: tokenJwk };
  const tokens = await createTokens(options, { signer, now, randomBytes });
  const old = tokens.list().filter(({ subject, name }) => subject === 'cli' && name === CLIENT_TOKEN_REQUEST.name);
  const { token } = await tokens.issue({ ...CLIENT_TOKEN_REQUEST, scope: [...CLIENT_TOKEN_REQUEST.scope] });
  for (const { id, revokedAt } of old) if (revokedAt === undefined) await tokens.revoke(id);
  await writeClientToken(home, token);
}
