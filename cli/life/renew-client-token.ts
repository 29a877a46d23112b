import { randomBytes } from 'node:crypto';

import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { replaceFile } from '../../appliance/durable-file.ts';
import { CLIENT_TOKEN_REQUEST, isTokenDue } from '../../appliance/gateway/client-token.ts';
import type { TokenInfo } from '../../appliance/gateway/token-schemas.ts';
import { createTokens } from '../../appliance/gateway/tokens.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { IDENTITIES } from '../../appliance/keys/node-identity.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { readSmallFile } from './backup/small-files.ts';
import { openIdentity } from './open-identity.ts';

export function clientTokenPath(home: string): string {
  return join(home, 'client', 'token');
}

export async function isClientTokenDue(home: string, now: number): Promise<boolean> {
  const token = await readSmallFile(clientTokenPath(home));
  return token === undefined || isTokenDue(Buffer.from(token).toString('utf8'), now);
}

async function writeClientToken(home: string, token: string): Promise<void> {
  await makeFolders(join(home, 'client'), 0o700);
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
  const { id: own, token } = await tokens.issue(CLIENT_TOKEN_REQUEST);
  const isOld = ({ id, subject, name, revokedAt }: TokenInfo): boolean =>
    id !== own && subject === 'cli' && name === CLIENT_TOKEN_REQUEST.name && revokedAt === undefined;
  for (const { id } of tokens.list().filter(isOld)) await tokens.revoke(id);
  await writeClientToken(home, token);
}
