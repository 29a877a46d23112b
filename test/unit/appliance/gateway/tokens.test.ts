import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { importJWK, type JWK_OKP_Public, jwtVerify, SignJWT } from 'jose';
import {
  createTokenSigner,
  createTokens,
  isAllowed,
  type Tokens,
  type TokensOptions,
} from '../../../../appliance/gateway/tokens.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';

const DAY_SECONDS = 86_400;
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JWK_OKP_Public;
const signer = createTokenSigner(privateKey.export({ format: 'der', type: 'pkcs8' }));
const nodeId = 'aa'.repeat(16);

const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code);

describe('tokens', () => {
  let folder: string;
  let options: TokensOptions;
  let clock: number;
  let tokens: Tokens;
  const open = () => createTokens(options, { signer, now: () => clock, randomBytes });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-tokens-'));
    options = { path: join(folder, 'tokens.json'), nodeId, publicJwk };
    clock = Date.UTC(2026, 10, 23);
    tokens = await open();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const request = { subject: 'clinic', scope: ['rpc'] as ['rpc'], expiresInSeconds: 60 };
  const issue = (expiresInSeconds = 60) =>
    tokens.issue({ subject: 'clinic', scope: ['records:read', 'rpc'], expiresInSeconds, name: 'Ward 3' });

  it('are standard EdDSA JWTs with the claims that the line names', async () => {
    const { token, id } = await issue();
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(publicJwk, 'EdDSA'), {
      currentDate: new Date(clock),
    });
    assert.deepEqual(protectedHeader, { alg: 'EdDSA', typ: 'JWT' });
    assert.deepEqual(payload, {
      sub: 'clinic',
      scope: 'records:read rpc',
      jti: id,
      aud: nodeId,
      iat: clock / 1000,
      exp: clock / 1000 + 60,
    });
  });

  it('speak for whom they were made, after a restart too', async () => {
    const { token, id } = await issue();
    const principal = await (await open()).verify(token);
    assert.deepEqual([principal.subject, principal.tokenId, principal.name], ['clinic', id, 'Ward 3']);
    assert.ok(isAllowed(principal, 'rpc') && !isAllowed(principal, 'records:write') && !isAllowed(principal, 'admin'));
    const admin = await tokens.issue({ subject: 'root', scope: ['admin'], expiresInSeconds: 60 });
    assert.ok(isAllowed(await tokens.verify(admin.token), 'records:delete'));
  });

  it('do not verify when any character is changed', async () => {
    const { token } = await issue();
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'Q' : 'A';
      const altered = token.slice(0, at) + other + token.slice(at + 1);
      // The last base64url digit of 64 bytes carries two bits that mean nothing.
      if (at === token.length - 1) continue;
      await assert.rejects(tokens.verify(altered), hasCode('GATEWAY_TOKEN_INVALID'), `character ${at}`);
    }
  });

  it('of another node, key, algorithm, or with claims missing are refused', async () => {
    const { token, id } = await issue();
    const foreign = generateKeyPairSync('ed25519').privateKey;
    const good = { sub: 'clinic', scope: 'rpc', jti: id, aud: nodeId, iat: clock / 1000, exp: clock / 1000 + 60 };
    const sign = (claims: object, key = privateKey) =>
      new SignJWT(claims as Record<string, unknown>).setProtectedHeader({ alg: 'EdDSA' }).sign(key);
    assert.equal((await tokens.verify(await sign(good))).tokenId, id);
    const [head, body] = token.split('.');
    const forgeries = [
      await sign(good, foreign),
      await sign({ ...good, aud: 'bb'.repeat(16) }),
      await sign({ ...good, sub: 'somebody else' }),
      await sign({ ...good, jti: 'cc'.repeat(16) }),
      await sign({ ...good, scope: 'rpc root' }),
      await sign({ ...good, scope: ['admin'] }),
      await sign({ ...good, exp: undefined }),
      await sign({ ...good, scope: undefined }),
      await new SignJWT(good).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(String(publicJwk.x), 'base64url')),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
      `${head}.${body}.`,
      `${head}.${body}`,
      '',
      '...',
      'x'.repeat(100_000),
    ];
    for (const forgery of forgeries)
      await assert.rejects(tokens.verify(forgery), hasCode('GATEWAY_TOKEN_INVALID'), forgery.slice(0, 40));
  });

  it('end on time', async () => {
    const { token } = await issue(60);
    clock += 59_999;
    await tokens.verify(token);
    clock += 2_000;
    await assert.rejects(tokens.verify(token), hasCode('GATEWAY_TOKEN_EXPIRED'));
  });

  it('are revoked at once, for good, and a second time without harm', async () => {
    const { token, id } = await issue();
    const revoking = tokens.revoke(id);
    await assert.rejects(tokens.verify(token), hasCode('GATEWAY_TOKEN_REVOKED'));
    const { revokedAt } = await revoking;
    clock += 5_000;
    assert.equal((await tokens.revoke(id)).revokedAt, revokedAt);
    await assert.rejects((await open()).verify(token), hasCode('GATEWAY_TOKEN_REVOKED'));
    await assert.rejects(tokens.revoke('ff'.repeat(16)), hasCode('GATEWAY_TOKEN_ABSENT'));
  });

  it('are not on disk: the list holds ids, and is private', async () => {
    const { token, id } = await issue();
    const text = await readFile(options.path, 'utf8');
    assert.ok(text.includes(id) && !text.includes(token.split('.')[2] ?? token));
    assert.equal((await stat(options.path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['tokens.json']);
  });

  it('made at the same time are all kept', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => issue()));
    const ids = new Set((await open()).list().map(({ id }) => id));
    assert.ok(made.every(({ id }) => ids.has(id)));
  });

  it('are all refused when the list is gone, and the node says so when it is damaged', async () => {
    const { token } = await issue();
    const intact = await readFile(options.path, 'utf8');
    for (const damaged of [
      '',
      '{',
      '[]',
      '{"version":2,"tokens":[]}',
      intact.slice(0, -5),
      intact.replace('"clinic"', '7'),
    ]) {
      await writeFile(options.path, damaged);
      const opened = await open();
      await assert.rejects(opened.verify(token), hasCode('GATEWAY_TOKENS_INVALID'), damaged.slice(0, 20));
      await assert.rejects(opened.issue(request), hasCode('GATEWAY_TOKENS_INVALID'));
    }
    await rm(options.path);
    await assert.rejects((await open()).verify(token), hasCode('GATEWAY_TOKENS_INVALID'));
  });

  it('are not made when they cannot be listed', async () => {
    const elsewhere = { ...options, path: join(folder, 'absent', 'tokens.json') };
    const unlisted = await createTokens(elsewhere, { signer, now: () => clock, randomBytes });
    await assert.rejects(unlisted.issue({ subject: 'clinic', scope: ['rpc'], expiresInSeconds: 60 }));
    assert.deepEqual(unlisted.list(), []);
  });

  it('leave the list thirty days after their end, and fill it no further than its bound', async () => {
    const { id } = await issue(60);
    clock += 31 * DAY_SECONDS * 1000;
    const second = await issue(60);
    assert.deepEqual(
      tokens.list().map((token) => token.id),
      [second.id],
    );
    assert.notEqual(id, second.id);
    const full = {
      version: 1,
      tokens: Array.from({ length: 1000 }, (_, index) => ({
        ...withoutToken(second),
        id: index.toString(16).padStart(32, '0'),
      })),
    };
    await writeFile(options.path, JSON.stringify(full));
    tokens = await open();
    await assert.rejects(issue(), hasCode('GATEWAY_TOKENS_FULL'));
  });

  function withoutToken({ token: _, ...info }: Awaited<ReturnType<typeof issue>>) {
    return info;
  }
});
