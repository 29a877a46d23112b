import { readFile } from 'node:fs/promises';
import { replaceFile } from '../durable-file.ts';
import { LOCAL_CALLER } from './local-caller.ts';
import type { Renewable } from './renewal.ts';
import type { TokenRequest } from './request-schemas.ts';
import type { Tokens } from './tokens.ts';

const RENEW_BEFORE_SECONDS = 30 * 86_400;

/** The token of the machine's own command line; it lasts as long as the gateway allows. */
export const CLIENT_TOKEN_REQUEST: TokenRequest = {
  ...LOCAL_CALLER,
  scope: ['admin'],
  expiresInSeconds: 366 * 86_400,
};

/** A clock that was a little ahead when a token was made is no reason for another one. */
const AHEAD_SECONDS = 3_600;

/** True in the last thirty days of a token, before its beginning, and for what is none. Reads its own dates, and verifies nothing. */
export function isTokenDue(token: string, now: number): boolean {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown;
      iat?: unknown;
    };
    if (typeof claims.exp !== 'number') return true;
    if (typeof claims.iat === 'number' && (claims.iat - AHEAD_SECONDS) * 1000 > now) return true;
    return (claims.exp - RENEW_BEFORE_SECONDS) * 1000 <= now;
  } catch {
    return true;
  }
}

/** A token file of this machine as something to renew. Where there is no such file, nobody wants one. */
export function renewableClientToken(path: string, tokens: Pick<Tokens, 'issue'>): Renewable {
  const read = (): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
  return {
    name: 'client token',
    async isDue(now) {
      const token = await read();
      return token !== undefined && isTokenDue(token, now);
    },
    async renew() {
      const { token } = await tokens.issue(CLIENT_TOKEN_REQUEST);
      await replaceFile(path, `${token}\n`, 0o600);
    },
  };
}
