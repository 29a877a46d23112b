import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { JWK_OKP_Public } from 'jose';
import { foldFacts, NO_GENERATIONS } from '../../../../appliance/audit/generations-fold.ts';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/dependencies.ts';
import { createdFacts } from '../../../../appliance/gateway/token-facts.ts';
import { createTokenSigner, createTokens, type TokenLog, type Tokens } from '../../../../appliance/gateway/tokens.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../../../protocol/errors.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JWK_OKP_Public;
const signer = createTokenSigner(privateKey.export({ format: 'der', type: 'pkcs8' }));
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));

/** tokens.json held against a log, which is asked as the real one is. */
describe('the list of tokens, put back', () => {
  let folder: string;
  let path: string;
  let events: GatewayAuditEvent[];
  let locked: boolean;
  let log: TokenLog;
  let clock: number;
  let tokens: Tokens;

  const open = () =>
    createTokens(
      { path, nodeId: 'aa'.repeat(16), publicJwk },
      { signer, now: () => (clock += 1_000), randomBytes, log },
    );
  const fold = () => {
    if (locked) throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'locked' });
    return events.reduce(
      (sum, { type, outcome, detail = {} }) => foldFacts(sum, { type, outcome, detail }, clock),
      NO_GENERATIONS,
    );
  };
  const make = async (name: string) => {
    const issued = await tokens.issue({ subject: 'clinic', name, scope: ['records:read'], expiresInSeconds: 86_400 });
    const detail = { subject: 'clinic', ...createdFacts(issued, tokens.generation()) };
    await log.append({ type: 'token.create', outcome: 'success', context: SYSTEM, detail });
    return issued;
  };
  const revoke = async (id: string) => {
    const { revokedAt = '' } = await tokens.revoke(id);
    const detail = { token: id, at: revokedAt, file: 'tokens', generation: tokens.generation() };
    await log.append({ type: 'token.revoke', outcome: 'success', context: SYSTEM, detail });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-tokens-'));
    path = join(folder, 'tokens.json');
    clock = Date.UTC(2026, 10, 23);
    events = [];
    locked = false;
    log = {
      latest: async () => fold().files,
      loggedTokens: async () => [...fold().tokens.values()],
      append: async (event) => events.push(event),
    };
    tokens = await open();
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A token from before the copy, one that was revoked since, and one that was made since. */
  const aged = async () => {
    const [kept, doomed] = [await make('kept'), await make('doomed')];
    const older = await readFile(path);
    await revoke(doomed.id);
    const since = await make('since');
    return { kept, doomed, since, older, newest: await readFile(path) };
  };

  it('gives a client back with the certificate that stands for it, and a revoked one revoked', async () => {
    const older = await readFile(path).catch(() => undefined);
    const add = async (key: string, alone: boolean) => {
      const request = { subject: 'pacs', scope: ['records:read' as const], expiresInSeconds: 86_400 };
      const binding = { key, alone };
      const made = alone ? await tokens.enlist(request, binding) : await tokens.issue(request, binding);
      const detail = { subject: 'pacs', ...createdFacts(made, tokens.generation()) };
      await log.append({ type: 'token.create', outcome: 'success', context: SYSTEM, detail });
      return made;
    };
    const shown = (key: string) => ({ key, names: [], validFrom: 0, validTo: Number.MAX_SAFE_INTEGER, chain: [] });
    const kept = await add('aa'.repeat(32), true);
    const doomed = await add('bb'.repeat(32), true);
    const bound = await add('cc'.repeat(32), false);
    await revoke(doomed.id);
    await (older === undefined ? rm(path) : writeFile(path, older));
    tokens = await open();
    assert.equal((await tokens.certified(shown('aa'.repeat(32)))).tokenId, kept.id);
    await assert.rejects(tokens.certified(shown('bb'.repeat(32))), hasCode('GATEWAY_CLIENT_REVOKED'));
    const { token } = bound as { token?: string };
    assert.deepEqual((await tokens.verify(token ?? '')).certificate, { key: 'cc'.repeat(32), alone: false });
  });

  it('puts on record what was made and revoked while no log ran, and gives that back too', async () => {
    const made = await tokens.issue({ subject: 'cli', name: 'init', scope: ['admin'], expiresInSeconds: 86_400 });
    const doomed = await tokens.issue({ subject: 'cli', name: 'old', scope: ['admin'], expiresInSeconds: 86_400 });
    await tokens.revoke(doomed.id);
    tokens = await open();
    await tokens.verify(made.token);
    assert.deepEqual(
      events.map(({ type, detail }) => [type, detail?.token]),
      [
        ['token.create', made.id],
        ['token.create', doomed.id],
        ['token.revoke', doomed.id],
      ],
    );
    tokens = await open();
    await tokens.verify(made.token);
    assert.equal(events.length, 3, 'once');
    await rm(path);
    tokens = await open();
    assert.equal((await tokens.verify(made.token)).subject, 'cli');
    await assert.rejects(tokens.verify(doomed.token), hasCode('GATEWAY_TOKEN_REVOKED'));
  });

  const CASES = {
    'an older copy': { found: 'behind', change: (older: Buffer) => writeFile(path, older) },
    'one byte changed': {
      found: 'damaged',
      change: async (_: Buffer, newest: Buffer) =>
        writeFile(path, newest.toString().replace('records:read', 'records:write')),
    },
    'an unsigned list': {
      found: 'behind',
      change: (older: Buffer) =>
        writeFile(path, JSON.stringify({ version: 1, tokens: JSON.parse(older.toString()).tokens })),
    },
    'a missing file': { found: 'missing', change: () => rm(path) },
    'a generation that was raised by hand': {
      found: 'damaged',
      change: (older: Buffer) => writeFile(path, older.toString().replace(/"generation": \d+/, '"generation": 99')),
    },
  } as const;

  for (const [name, { found, change }] of Object.entries(CASES)) {
    it(`${name}: what was revoked does not work, what was made does, and it is said`, async () => {
      const { kept, doomed, since, older, newest } = await aged();
      await change(older, newest);
      tokens = await open();
      await assert.rejects(tokens.verify(doomed.token), hasCode('GATEWAY_TOKEN_REVOKED'));
      assert.equal((await tokens.verify(kept.token)).name, 'kept');
      assert.equal((await tokens.verify(since.token)).name, 'since');
      assert.equal(tokens.reconciled()?.found, found);
      assert.deepEqual([events.at(-1)?.type, events.at(-1)?.detail?.found], ['token.restore', found]);
      tokens = await open();
      await assert.rejects(tokens.verify(doomed.token), hasCode('GATEWAY_TOKEN_REVOKED'));
      assert.equal(tokens.reconciled()?.found, undefined, 'the list is whole again');
    });
  }

  it('while the node is locked a list that is missing or damaged lets nothing pass but what opens the node', async () => {
    const { kept, doomed, newest } = await aged();
    locked = true;
    for (const damage of [() => rm(path), () => writeFile(path, newest.subarray(0, -9))]) {
      await damage();
      tokens = await open();
      await assert.rejects(tokens.verify(kept.token), hasCode('GATEWAY_TOKENS_INVALID'));
      assert.equal((await tokens.verify(kept.token, { unlisted: true })).tokenId, kept.id);
    }
    locked = false;
    clock += 1_000;
    await assert.rejects(tokens.verify(doomed.token), hasCode('GATEWAY_TOKEN_REVOKED'));
    assert.equal((await tokens.verify(kept.token)).name, 'kept');
  });

  it('a list that is newer than the log is what a crash between the two leaves: nothing is said', async () => {
    const { kept } = await aged();
    await tokens.issue({ subject: 'x', scope: ['rpc'], expiresInSeconds: 60 });
    tokens = await open();
    await tokens.verify(kept.token);
    assert.equal(tokens.reconciled()?.found, undefined);
  });

  it('a list of before it was signed is taken as it is, and signed with its next change', async () => {
    const { token } = await tokens.issue({ subject: 'x', scope: ['rpc'], expiresInSeconds: 86_400 });
    const { tokens: listed } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ version: 1, tokens: listed }));
    tokens = await open();
    await tokens.verify(token);
    await make('next');
    assert.equal(JSON.parse(await readFile(path, 'utf8')).version, 2);
  });

  for (const [state, change] of Object.entries({
    behind: (older: Uint8Array) => writeFile(path, older),
    damaged: () => writeFile(path, '{"version": 2, "tokens": []}'),
    missing: () => rm(path),
  })) {
    it(`a list that is ${state} under the running node is found, written anew and put on record`, async () => {
      const { kept, doomed, since, older, newest } = await aged();
      tokens = await open();
      await tokens.verify(kept.token);
      await tokens.look();
      assert.deepEqual([tokens.reconciled()?.found, await readFile(path)], [undefined, newest]);
      await change(older);
      await tokens.look();
      assert.equal(tokens.reconciled()?.found, state);
      const { type, detail } = events.at(-1) ?? assert.fail();
      assert.deepEqual([type, detail?.found, detail?.generation], ['token.restore', state, tokens.generation()]);
      const written = events.length;
      await tokens.look();
      assert.equal(events.length, written, 'found once');
      // What lies on the disk is whole: the next start finds it as the log has it.
      tokens = await open();
      await tokens.verify(since.token);
      await assert.rejects(tokens.verify(doomed.token), hasCode('GATEWAY_TOKEN_REVOKED'));
      assert.equal(tokens.reconciled()?.found, undefined);
    });
  }

  it('what signs the list makes no token', async () => {
    await make('one');
    const { signature, generation, tokens: listed } = JSON.parse(await readFile(path, 'utf8'));
    assert.ok(generation >= 1 && listed.length === 1);
    await assert.rejects(tokens.verify(`eyJhbGciOiJFZERTQSJ9.e30.${signature}`), hasCode('GATEWAY_TOKEN_INVALID'));
  });
});

const SYSTEM = { actor: { subject: 'test' }, requestId: 'r' };
