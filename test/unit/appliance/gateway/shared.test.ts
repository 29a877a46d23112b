import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import type { JWK_OKP_Public } from 'jose';
import { openBackupNotes } from '../../../../appliance/gateway/backup-notes.ts';
import { openClientAuthorities } from '../../../../appliance/gateway/client-authorities.ts';
import { keyHash } from '../../../../appliance/gateway/client-certificate.ts';
import { openClientRevocations } from '../../../../appliance/gateway/client-revocations.ts';
import { gatewayTexts } from '../../../../appliance/gateway/gateway-texts.ts';
import { openHardeningNotes } from '../../../../appliance/gateway/hardening-notes.ts';
import { serialOf } from '../../../../appliance/gateway/revocation-list.ts';
import {
  CONFIRM_EVERY_MS,
  createSharedTexts,
  type SharedShelf,
  type SharedTexts,
} from '../../../../appliance/gateway/shared-texts.ts';
import { createTokenSigner, createTokens, type Tokens } from '../../../../appliance/gateway/tokens.ts';
import { createShelf } from '../../../../appliance/shelf/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { AuditDouble } from './doubles.ts';
import { clientPathsOf } from './harness.ts';
import { createSite, type Site, type SiteCertificate } from './site-authority.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JWK_OKP_Public;
const signer = createTokenSigner(privateKey.export({ format: 'der', type: 'pkcs8' }));
const log = createLogger({ level: 'silent' });
const NOW = Date.now();

interface Replica {
  readonly shared: SharedTexts;
  readonly tokens: Tokens;
  /** Of tokens that are no longer good here. */
  readonly ended: string[];
}

describe('two gateways of one node', () => {
  let folder: string;
  let clock: number;
  let asked: number;
  let down: boolean;
  let first: Replica;
  let second: Replica;

  const shelf = (): SharedShelf => {
    const kept = createShelf({ folder });
    return {
      read: (name) => kept.read(name),
      write: (name, text, after) => kept.write(name, text, after),
      async versions() {
        asked += 1;
        if (down) throw new NectarError('NODE_CONNECTION_LOST', { service: 'store', operation: 'versions' });
        return kept.versions();
      },
    };
  };
  const start = async (kept: SharedShelf): Promise<Replica> => {
    const shared = createSharedTexts(kept, () => clock);
    const ended: string[] = [];
    const tokens = await createTokens(
      { path: '', nodeId: 'aa'.repeat(16), publicJwk, text: shared.text('tokens') },
      { signer, now: () => clock, randomBytes },
    );
    tokens.onRevoked((id) => ended.push(id));
    return { shared, tokens, ended };
  };
  const issue = ({ tokens }: Replica, name: string) =>
    tokens.issue({ subject: 'clinic', name, scope: ['records:read'], expiresInSeconds: 86_400 });
  const names = ({ tokens }: Replica) => tokens.list().map(({ name }) => name);
  const file = (name: string) => join(folder, name);
  const texts = ({ shared }: Replica) =>
    gatewayTexts({ hardeningPath: '', backupsPath: '', clientPaths: clientPathsOf('') }, shared);
  const later = async ({ shared }: Replica) => {
    clock += CONFIRM_EVERY_MS;
    await shared.confirm();
  };

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'nectar-shared-')), 'gateway');
    [clock, asked, down] = [NOW, 0, false];
    const kept = shelf();
    [first, second] = [await start(kept), await start(kept)];
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  it('take a token that either has made', async () => {
    const { token } = await issue(first, 'made at the first');
    assert.equal((await second.tokens.verify(token)).name, 'made at the first');
  });

  it('refuse a token that the other has revoked, half a second later at the latest, and end what it had begun', async () => {
    const { id, token } = await issue(first, 'doomed');
    await second.tokens.verify(token);
    await first.tokens.revoke(id);
    assert.deepEqual(first.ended, [id], 'at once where it was revoked');
    clock += CONFIRM_EVERY_MS;
    await assert.rejects(second.tokens.verify(token), { code: 'GATEWAY_TOKEN_REVOKED' });
    assert.deepEqual(second.ended, [id]);
  });

  it('lose no change when both make one at a time', async () => {
    const both = [0, 1, 2, 3, 4].flatMap((n) => [issue(first, `first ${n}`), issue(second, `second ${n}`)]);
    const made = await Promise.all(both);
    await Promise.all([first.tokens.revoke(made[0]?.id ?? ''), second.tokens.revoke(made[1]?.id ?? '')]);
    for (const replica of [first, second, await start(shelf())]) {
      await later(replica);
      assert.equal(names(replica).length, 10);
      assert.equal(replica.tokens.list().filter(({ revokedAt }) => revokedAt !== undefined).length, 2);
      assert.equal(replica.tokens.generation(), 12);
    }
  });

  it('revoke a token that the other has just made', async () => {
    const { id, token } = await issue(first, 'new');
    await second.tokens.revoke(id);
    clock += CONFIRM_EVERY_MS;
    await assert.rejects(first.tokens.verify(token), { code: 'GATEWAY_TOKEN_REVOKED' });
  });

  it('believe no copy that the store does not confirm', async () => {
    const { token } = await issue(first, 'one');
    await second.tokens.verify(token);
    down = true;
    await second.tokens.verify(token);
    clock += CONFIRM_EVERY_MS;
    await assert.rejects(second.tokens.verify(token), { code: 'NODE_NOT_READY' });
    down = false;
    await second.tokens.verify(token);
  });

  it('ask the store once for many requests', async () => {
    const { token } = await issue(first, 'one');
    await second.tokens.verify(token);
    asked = 0;
    clock += CONFIRM_EVERY_MS;
    await Promise.all(Array.from({ length: 100 }, () => second.tokens.verify(token)));
    assert.equal(asked, 1);
  });

  it('write the list anew when an older copy is put back, and revive nothing', async () => {
    const { id, token } = await issue(first, 'doomed');
    const older = await readFile(file('tokens'));
    await first.tokens.revoke(id);
    await later(second);
    await writeFile(file('tokens'), older);
    for (const replica of [first, second]) {
      await later(replica);
      await assert.rejects(replica.tokens.verify(token), { code: 'GATEWAY_TOKEN_REVOKED' });
    }
    // One that has seen nothing learns from the log that the list is old.
    const { createdAt, expiresAt, revokedAt = '' } = first.tokens.list()[0] ?? assert.fail();
    const log = {
      latest: async () => ({ tokens: 2 }),
      loggedTokens: async () => [{ id, subject: 'clinic', scope: 'records:read', createdAt, expiresAt, revokedAt }],
      append: async () => undefined,
    };
    const third = await createTokens(
      { path: '', nodeId: 'aa'.repeat(16), publicJwk, text: createSharedTexts(shelf(), () => clock).text('tokens') },
      { signer, now: () => clock, randomBytes, log },
    );
    await assert.rejects(third.verify(token), { code: 'GATEWAY_TOKEN_REVOKED' });
    assert.equal(third.reconciled()?.found, 'behind');
    assert.equal(third.generation(), 3);
  });

  it('share what they were told of reports and backups, and keep what both were told', async () => {
    const audit = new AuditDouble();
    const context = { actor: { subject: 'tester' }, requestId: 'r' };
    const onRecord = async (type: 'node.backup' | 'hardening.schedule', detail: Record<string, string | number>) =>
      (await audit.append({ type, outcome: 'success', context, detail })).index;
    const open = async (replica: Replica) => {
      const deps = { audit, metrics: createMetrics(), log, now: () => clock };
      const { hardening, backups } = texts(replica);
      return { hardening: await openHardeningNotes(hardening, deps), backups: await openBackupNotes(backups, deps) };
    };
    const [a, b] = [await open(first), await open(second)];
    const taken = async (repository: string) => {
      const auditLeaf = await onRecord('node.backup', { kind: 'snapshot', repository, generation: 1 });
      return { repository, generation: 1, auditLeaf };
    };
    await onRecord('hardening.schedule', { profile: 'clinic', everySeconds: 3600 });
    await Promise.all([
      a.backups.snapshot(await taken('aa'.repeat(16))),
      b.backups.snapshot(await taken('bb'.repeat(16))),
      a.hardening.schedule({ everySeconds: 3600, profile: 'clinic' }),
    ]);
    for (const [replica, notes] of [[first, a] as const, [second, b] as const]) {
      await later(replica);
      assert.equal((await notes.backups.status())?.repositories, 2);
      assert.equal((await notes.hardening.status())?.everySeconds, 3600);
    }
  });

  describe('and the machines that call', () => {
    let site: Site;
    let good: SiteCertificate;
    let stolen: SiteCertificate;
    const open = async (replica: Replica) => {
      const all = texts(replica);
      const authorities = await openClientAuthorities(all.authorities, {
        log,
        now: () => clock,
        onChange: async () => revocations.look('again'),
      });
      const revocations = await openClientRevocations(all.revocations, {
        ...{ site: authorities.site, now: () => clock, log, metrics: createMetrics(), audit: new AuditDouble() },
      });
      const codeOf = (shown: SiteCertificate) => {
        const issuer = keyHash(new X509Certificate(site.certificate));
        try {
          revocations.require([{ serial: serialOf(new X509Certificate(shown.cert).raw), issuer }]);
          return 'good';
        } catch (error) {
          return (error as NectarError).code;
        }
      };
      return { authorities, revocations, codeOf };
    };

    before(async () => {
      site = await createSite(NOW);
      good = await site.issue({ names: [] });
      stolen = await site.issue({ names: [] });
    });

    it('are signed for by one authority, though both began at the same time', async () => {
      const [a, b] = [await open(first), await open(second)];
      assert.throws(() => a.authorities.own(), { code: 'NODE_NOT_READY' });
      await Promise.all([first.shared.confirm(), second.shared.confirm()]);
      assert.deepEqual(a.authorities.own(), b.authorities.own());
    });

    it('are refused by both once either was told that they are taken back; the number never goes back', async () => {
      const [a, b] = [await open(first), await open(second)];
      await Promise.all([first.shared.confirm(), second.shared.confirm()]);
      await a.authorities.replaceSite(site.certificate);
      await later(second);
      await b.revocations.replace(await site.revoke([stolen], { number: 5 }));
      await later(first);
      for (const { codeOf } of [a, b])
        assert.deepEqual([codeOf(good), codeOf(stolen)], ['good', 'GATEWAY_CLIENT_CERTIFICATE_REVOKED']);
      // The first has not looked since: what the second took counts against it all the same.
      await b.revocations.replace(await site.revoke([stolen], { number: 7 }));
      await assert.rejects(a.revocations.replace(await site.revoke([], { number: 6 })), /older than the one/);
      const { floors } = JSON.parse(await readFile(file('clients-floors'), 'utf8'));
      assert.deepEqual(
        Object.values(floors as Record<string, { number: string }>).map(({ number }) => number),
        ['7'],
      );
    });

    it('are kept out while an older list lies there', async () => {
      const [a, b] = [await open(first), await open(second)];
      await Promise.all([first.shared.confirm(), second.shared.confirm()]);
      await a.authorities.replaceSite(site.certificate);
      await a.revocations.replace(await site.revoke([], { number: 4 }));
      const older = await readFile(file('clients-lists'));
      await a.revocations.replace(await site.revoke([stolen], { number: 5 }));
      await writeFile(file('clients-lists'), older);
      for (const [replica, { codeOf }] of [[first, a] as const, [second, b] as const]) {
        await later(replica);
        assert.equal(codeOf(stolen), 'GATEWAY_CLIENT_REVOCATION_UNKNOWN');
      }
    });
  });
});
