import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccessContext } from '../../../../appliance/store/index.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import { context, createFixture, type Fixture, signal } from './store-fixture.ts';

const MIB = 1024 * 1024;
const CANARY = 'canary-of-a-patient';
const other: AccessContext = { actor: { subject: 'somebody else' }, requestId: 'r2' };
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code);

async function* pieces(bytes: Uint8Array, size = 60_000, then?: Error): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size));
  if (then !== undefined) throw then;
}

const begin = ({ store }: Fixture, bytes: number, input = {}) =>
  store.uploads.begin({ input: { contentType: 'a/b', labels: [], ...input }, bytes }, context);
const append = ({ store }: Fixture, id: string, offset: number, body: AsyncIterable<Uint8Array>) =>
  store.uploads.append(id, { offset, body }, context, signal);

async function contentOf({ store }: Fixture, id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.open(id as never, {}, context, signal)).body)
    chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

async function withFixture(work: (fixture: Fixture) => Promise<void>, options = {}): Promise<void> {
  const fixture = await createFixture(options);
  try {
    await work(fixture);
  } finally {
    await fixture.close();
  }
}

describe('partial uploads', () => {
  it('become the record whose bytes came, however they were cut, with one leaf for its creation', () =>
    withFixture(async (fixture) => {
      const bytes = randomBytes(3 * MIB + 12_345);
      const { id } = await begin(fixture, bytes.length, { name: 'scan.dcm', labels: ['imaging'] });
      let offset = 0;
      for (const length of [1, 999_999, 0, 2 * MIB, bytes.length]) {
        const state = await append(fixture, id, offset, pieces(bytes.subarray(offset, offset + length)));
        offset = Math.min(bytes.length, offset + length);
        assert.equal(state.offset, offset);
        assert.equal(state.receipt === undefined, offset < bytes.length);
      }
      const { receipt } = await fixture.store.uploads.state(id, context);
      assert.ok(receipt !== undefined);
      assert.deepEqual(await contentOf(fixture, receipt.recordId), bytes);
      const meta = await fixture.store.head(receipt.recordId, {}, context);
      assert.deepEqual([meta.name, meta.labels, meta.bytes], ['scan.dcm', ['imaging'], bytes.length]);
      const types = fixture.audit.events.map(({ type }) => type);
      assert.deepEqual(
        types.filter((type) => type === 'upload.begin' || type === 'record.create'),
        ['upload.begin', 'record.create'],
      );
    }));

  it('keep what came before a connection broke, and before a restart', () =>
    withFixture(async (fixture) => {
      const bytes = randomBytes(2 * MIB + 500);
      const { id } = await begin(fixture, bytes.length);
      const broken = pieces(bytes.subarray(0, MIB + 77), 50_000, new Error('reset'));
      await assert.rejects(append(fixture, id, 0, broken), /reset/);
      assert.equal((await fixture.store.uploads.state(id, context)).offset, MIB + 77);
      await fixture.restart();
      assert.equal((await fixture.store.uploads.state(id, context)).offset, MIB + 77);
      const { receipt } = await append(fixture, id, MIB + 77, pieces(bytes.subarray(MIB + 77)));
      assert.deepEqual(await contentOf(fixture, String(receipt?.recordId)), bytes);
      await fixture.restart();
      assert.deepEqual((await fixture.store.uploads.state(id, context)).receipt, receipt);
      assert.deepEqual(await readdir(join(fixture.home, 'store', 'uploads', id)), ['plan.json', 'receipt.json']);
    }));

  it('go on at the last whole piece when a crash cut one off, and never keep plaintext on disk', () =>
    withFixture(async (fixture) => {
      const bytes = Buffer.alloc(MIB, CANARY);
      const { id } = await begin(fixture, 2 * bytes.length, { name: CANARY, labels: [CANARY] });
      await append(fixture, id, 0, pieces(bytes.subarray(0, 700_000)));
      await append(fixture, id, 700_000, pieces(bytes.subarray(700_000)));
      const folder = join(fixture.home, 'store', 'uploads', id);
      for (const file of ['plan.json', 'pieces']) assert.ok(!(await readFile(join(folder, file))).includes(CANARY));
      const { length } = await readFile(join(folder, 'pieces'));
      // As many bytes as are appended below: by chance one byte alone would be the right one.
      await truncate(join(folder, 'pieces'), length - 5);
      await fixture.restart();
      assert.equal((await fixture.store.uploads.state(id, context)).offset, 700_000);
      await appendFile(join(folder, 'pieces'), Buffer.from('ffffffff00', 'hex'));
      await fixture.restart();
      await append(fixture, id, 700_000, pieces(bytes.subarray(700_000)));
      const { receipt } = await append(fixture, id, MIB, pieces(bytes));
      assert.deepEqual(await contentOf(fixture, String(receipt?.recordId)), Buffer.concat([bytes, bytes]));
    }));

  it('refuse another offset, more than was announced, and everybody but their own subject', () =>
    withFixture(async (fixture) => {
      const { id } = await begin(fixture, 100);
      await append(fixture, id, 0, pieces(randomBytes(10)));
      for (const offset of [0, 9, 11, 100])
        await assert.rejects(append(fixture, id, offset, pieces(randomBytes(1))), hasCode('STORE_UPLOAD_OFFSET'));
      await assert.rejects(append(fixture, id, 10, pieces(randomBytes(91))), hasCode('STORE_RECORD_TOO_LARGE'));
      const { uploads } = fixture.store;
      await assert.rejects(uploads.state(id, other), hasCode('STORE_UPLOAD_ABSENT'));
      await assert.rejects(uploads.discard(id, other), hasCode('STORE_UPLOAD_ABSENT'));
      const from = { offset: 10, body: pieces(randomBytes(1)) };
      await assert.rejects(uploads.append(id, from, other, signal), hasCode('STORE_UPLOAD_ABSENT'));
      await assert.rejects(uploads.state('../..', context), hasCode('STORE_UPLOAD_ABSENT'));
    }));

  it('end an append that still waits when its client is back with another', () =>
    withFixture(async (fixture) => {
      const { id } = await begin(fixture, 10);
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield randomBytes(4);
        await new Promise(() => undefined);
      }
      const first = append(fixture, id, 0, hanging());
      first.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal((await fixture.store.uploads.state(id, context)).offset, 4);
      await assert.rejects(first, hasCode('STORE_UPLOAD_CONTINUED'));
      assert.ok((await append(fixture, id, 4, pieces(randomBytes(6)))).receipt);
    }));

  it('are no record, and say no offset at the end, until the log has it', () =>
    withFixture(async (fixture) => {
      const { id } = await begin(fixture, 5);
      fixture.audit.failNext = 'record.create';
      await assert.rejects(append(fixture, id, 0, pieces(Buffer.from('hello'))), hasCode('AUDIT_NOT_WRITABLE'));
      fixture.audit.failNext = 'record.create';
      await assert.rejects(fixture.store.uploads.state(id, context), hasCode('AUDIT_NOT_WRITABLE'));
      const { receipt } = await fixture.store.uploads.state(id, context);
      assert.equal((await contentOf(fixture, String(receipt?.recordId))).toString(), 'hello');
      assert.deepEqual((await append(fixture, id, 5, pieces(new Uint8Array(0)))).receipt, receipt);
      assert.equal(fixture.store.stats().records, 1);
    }));

  it('of nothing are a record at once, and of a new version are that version', () =>
    withFixture(async (fixture) => {
      const { receipt } = await begin(fixture, 0);
      assert.equal(receipt?.bytes, 0);
      const second = await begin(fixture, 3, { recordId: receipt?.recordId });
      const done = await append(fixture, second.id, 0, pieces(Buffer.from('two')));
      assert.deepEqual([done.receipt?.recordId, done.receipt?.version], [receipt?.recordId, 2]);
    }));

  it('are bounded in number and age, and what is dropped is on record', () =>
    withFixture(
      async (fixture) => {
        const first = await begin(fixture, 10);
        await begin(fixture, 10);
        await assert.rejects(begin(fixture, 10), hasCode('STORE_UPLOADS_FULL'));
        await assert.rejects(begin(fixture, 2 ** 50), hasCode('STORE_RECORD_TOO_LARGE'));
        await fixture.store.uploads.discard(first.id, context);
        const last = await begin(fixture, 10);
        await append(fixture, last.id, 0, pieces(randomBytes(3)));
        const old = new Date(Date.UTC(2025, 0, 1));
        await utimes(join(fixture.home, 'store', 'uploads', last.id, 'pieces'), old, old);
        await fixture.restart();
        await assert.rejects(fixture.store.uploads.state(last.id, context), hasCode('STORE_UPLOAD_ABSENT'));
        assert.equal((await readdir(join(fixture.home, 'store', 'uploads'))).length, 1);
        assert.deepEqual(
          fixture.audit.events.filter(({ type }) => type === 'upload.discard').map(({ detail }) => detail?.reason),
          ['asked', 'expired'],
        );
      },
      { maxPartialUploadsPerOwner: 2, maxRecordBytes: 2 ** 40 },
    ));

  it('take no byte for another: one that changed on disk is found, and nothing is stored', () =>
    withFixture(async (fixture) => {
      const bytes = randomBytes(1_000);
      const { id } = await begin(fixture, 2_000);
      await append(fixture, id, 0, pieces(bytes));
      const file = join(fixture.home, 'store', 'uploads', id, 'pieces');
      const sealed = await readFile(file);
      for (const at of [4, 10, 60, sealed.length - 1]) {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(file, changed);
        await assert.rejects(append(fixture, id, 1_000, pieces(bytes)), hasCode('STORE_UPLOAD_CORRUPT'));
        assert.equal(fixture.store.stats().records, 0);
        await fixture.restart();
        assert.equal((await fixture.store.uploads.state(id, context)).offset, 0, 'found by the start');
        await writeFile(file, sealed);
        await fixture.restart();
        assert.equal((await fixture.store.uploads.state(id, context)).offset, 1_000);
      }
    }));

  it('outlive a rotation of the key that wraps theirs', () =>
    withFixture(async (fixture) => {
      const { id } = await begin(fixture, 6);
      await append(fixture, id, 0, pieces(Buffer.from('abc')));
      fixture.keys.rotate();
      const { receipt } = await append(fixture, id, 3, pieces(Buffer.from('def')));
      assert.equal((await contentOf(fixture, String(receipt?.recordId))).toString(), 'abcdef');
    }));
});
