import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { JWK_OKP_Public } from 'jose';
import { createBootstrapToken } from '../../../../appliance/gateway/bootstrap-token.ts';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/dependencies.ts';
import { createTokenSigner, createTokens, isAllowed, type Tokens } from '../../../../appliance/gateway/tokens.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JWK_OKP_Public;
const signer = createTokenSigner(privateKey.export({ format: 'der', type: 'pkcs8' }));
const log = createLogger({ level: 'silent' });
const DAY_MS = 86_400_000;
const draw = () => randomBytes(32).toString('hex');

describe('the first token of an owner, which the site has drawn', () => {
  let folder: string;
  let tokens: Tokens;
  let events: GatewayAuditEvent[];
  let clock: number;
  const secretPath = () => join(folder, 'token');
  /** One look at the file, as a start makes it. */
  const take = async (secret: string) => {
    await writeFile(secretPath(), secret);
    const audit = { append: async (event: GatewayAuditEvent) => events.push(event) };
    const service = createBootstrapToken({ path: secretPath() }, { tokens, audit, log });
    await service.start(new AbortController().signal);
    await service.stop();
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-bootstrap-'));
    [events, clock] = [[], Date.UTC(2026, 10, 30)];
    tokens = await createTokens(
      { path: join(folder, 'tokens.json'), nodeId: 'aa'.repeat(16), publicJwk },
      { signer, now: () => clock, randomBytes },
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is good for everything, is on record, and lies nowhere', async () => {
    const secret = draw();
    await take(draw());
    await assert.rejects(tokens.verify(secret), { code: 'GATEWAY_TOKEN_INVALID' });
    events.length = 0;
    await take(`${secret}\n`);
    const principal = await tokens.verify(secret);
    assert.equal(principal.subject, 'bootstrap');
    assert.ok(isAllowed(principal, 'admin'));
    assert.deepEqual(
      events.map(({ type, detail }) => [type, detail?.token]),
      [
        ['token.create', principal.tokenId],
        ['token.revoke', tokens.list()[0]?.id],
      ],
    );
    assert.doesNotMatch(
      `${await readFile(join(folder, 'tokens.json'), 'utf8')}${JSON.stringify(events)}`,
      new RegExp(secret),
    );
  });

  it('is taken once, however often the gateways start', async () => {
    const secret = draw();
    await take(secret);
    await take(secret);
    assert.equal(events.length, 1);
    assert.equal(tokens.list().length, 1);
  });

  it('stays revoked when it was revoked', async () => {
    const secret = draw();
    await take(secret);
    await tokens.revoke((await tokens.verify(secret)).tokenId);
    await take(secret);
    await assert.rejects(tokens.verify(secret), { code: 'GATEWAY_TOKEN_REVOKED' });
  });

  it('ends when another one takes its place, and leaves other tokens alone', async () => {
    const [first, second] = [draw(), draw()];
    const { token } = await tokens.issue({ subject: 'clinic', scope: ['rpc'], expiresInSeconds: 60 });
    await take(first);
    const ended: string[] = [];
    tokens.onRevoked((id) => ended.push(id));
    const { tokenId } = await tokens.verify(first);
    await take(second);
    await assert.rejects(tokens.verify(first), { code: 'GATEWAY_TOKEN_REVOKED' });
    await tokens.verify(second);
    await tokens.verify(token);
    assert.deepEqual(ended, [tokenId]);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['token.create', 'token.create', 'token.revoke'],
    );
  });

  it('ends after a year', async () => {
    const secret = draw();
    await take(secret);
    clock += 366 * DAY_MS;
    await assert.rejects(tokens.verify(secret), { code: 'GATEWAY_TOKEN_EXPIRED' });
  });

  it('is not taken when it could be guessed, or is no token', async () => {
    for (const wrong of ['', 'admin', 'a'.repeat(42), 'a'.repeat(129), `${draw()} ${draw()}`, `${'a.'.repeat(30)}`]) {
      await take(wrong);
      assert.deepEqual(tokens.list(), [], JSON.stringify(wrong));
    }
    await take('x'.repeat(5000));
    await rm(secretPath());
    const audit = { append: async (event: GatewayAuditEvent) => events.push(event) };
    const service = createBootstrapToken({ path: secretPath() }, { tokens, audit, log });
    await service.start(new AbortController().signal);
    await service.stop();
    assert.deepEqual([tokens.list(), events], [[], []]);
  });
});
