import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { HeldBlocks, Store } from '../../appliance/store/index.ts';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';
import { erased } from './store.ts';

/** The ciphertext side of one running store, however it is reached. */
export interface BlocksUnderTest {
  readonly store: Pick<
    Store,
    'underReplicated' | 'markReplicated' | 'unanchored' | 'markAnchored' | 'pendingReleases' | 'released'
  > & {
    readonly blocks: Pick<Store['blocks'], 'get'>;
    readonly held: Omit<HeldBlocks, 'bytes'>;
  };
  /** The owner's side, to put what the other side is about. */
  readonly owner: Pick<Store, 'put' | 'head' | 'shred' | 'condition'>;
  close(): Promise<void>;
}

const context = { actor: { subject: 'compliance' }, requestId: 'compliance-1' };
const signal = new AbortController().signal;
const MIB = 1024 * 1024;
const PEER = '12D3KooWNwat7QPSS3fvWDtnvKqUf8vjo7QAY7ZQP6V8FhG6NSaj' as PeerIdText;
const OTHER = '12D3KooWKyWu5Br81RorNzXLH1gTPYcA6rBBuaKDu7DsHsnQvgjP' as PeerIdText;
const ABSENT = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' as Cid;
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));

/** What the rollup role may rely on: blocks, replicas, commitments; ciphertext alone. */
export function blocksCompliance(name: string, create: () => Promise<BlocksUnderTest>): void {
  describe(`blocks compliance: ${name}`, () => {
    let under: BlocksUnderTest;
    before(async () => {
      under = await create();
    });
    after(() => under.close());
    const put = (bytes: Uint8Array) =>
      under.owner.put(
        { contentType: 'a/b', labels: [] },
        (async function* () {
          yield bytes;
        })(),
        context,
        signal,
      );

    it('names what lacks replicas, hands out its blocks, and takes note of a holder', async () => {
      const { recordId, cid } = await put(randomBytes(3 * MIB));
      const [blob] = (await under.store.underReplicated(100)).filter(({ root }) => root === cid);
      assert.ok(blob !== undefined && blob.blocks.length > 3 && blob.blocks.includes(cid));
      for (const block of blob.blocks) assert.ok(((await under.store.blocks.get(block))?.length ?? 0) > 0);
      await under.store.markReplicated(cid, PEER);
      assert.deepEqual([...(await under.owner.head(recordId, {}, context)).replicas], [PEER]);
      assert.equal((await under.store.underReplicated(100)).length, 0);
    });

    it('has no block that is not its own: absent is not empty', async () => {
      assert.equal(await under.store.blocks.get(ABSENT), undefined);
      assert.equal(await under.store.held.get(PEER, ABSENT), undefined);
    });

    it('gives salted commitments of what is not anchored, and takes note of the anchor', async () => {
      const { recordId, version } = await put(Buffer.from('to be anchored'));
      const waiting = (await under.store.unanchored(100)).find((item) => item.recordId === recordId);
      assert.ok(waiting?.commitment instanceof Uint8Array && waiting.commitment.length === 32);
      const { commitment } = waiting;
      await under.store.markAnchored([{ recordId, version, commitment }], {
        root: `0x${'ab'.repeat(32)}`,
        batchId: '7',
      });
      assert.equal((await under.owner.head(recordId, {}, context)).anchored, true);
      assert.equal(
        (await under.store.unanchored(100)).some((item) => item.recordId === recordId),
        false,
      );
    });

    it('holds blocks of other owners, each for its own, until they are let go', async () => {
      const { cid } = await put(randomBytes(2 * MIB));
      const block = await under.store.blocks.get(cid);
      assert.ok(block !== undefined);
      await under.store.held.hold(PEER, cid, { cid, bytes: block });
      assert.deepEqual(Buffer.from((await under.store.held.get(PEER, cid)) ?? []), Buffer.from(block));
      assert.equal(await under.store.held.get(OTHER, cid), undefined);
      assert.equal(await under.store.held.release(PEER, cid), block.length);
      assert.equal(await under.store.held.release(PEER, cid), 0);
      assert.equal(await under.store.held.get(PEER, cid), undefined);
    });

    it('knows whose blocks it holds, and hears who is no member any more', async () => {
      const { cid } = await put(randomBytes(2 * MIB));
      const block = (await under.store.blocks.get(cid)) ?? assert.fail('no block');
      assert.equal(await under.store.held.owes(OTHER), false);
      await under.store.held.hold(OTHER, cid, { cid, bytes: block });
      assert.equal(await under.store.held.owes(OTHER), true);
      assert.deepEqual(await under.store.held.owners(), [OTHER]);
      await under.store.held.tidy([{ owner: OTHER, isMember: false }]);
      assert.deepEqual(Buffer.from((await under.store.held.get(OTHER, cid)) ?? []), Buffer.from(block));
      await under.store.held.release(OTHER, cid);
      assert.deepEqual(await under.store.held.owners(), []);
    });

    it('says whom to tell of a deletion until the receipt is in', async () => {
      const { recordId, cid } = await put(randomBytes(1000));
      await under.store.markReplicated(cid, PEER);
      await under.owner.shred(recordId, context);
      await erased(under.owner);
      assert.deepEqual(await under.store.pendingReleases(10), [{ holder: PEER, roots: [cid] }]);
      const receipt = { nonce: 'ab'.repeat(32), epoch: 20_000, bytes: 1000, signature: 'c2ln'.repeat(22) };
      await under.store.released({ holder: PEER, roots: [cid], receipt });
      assert.deepEqual(await under.store.pendingReleases(10), []);
    });

    it('refuses a block that is not what its CID names', async () => {
      const lie = { cid: ABSENT, bytes: randomBytes(100) };
      await assert.rejects(under.store.held.hold(PEER, ABSENT, lie), (error) => isNectarError(error));
      const page = await under.store.unanchored(1);
      assert.ok(page.length <= 1);
      await assert.rejects(
        under.store.held.hold(PEER, ABSENT, { cid: 'not a cid' as Cid, bytes: randomBytes(10) }),
        (error) => isNectarError(error) || hasCode('NODE_MESSAGE_INVALID')(error),
      );
    });
  });
}
