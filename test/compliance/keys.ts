import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GatewayDependencies, Tokens } from '../../appliance/gateway/index.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';

/** The keys of one node, locked, as the gateway holds them; and its tokens, signed with a key that it does not hold. */
export interface KeysUnderTest {
  readonly keys: GatewayDependencies['keys'];
  readonly tokens: Tokens;
  readonly passphrase: string;
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

    it('rotates to the next key', async () => {
      assert.deepEqual(await under.keys.rotate(), { from: 'kek/1', to: 'kek/2' });
      assert.deepEqual(
        (await under.keys.list()).map(({ id, current }) => [id, current]),
        [
          ['kek/1', false],
          ['kek/2', true],
        ],
      );
    });
  });
}
