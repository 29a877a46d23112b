import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Reach } from '../../../../../appliance/rollup/challenge/talks.ts';
import type { SignedMove } from '../../../../../protocol/dispute/move.ts';
import { L1Double } from './l1-double.ts';
import { createPlayer, type Lie, rivalriesWith, turned } from './twins.ts';

const root = mkdtempSync(join(tmpdir(), 'nectar-conversations-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, `${folders++}`);
const nobody: Reach = { canReach: () => false, exchange: async () => undefined };
const lie = (iteration: number, step: number): Lie => ({
  iteration: BigInt(iteration),
  step: BigInt(step),
  name: `${iteration}/${step}`,
});

describe('what an opponent says', () => {
  async function scene() {
    const one = lie(5, 50);
    const { honestOpens: rivalry } = await rivalriesWith(one);
    const l1 = new L1Double();
    const folder = newFolder();
    const honest = createPlayer({ l1, rivalries: () => [rivalry], folder, reach: nobody });
    const liar = createPlayer({ l1, rivalries: () => [turned(rivalry)], folder: newFolder(), reach: nobody, lie: one });
    const first = await honest.conversations.newest(rivalry);
    assert.ok(first);
    const second = await liar.conversations.hear(turned(rivalry), first);
    assert.ok(second);
    return { rivalry, honest, liar, first, second, folder, l1 };
  }
  const refuses = (promise: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(promise, (error) => (error as { code?: string }).code === code);

  it('is answered with the same words, however often it comes and after a restart', async () => {
    const { rivalry, honest, second, folder, l1 } = await scene();
    const answer = await honest.conversations.hear(rivalry, second);
    assert.equal(answer?.move.round, 3);
    assert.deepEqual(await honest.conversations.hear(rivalry, second), answer);
    const again = createPlayer({ l1, rivalries: () => [rivalry], folder, reach: nobody });
    assert.deepEqual(await again.conversations.newest(rivalry), answer);
    assert.equal((await again.heard.get(rivalry.subject.id))?.heard.length, 1);
  });
  it('counts for nothing when another signed it, or the signature is damaged or of another encoding', async () => {
    const { rivalry, honest, first, second } = await scene();
    const signed = (signature: SignedMove['signature']) => honest.conversations.hear(rivalry, { ...second, signature });
    await refuses(signed(first.signature), 'DISPUTE_SIGNATURE_INVALID');
    await refuses(signed(`0x${'00'.repeat(65)}`), 'DISPUTE_SIGNATURE_INVALID');
    await refuses(signed(otherEncoding(second.signature)), 'DISPUTE_SIGNATURE_INVALID');
    assert.equal(await honest.heard.get(rivalry.subject.id), undefined);
  });
  it("counts for nothing when it is this node's own, of another challenge, or not to the point", async () => {
    const { rivalry, honest, first, second, liar } = await scene();
    await refuses(honest.conversations.hear(rivalry, first), 'DISPUTE_MOVE_INVALID');
    const { honestOpens: other } = await rivalriesWith({ ...lie(5, 50), name: 'other' });
    await refuses(honest.conversations.hear(other, second), 'DISPUTE_MOVE_INVALID');
    const third = await honest.conversations.hear(rivalry, second);
    assert.ok(third);
    const fourth = await liar.conversations.hear(turned(rivalry), third);
    assert.ok(fourth);
    const fresh = createPlayer({ l1: new L1Double(), rivalries: () => [rivalry], folder: newFolder(), reach: nobody });
    // It answers a move of this node that the fresh one did not make yet: nothing is believed of it.
    await refuses(fresh.conversations.hear(rivalry, fourth), 'DISPUTE_MOVE_INVALID');
  });
  it('twice in one round makes this node contradict nothing', async () => {
    const { rivalry, honest, first, second } = await scene();
    const other = createPlayer({
      l1: new L1Double(),
      rivalries: () => [turned(rivalry)],
      folder: newFolder(),
      reach: nobody,
      lie: { ...lie(5_000, 3), name: lie(5, 50).name },
    });
    const otherSecond = await other.conversations.hear(turned(rivalry), first);
    assert.ok(otherSecond);
    const answers = [
      await honest.conversations.hear(rivalry, second),
      await honest.conversations.hear(rivalry, otherSecond),
    ];
    assert.deepEqual(
      answers.map((answer) => answer?.move.round),
      [3, 3],
    );
    assert.equal((await honest.heard.get(rivalry.subject.id))?.heard.length, 2);
  });
});

/** The same signature with n - s: valid for ECDSA, and refused by L1. */
function otherEncoding(signature: SignedMove['signature']): SignedMove['signature'] {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith('1b') ? '1c' : '1b';
  return `0x${signature.slice(2, 66)}${s.toString(16).padStart(64, '0')}${v}`;
}
