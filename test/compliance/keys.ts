import assert from 'node:assert/strict';
import { type KeyObject, verify } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { GatewayDependencies, Tokens } from '../../appliance/gateway/index.ts';
import { encodeSnapshotStatement } from '../../protocol/backup/snapshot-statement.ts';
import { encodeStatement } from '../../protocol/backup/statement.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';

/** The keys of one node, locked, as the gateway holds them; and its tokens, signed with a key that it does not hold. */
export interface KeysUnderTest {
  readonly keys: GatewayDependencies['keys'];
  readonly tokens: Tokens;
  readonly passphrase: string;
  readonly backups: GatewayDependencies['backups'];
  /** Public half of what signs statements, and of which node they are. */
  readonly checkpointKey: KeyObject;
  readonly nodeId: string;
  close(): Promise<void>;
}

const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));
const request = { subject: 'compliance', scope: ['node:read' as const], expiresInSeconds: 60 };

/** What the gateway may rely on, however the keys are reached. The tests tell one story, in order. */
export function keysCompliance(name: string, create: () => Promise<KeysUnderTest>): void {
  describe(`keys compliance: ${name}`, () => {
    let under: KeysUnderTest;
    before(async () => {
      under = await create();
    });
    after(() => under.close());
    const unlock = (passphrase: string) =>
      under.keys.unlock({ provider: 'passphrase', passphrase: Buffer.from(passphrase) });

    it('is locked at first: lists its keys, signs and rotates nothing', async () => {
      assert.equal(await under.keys.state(), 'locked');
      const [key] = await under.keys.list();
      assert.deepEqual([key?.id, key?.current, key?.provider], ['kek/1', true, 'passphrase']);
      await assert.rejects(under.keys.rotate(), hasCode('KEY_LOCKED'));
      await assert.rejects(under.tokens.issue(request), hasCode('KEY_LOCKED'));
      await assert.rejects(under.backups.repositoryKey('11'.repeat(16)), hasCode('KEY_LOCKED'));
    });

    it('refuses a wrong passphrase and an absent provider, and stays locked', async () => {
      await assert.rejects(unlock('not the passphrase'), hasCode('KEY_PASSPHRASE_WRONG'));
      await assert.rejects(under.keys.unlock({ provider: 'file' }), hasCode('KEY_PROVIDER_UNAVAILABLE'));
      assert.equal(await under.keys.state(), 'locked');
    });

    it('opens with the right one, at once and for everybody', async () => {
      await unlock(under.passphrase);
      assert.equal(await under.keys.state(), 'unlocked');
      await unlock(under.passphrase);
    });

    it('issues tokens that verify until they are revoked', async () => {
      const issued = await under.tokens.issue(request);
      const principal = await under.tokens.verify(issued.token);
      assert.equal(principal.subject, 'compliance');
      await under.tokens.revoke(issued.id);
      await assert.rejects(under.tokens.verify(issued.token), hasCode('GATEWAY_TOKEN_REVOKED'));
    });

    it('signs what a backup says of itself, spelled out as a statement of this node', async () => {
      const createdAt = '2026-11-23T06:00:00.000Z';
      const digest = 'ab'.repeat(32);
      const file = { createdAt, entries: 3, bytes: 4, manifestSha256: digest };
      const snapshot = {
        ...{
          repository: '11'.repeat(16),
          generation: 2,
          createdAt,
          leaves: 9,
          checkpointSize: 8,
          checkpointRoot: digest,
        },
        ...{ manifestSha256: digest, tableSha256: digest, previous: digest },
      };
      const { nodeId, checkpointKey, backups } = under;
      for (const [text, signature] of [
        [encodeStatement({ nodeId, ...file }), await backups.sign({ kind: 'file', ...file })],
        [encodeSnapshotStatement({ nodeId, ...snapshot }), await backups.sign({ kind: 'snapshot', ...snapshot })],
      ] as const) {
        assert.ok(verify(null, Buffer.from(text), checkpointKey, signature), text);
      }
    });

    it('gives each repository a key of its own, the same one again', async () => {
      const [one, again, other] = await Promise.all(
        ['11', '11', '22'].map((byte) => under.backups.repositoryKey(byte.repeat(16))),
      );
      assert.equal(one?.length, 32);
      assert.deepEqual(one, again);
      assert.notDeepEqual(one, other);
      await assert.rejects(under.backups.repositoryKey('../x'));
    });

    it('rotates to the next key', async () => {
      assert.deepEqual(await under.keys.rotate(), { from: 'kek/1', to: 'kek/2', generation: 2 });
      assert.deepEqual(
        (await under.keys.list()).map(({ id, current }) => [id, current]),
        [
          ['kek/1', false],
          ['kek/2', true],
        ],
      );
    });

    it('enrols, changes and removes what opens it, and never what nothing else would replace', async () => {
      const ids = async () => (await under.keys.providers()).map(({ id }) => id);
      assert.deepEqual(await ids(), ['passphrase-1']);
      await assert.rejects(under.keys.remove('passphrase-1'), hasCode('KEY_PROVIDER_LAST'));
      await assert.rejects(under.keys.remove('passphrase-9'), hasCode('KEY_PROVIDER_ABSENT'));
      const secret = () => Buffer.from('seven fresh words for a compliance suite');
      const wanted = { provider: 'passphrase', secret: secret() };
      assert.deepEqual(await under.keys.enroll(wanted), { id: 'passphrase-3', generation: 3 });
      const changed = await under.keys.change('passphrase-1', { provider: 'passphrase', secret: secret() });
      assert.deepEqual(changed, { id: 'passphrase-4', generation: 4 });
      assert.deepEqual(await under.keys.remove('passphrase-3'), { id: 'passphrase-3', generation: 5 });
      assert.deepEqual(await ids(), ['passphrase-4']);
      await assert.rejects(
        under.keys.enroll({ provider: 'file', settings: { place: 'no such setting' } }),
        hasCode('KEY_ENROLMENT_INVALID'),
      );
      await assert.rejects(under.keys.enroll({ provider: 'abacus' }), hasCode('KEY_PROVIDER_UNKNOWN'));
      await assert.rejects(under.keys.resolve(), hasCode('KEY_STORE_AGREES'));
    });

    it('replaces the root key for what opens it, and never without a passphrase that it needs', async () => {
      const before = await under.backups.repositoryKey('11'.repeat(16));
      const secret = Buffer.from('seven fresh words for a compliance suite');
      await assert.rejects(under.keys.replaceRoot({ without: [] }), hasCode('KEY_ROOT_PROVIDER_CLOSED'));
      await assert.rejects(under.keys.replaceRoot({ without: ['file-7'] }), hasCode('KEY_PROVIDER_ABSENT'));
      const replaced = await under.keys.replaceRoot({ without: [], secret });
      assert.deepEqual(replaced, { providers: ['passphrase-4'], generation: 6 });
      const states = (await under.keys.purposes()).map(({ purpose, state }) => `${purpose} ${state}`);
      const pending = ['index pending', 'audit-body added', 'identity pending', 'rollup-db kept', 'backup kept'];
      assert.deepEqual(states, pending);
      // What hangs below it stays: a repository of before is read on.
      assert.deepEqual(await under.backups.repositoryKey('11'.repeat(16)), before);
      await under.tokens.issue(request);
    });

    it('destroys the keys that are not in use any more', async () => {
      assert.deepEqual(await under.keys.retire(), { destroyed: ['kek/1'], generation: 7 });
      const [first, second] = await under.keys.list();
      assert.deepEqual([first?.id, typeof first?.destroyedAt, second?.current], ['kek/1', 'string', true]);
    });
  });
}
