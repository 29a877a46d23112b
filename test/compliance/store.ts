import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AccessContext,
  ContentDigests,
  Expected,
  IdempotencyKey,
  PutReceipt,
  Store,
  StoreAuditEvent,
} from '../../appliance/store/index.ts';
import { encodeIndexFrame } from '../../protocol/backup/index-frames.ts';
import type { RecordId } from '../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';
import { openExported } from './open-exported.ts';

/** What of a store is called from outside it. */
export type CalledStore = Pick<
  Store,
  | 'uploads'
  | 'put'
  | 'open'
  | 'head'
  | 'present'
  | 'list'
  | 'shred'
  | 'rewrap'
  | 'rekey'
  | 'pauseRekey'
  | 'keepReplaced'
  | 'changeOffer'
  | 'exportCar'
  | 'exportTink'
  | 'scrub'
  | 'fsck'
  | 'adopt'
> & {
  readonly blocks: Pick<Store['blocks'], 'get'>;
};

/** One running store, however it is reached. */
export interface StoreUnderTest {
  readonly store: CalledStore;
  stats(): ReturnType<Store['stats']>;
  condition(): ReturnType<Store['condition']>;
  /** What reached the audit log, in order. */
  readonly events: readonly StoreAuditEvent[];
  /** Makes a KEK, current from now on; its id. */
  rotateKeys(): string;
  /** Makes the next append of this type fail. */
  failAudit(type: string): void;
  /** The same data behind a new store. */
  restart(): Promise<unknown>;
  close(): Promise<void>;
}

const context: AccessContext = { actor: { subject: 'compliance' }, requestId: 'compliance-1' };
const signal = new AbortController().signal;
const MIB = 1024 * 1024;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

export function hasCode(expected: ErrorCode) {
  return (error: unknown): boolean =>
    isNectarError(error, expected) || assert.fail(`${String(error)} is not ${expected}`);
}

/** Waits until what a deletion leaves to do is done. */
export async function erased(of: { condition(): { readonly pendingErasures: number } }): Promise<void> {
  for (let i = 0; of.condition().pendingErasures > 0; i++) {
    assert.ok(i < 1_000, 'destroyed bytes stay in the files');
    await sleep(10);
  }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What every store does, whatever it is made of and however it is called. */
export function storeCompliance(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`store compliance: ${name}`, () => {
    let under: StoreUnderTest;
    before(async () => {
      under = await create();
    });
    after(() => under.close());

    const put = (
      bytes: Uint8Array,
      input: {
        recordId?: RecordId;
        labels?: string[];
        name?: string;
        expected?: Expected;
        digests?: ContentDigests;
      } = {},
      size = 50_000,
    ) =>
      under.store.put({ contentType: 'application/dicom', labels: [], ...input }, pieces(bytes, size), context, signal);
    const get = async (id: RecordId, options: Parameters<Store['open']>[1] = {}): Promise<Buffer> =>
      readAll((await under.store.open(id, options, context, signal)).body);

    for (const bytes of [0, 1, 4096, 65_480, 65_481, MIB - 56, MIB - 55, 2 * MIB - 72, 3 * MIB + 17]) {
      it(`returns ${bytes} bytes as they were put, before and after a restart`, async () => {
        const plaintext = randomBytes(bytes);
        const receipt = await put(plaintext, {}, 77_777);
        assert.deepEqual({ version: receipt.version, bytes: receipt.bytes }, { version: 1, bytes });
        assert.equal(digest(await get(receipt.recordId)), digest(plaintext));
        await under.restart();
        assert.equal(digest(await get(receipt.recordId)), digest(plaintext));
      });
    }

    it('reads any range, and only ranges inside the record', async () => {
      const plaintext = randomBytes(2 * MIB + 500_000);
      const { recordId } = await put(plaintext);
      const ranges: [number, number?][] = [
        [0, 1],
        [0],
        [5, 5],
        [MIB - 57, MIB - 55],
        [MIB - 56],
        [MIB, 2 * MIB],
        [2 * MIB - 72, 2 * MIB - 71],
        [plaintext.length - 1],
        [100, plaintext.length + 999],
      ];
      for (const [start, end] of ranges) {
        const opened = await under.store.open(
          recordId,
          { range: { start, ...(end === undefined ? {} : { end }) } },
          context,
          signal,
        );
        const stop = Math.min(end ?? plaintext.length, plaintext.length);
        assert.deepEqual([opened.start, opened.end], [start, stop]);
        assert.equal(digest(await readAll(opened.body)), digest(plaintext.subarray(start, stop)), `${start}-${end}`);
      }
      for (const range of [{ start: plaintext.length }, { start: -1 }, { start: 5, end: 4 }, { start: 0.5 }]) {
        await assert.rejects(under.store.open(recordId, { range }, context, signal), hasCode('STORE_RANGE_INVALID'));
      }
    });

    it('takes a body in any pieces, empty and single bytes among them', async () => {
      const plaintext = randomBytes(3000);
      const receipt = await put(plaintext, {}, 1);
      assert.equal(digest(await get(receipt.recordId)), digest(plaintext));
      const withEmpty = (async function* () {
        yield new Uint8Array(0);
        yield plaintext;
        yield new Uint8Array(0);
      })();
      const again = await under.store.put({ contentType: 'a/b', labels: [] }, withEmpty, context, signal);
      assert.equal(digest(await get(again.recordId)), digest(plaintext));
    });

    it('keeps versions, and the metadata of each', async () => {
      const first = await put(Buffer.from('one'), { labels: ['a', 'b'], name: 'one.txt' });
      const second = await put(Buffer.from('two'), { recordId: first.recordId, labels: ['b'], name: 'two.txt' });
      assert.equal(second.version, 2);
      assert.notEqual(second.cid, first.cid);
      assert.equal((await get(first.recordId)).toString(), 'two');
      assert.equal((await get(first.recordId, { version: 1 })).toString(), 'one');
      const old = await under.store.head(first.recordId, { version: 1 }, context);
      assert.deepEqual(
        [old.name, [...old.labels], old.cid, old.anchored, [...old.replicas]],
        ['one.txt', ['a', 'b'], first.cid, false, []],
      );
      await assert.rejects(get(first.recordId, { version: 3 }), hasCode('STORE_RECORD_NOT_FOUND'));
      const digests = { 'sha-256': createHash('sha256').update('three').digest('base64') };
      await put(Buffer.from('three'), { recordId: first.recordId, digests });
      const current = await under.store.head(first.recordId, {}, context);
      assert.deepEqual([old.digests, current.digests], [undefined, digests]);
      const unknown = '0'.repeat(32) as RecordId;
      await assert.rejects(put(Buffer.from('x'), { recordId: unknown }), hasCode('STORE_RECORD_NOT_FOUND'));
      await assert.rejects(get('../../etc/passwd' as RecordId), hasCode('STORE_RECORD_NOT_FOUND'));
    });

    it('says of many records whether they are there, in their order, with one leaf for all', async () => {
      const { recordId: kept } = await put(Buffer.from('kept'), { labels: [] });
      await put(Buffer.from('kept, again'), { recordId: kept });
      const { recordId: gone } = await put(Buffer.from('gone'), {});
      await under.store.shred(gone, context);
      const absent = 'ab'.repeat(16) as RecordId;
      const leaves = under.events.length;
      assert.deepEqual(await under.store.present([absent, kept, gone, kept], context), [
        { recordId: absent, state: 'absent' },
        { recordId: kept, state: 'present', version: 2 },
        { recordId: gone, state: 'destroyed' },
        { recordId: kept, state: 'present', version: 2 },
      ]);
      assert.deepEqual(
        under.events.slice(leaves).map(({ type, detail }) => [type, detail]),
        [['record.query', { results: 2, asked: 4, filter: 'ids' }]],
      );
      const many = Array.from({ length: 1_000 }, () => kept);
      assert.equal((await under.store.present(many, context)).length, 1_000);
      await assert.rejects(under.store.present([...many, kept], context));
    });

    it('lists by label, page by page, in order, and takes no forged cursor', async () => {
      const ids: RecordId[] = [];
      for (let i = 0; i < 7; i++)
        ids.push((await put(Buffer.from(`${i}`), { labels: ['paged', `only-${i}`] })).recordId);
      const seen: RecordId[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await under.store.list(
          { label: 'paged', limit: 3, ...(cursor === undefined ? {} : { cursor }) },
          context,
        );
        seen.push(...page.records.map((record) => record.recordId));
        if (page.cursor !== undefined) {
          await assert.rejects(
            under.store.list({ label: 'other', limit: 3, cursor: page.cursor }, context),
            hasCode('STORE_CURSOR_INVALID'),
          );
        }
        cursor = page.cursor;
        pages += 1;
      } while (cursor !== undefined);
      assert.deepEqual([seen, pages], [ids, 3]);
      const newest = { label: 'paged', order: 'newest', limit: 4 } as const;
      const first = await under.store.list(newest, context);
      const { cursor: on = '' } = first;
      const rest = await under.store.list({ ...newest, cursor: on }, context);
      const backwards = [...first.records, ...rest.records].map((record) => record.recordId);
      assert.deepEqual([backwards, rest.cursor], [ids.toReversed(), undefined]);
      const turned = under.store.list({ label: 'paged', limit: 4, cursor: on }, context);
      await assert.rejects(turned, hasCode('STORE_CURSOR_INVALID'), 'a cursor keeps its order');
      assert.deepEqual(
        (await under.store.list({ label: 'only-4', limit: 10 }, context)).records.map((r) => r.recordId),
        [ids[4]],
      );
      assert.deepEqual((await under.store.list({ label: 'nothing', limit: 10 }, context)).records, []);
      await assert.rejects(under.store.list({ limit: 3, cursor: 'AAAA' }, context), hasCode('STORE_CURSOR_INVALID'));
      await assert.rejects(under.store.list({ limit: 0 }, context), hasCode('STORE_INPUT_INVALID'));
    });

    it('takes an upload in parts, across a restart, and makes one record of it', async () => {
      const bytes = randomBytes(2 * MIB + 100);
      const { uploads } = under.store;
      const { id } = await uploads.begin({ input: { contentType: 'a/b', labels: [] }, bytes: bytes.length }, context);
      const first = pieces(bytes.subarray(0, MIB), 77_777);
      assert.equal((await uploads.append(id, { offset: 0, body: first }, context, signal)).offset, MIB);
      await under.restart();
      const again = under.store.uploads;
      const wrong = again.append(id, { offset: 5, body: pieces(bytes, 100) }, context, signal);
      await assert.rejects(wrong, hasCode('STORE_UPLOAD_OFFSET'));
      const rest = { offset: MIB, body: pieces(bytes.subarray(MIB), 50_000) };
      const { receipt } = await again.append(id, rest, context, signal);
      assert.equal(digest(await get((receipt as PutReceipt).recordId)), digest(bytes));
      assert.deepEqual((await again.state(id, context)).receipt, receipt);
      await again.discard(id, context);
      await assert.rejects(again.state(id, context), hasCode('STORE_UPLOAD_ABSENT'));
    });

    it('an update moves the record between labels', async () => {
      const { recordId } = await put(Buffer.from('1'), { labels: ['before-update'] });
      await put(Buffer.from('2'), { recordId, labels: ['after-update'] });
      assert.equal((await under.store.list({ label: 'before-update', limit: 5 }, context)).records.length, 0);
      assert.equal((await under.store.list({ label: 'after-update', limit: 5 }, context)).records[0]?.version, 2);
    });

    it('refuses labels, names and types out of bounds', async () => {
      const bad = [
        { labels: Array.from({ length: 33 }, (_, i) => `${i}`) },
        { labels: [''] },
        { labels: ['x'.repeat(129)] },
        { labels: ['a\u0000b'] },
        { name: 'n'.repeat(1025) },
        { name: 'line\nbreak' },
      ];
      for (const input of bad) await assert.rejects(put(Buffer.from('x'), input), hasCode('STORE_INPUT_INVALID'));
    });

    it('an aborted or failing upload leaves nothing', async () => {
      const before = under.stats();
      const abort = new AbortController();
      const hanging = (async function* () {
        yield randomBytes(3 * MIB);
        abort.abort(new Error('client went away'));
        await new Promise(() => undefined);
      })();
      const input = { contentType: 'a/b', labels: [] };
      await assert.rejects(under.store.put(input, hanging, context, abort.signal), /client went away/);
      const failing = (async function* () {
        yield randomBytes(3 * MIB);
        throw new Error('connection reset');
      })();
      await assert.rejects(under.store.put(input, failing, context, signal), /connection reset/);
      assert.deepEqual(under.stats(), before);
    });

    it('does nothing that it cannot log', async () => {
      const { recordId } = await put(Buffer.from('logged'));
      const before = under.stats();
      under.failAudit('record.create');
      await assert.rejects(put(randomBytes(2 * MIB)), /not writable/);
      assert.deepEqual(under.stats(), before);
      under.failAudit('record.read');
      await assert.rejects(under.store.open(recordId, {}, context, signal), /not writable/);
      under.failAudit('record.query');
      await assert.rejects(under.store.list({ limit: 1 }, context), /not writable/);
      under.failAudit('record.delete');
      await assert.rejects(under.store.shred(recordId, context), /not writable/);
      assert.equal((await get(recordId)).toString(), 'logged');
    });

    it('logs every access with its subject, before it resolves', async () => {
      const { recordId, auditLeaf, cid } = await put(Buffer.from('seen'));
      const created = under.events[auditLeaf];
      assert.deepEqual(
        [created?.type, created?.outcome, created?.version, created?.detail?.cid],
        ['record.create', 'success', 1, cid],
      );
      const opened = await under.store.open(recordId, {}, context, signal);
      assert.deepEqual(
        [under.events[opened.auditLeaf]?.type, under.events[opened.auditLeaf]?.context],
        ['record.read', context],
      );
      await readAll(opened.body);
      const count = under.events.length;
      await under.store.head(recordId, {}, context);
      await under.store.list({ limit: 1 }, context);
      assert.deepEqual(
        under.events.slice(count).map((event) => event.type),
        ['record.read', 'record.query'],
      );
    });

    it('hands out the sealed blob and the keyset that opens it, each in the log before it resolves', async () => {
      for (const plaintext of [Buffer.alloc(0), randomBytes(2 * MIB + 17)]) {
        const { recordId } = await put(plaintext);
        await put(Buffer.from('newer'), { recordId });
        const keyset = await under.store.exportTink(recordId, { part: 'keyset', version: 1 }, context, signal);
        const about = (leaf: number) => {
          const { type, outcome, version, detail } = under.events[leaf] ?? {};
          return [type, outcome, version, detail?.format, detail?.with];
        };
        assert.deepEqual(about(keyset.auditLeaf), ['record.export', 'success', 1, 'tink', 'key']);
        const blob = await under.store.exportTink(recordId, { part: 'blob', version: 1 }, context, signal);
        assert.deepEqual(about(blob.auditLeaf), ['record.export', 'success', 1, 'tink', undefined]);
        assert.equal(blob.associatedData, keyset.associatedData);
        const bytes = await readAll(blob.body);
        assert.equal(bytes.length, blob.blobBytes);
        const sealed = { keyset: await readAll(keyset.body), associatedData: keyset.associatedData };
        assert.equal(digest(openExported(sealed, bytes)), digest(plaintext));
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        assert.throws(() => openExported(sealed, bytes), /does not open/);
      }
    });

    it('lets no key out that is not in the log, and none of a record that is destroyed', async () => {
      const { recordId } = await put(Buffer.from('kept'));
      under.failAudit('record.export');
      await assert.rejects(under.store.exportTink(recordId, { part: 'keyset' }, context, signal));
      await under.store.shred(recordId, context);
      for (const part of ['keyset', 'blob'] as const) {
        const asked = under.store.exportTink(recordId, { part }, context, signal);
        await assert.rejects(asked, hasCode('STORE_RECORD_SHREDDED'));
      }
    });

    it('a shredded record is gone for good; asked again it returns the same receipt', async () => {
      const { recordId } = await put(randomBytes(2 * MIB), { labels: ['doomed'] });
      await put(Buffer.from('small'), { recordId, labels: ['doomed'] });
      const receipt = await under.store.shred(recordId, context);
      assert.equal(receipt.versions.length, 2);
      assert.equal(under.events[receipt.auditLeaf]?.type, 'record.delete');
      for (const version of [undefined, 1, 2]) {
        await assert.rejects(get(recordId, version === undefined ? {} : { version }), hasCode('STORE_RECORD_SHREDDED'));
      }
      await assert.rejects(put(Buffer.from('again'), { recordId }), hasCode('STORE_RECORD_SHREDDED'));
      assert.equal((await under.store.list({ label: 'doomed', limit: 5 }, context)).records.length, 0);
      await erased(under);
      for (const { cid } of receipt.versions) assert.equal(await under.store.blocks.get(cid), undefined);
      assert.deepEqual(await under.store.shred(recordId, context), receipt);
      await under.restart();
      await assert.rejects(get(recordId), hasCode('STORE_RECORD_SHREDDED'));
    });

    it('changes a record only while it is the version that the caller expects', async () => {
      const first = await put(Buffer.from('one'));
      const { recordId } = first;
      const change = (expected: Expected) => put(Buffer.from('next'), { recordId, expected });
      const refused = hasCode('STORE_PRECONDITION_FAILED');
      await assert.rejects(change({ match: ['bafkanother'] }), refused);
      await assert.rejects(change({ noneMatch: 'any' }), refused);
      await assert.rejects(change({ noneMatch: ['bafkanother', first.cid] }), refused);
      await assert.rejects(under.store.shred(recordId, context, { match: ['bafkanother'] }), refused);
      assert.equal((await get(recordId)).toString(), 'one');
      const second = await change({ match: ['bafkanother', first.cid] });
      await assert.rejects(change({ match: [first.cid] }), refused);
      assert.equal((await change({ match: 'any', noneMatch: [first.cid] })).version, 3);
      await assert.rejects(under.store.shred(recordId, context, { match: [second.cid] }), refused);
      await assert.rejects(change({ match: Array(65).fill('a') }), hasCode('STORE_INPUT_INVALID'));
      await assert.rejects(put(Buffer.from('new'), { expected: { noneMatch: 'any' } }), hasCode('STORE_INPUT_INVALID'));
      const { cid } = await under.store.head(recordId, {}, context);
      const receipt = await under.store.shred(recordId, context, { match: [cid] });
      assert.deepEqual(await under.store.shred(recordId, context, { match: [cid] }), receipt);
    });

    describe('idempotency keys', () => {
      const keyed = (key: string, body: string | AsyncIterable<Uint8Array>, more: Partial<IdempotencyKey> = {}) => {
        const idempotency = { key, facts: ['a/b'], ttlMs: 3_600_000, maxKeys: 1_000, ...more };
        const from = typeof body === 'string' ? pieces(Buffer.from(body), 2) : body;
        return under.store.put({ contentType: 'a/b', labels: [], idempotency }, from, context, signal);
      };

      it('give the first receipt for the same content, after a restart too, and store nothing', async () => {
        const first = await keyed('k1', 'same');
        assert.equal(first.replayed, undefined);
        const before = under.stats();
        for (let i = 0; i < 2; i++) {
          assert.deepEqual(await keyed('k1', 'same'), { ...first, replayed: true });
          await under.restart();
        }
        assert.deepEqual(under.stats(), before);
        assert.notEqual((await keyed('another', 'same')).recordId, first.recordId);
      });

      it('refuse other content, length or facts', async () => {
        await keyed('k2', 'same');
        for (const body of ['sane', 'same!', 'sam'])
          await assert.rejects(keyed('k2', body), hasCode('GATEWAY_IDEMPOTENCY_MISMATCH'));
        await assert.rejects(keyed('k2', 'same', { facts: ['c/d'] }), hasCode('GATEWAY_IDEMPOTENCY_MISMATCH'));
      });

      it('are refused while the first put runs, and free again when it failed', async () => {
        const running = Promise.withResolvers<void>();
        const slow = (async function* () {
          yield Buffer.from('x');
          await running.promise;
          throw new Error('connection reset');
        })();
        const first = keyed('k3', slow);
        await sleep(20);
        await assert.rejects(keyed('k3', 'x'), hasCode('GATEWAY_IDEMPOTENCY_RUNNING'));
        running.resolve();
        await assert.rejects(first, /connection reset/);
        // The caller's own source failed: over a socket it knows that before the store does, so the key is free soon after.
        let again: PutReceipt | undefined;
        for (let tries = 0; again === undefined && tries < 200; tries++) {
          again = await keyed('k3', 'x').catch(async (error: unknown) => {
            if (!hasCode('GATEWAY_IDEMPOTENCY_RUNNING')(error)) throw error;
            await sleep(20);
            return undefined;
          });
        }
        assert.ok(again, 'the key was never free again');
        assert.equal(again.replayed, undefined);
      });

      it('end with their time, and the oldest when there are too many', async () => {
        await keyed('k4', 'x', { ttlMs: 1 });
        await sleep(5);
        assert.equal((await keyed('k4', 'x', { ttlMs: 60_000_000 })).replayed, undefined);
        for (let i = 0; i < 8; i++) await keyed(`many ${i}`, 'x', { maxKeys: 3 });
        assert.equal((await keyed('many 7', 'x', { maxKeys: 3 })).replayed, true);
        assert.equal((await keyed('many 0', 'x', { maxKeys: 3 })).replayed, undefined);
      });
    });

    it('concurrent puts of many records all land; of one version only one does', async () => {
      const before = under.stats().records;
      const receipts = await Promise.all(Array.from({ length: 50 }, (_, i) => put(Buffer.from(`record ${i}`))));
      assert.equal(new Set(receipts.map((receipt) => receipt.recordId)).size, 50);
      assert.equal(under.stats().records, before + 50);
      const recordId = receipts[0]?.recordId as RecordId;
      // The one that came first goes on only when the others have been refused: they overlap, however long each way is.
      const refused = Promise.withResolvers<void>();
      let refusals = 0;
      const update = async (i: number): Promise<PutReceipt> => {
        const body = (async function* () {
          await refused.promise;
          yield Buffer.from(`u${i}`);
        })();
        const input = { contentType: 'application/dicom', labels: [], recordId };
        return under.store.put(input, body, context, signal).catch((error: unknown) => {
          refusals += 1;
          if (refusals === 4) refused.resolve();
          throw error;
        });
      };
      const updates = await Promise.allSettled(Array.from({ length: 5 }, (_, i) => update(i)));
      assert.equal(updates.filter((update) => update.status === 'fulfilled').length, 1);
      for (const update of updates) if (update.status === 'rejected') hasCode('STORE_VERSION_CONFLICT')(update.reason);
    });

    it('takes of others what it was told to offer', async () => {
      const before = under.condition().offer;
      const { bytes, from } = await under.store.changeOffer(123_456, context);
      assert.deepEqual([bytes, from], [123_456, 'command']);
      await under.store.changeOffer(before.bytes, context);
    });

    it('seals everything anew under new keys, told how far it is, and keeps what it replaces when asked', async () => {
      await assert.rejects(under.store.pauseRekey(context), hasCode('STORE_REKEY_ABSENT'));
      await under.store.keepReplaced(60_000);
      const { recordId, cid } = await put(randomBytes(MIB));
      const target = under.rotateKeys();
      const begun = await under.store.rekey({ target, load: 20 }, context);
      assert.deepEqual([begun.state, begun.target, begun.load], ['running', target, 20]);
      assert.equal((await under.store.pauseRekey(context)).state, 'paused');
      assert.equal((await under.store.rekey({ load: 100 }, context)).state, 'running');
      while (under.condition().rekey?.state === 'running') await sleep(10);
      const { versions } = under.stats();
      const { state, total, done, failed } = under.condition().rekey ?? assert.fail();
      assert.deepEqual({ state, total, done, failed }, { state: 'done', total: versions, done: versions, failed: 0 });
      const now = await under.store.head(recordId, {}, context);
      assert.notEqual(now.cid, cid);
      assert.equal(now.kekId, target);
      assert.ok((await under.store.blocks.get(cid)) !== undefined, 'the replaced block is kept');
      const leaf = under.events.find(({ type, detail }) => type === 'record.rekey' && detail?.cid === now.cid);
      assert.deepEqual([leaf?.recordId, leaf?.version, leaf?.detail?.replaces], [recordId, 1, cid]);
      const told = under.events.filter(({ type }) => type === 'key.rekey').map(({ detail }) => detail?.phase);
      assert.deepEqual(told, ['started', 'paused', 'resumed', 'retiring', 'done']);
    });

    it('takes nothing from entries of an index that are not its own', async () => {
      const frame = encodeIndexFrame([Buffer.alloc(37, 2), Buffer.alloc(200, 9)]);
      const taken = await under.store.adopt(pieces(frame, 50), context, signal);
      assert.deepEqual(taken, { offered: 1, adopted: 0, refused: 1, wanted: [] });
      const cut = under.store.adopt(pieces(frame.subarray(0, 99), 50), context, signal);
      await assert.rejects(cut, hasCode('BACKUP_FORMAT_INVALID'));
    });

    it('a scrub of all this finds nothing but what was put', async () => {
      const report = await under.store.scrub(() => undefined);
      const { records, versions, bytes } = under.stats();
      assert.deepEqual([report.records, report.versions, report.bytes], [records, versions, bytes]);
      assert.deepEqual(report.findings, []);
    });
  });
}
