import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Audit } from '../../appliance/audit/index.ts';
import type { RootHash } from '../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';
import { bundleLines, verifyAuditBundle } from '../../protocol/merkle/audit-bundle.ts';
import { verifyAuditProof } from '../../protocol/merkle/audit-proof.ts';
import { verifyConsistency } from '../../protocol/merkle/verify.ts';
import { reading } from '../unit/appliance/audit/log-house.ts';

type Called = Pick<
  Audit,
  | 'append'
  | 'checkpoint'
  | 'entry'
  | 'query'
  | 'export'
  | 'consistency'
  | 'prove'
  | 'verify'
  | 'records'
  | 'latest'
  | 'loggedTokens'
  | 'loggedNotes'
  | 'witnessed'
  | 'chainHeard'
  | 'resolve'
> & {
  treeHead(): ReturnType<Audit['treeHead']> | Promise<ReturnType<Audit['treeHead']>>;
};

/** One running log, however it is reached. */
export interface AuditUnderTest {
  readonly audit: Called;
  readonly vkey: string;
  /** The same log behind a new process. */
  restart(): Promise<unknown>;
  /** As if the log's process had ended; `restart` brings it back. */
  stop(): Promise<unknown>;
  close(): Promise<void>;
}

const context = { actor: { subject: 'compliance' }, requestId: 'compliance-1' };
const signal = new AbortController().signal;
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));

/** What every audit log does, whatever it is made of and however it is called. */
export function auditCompliance(name: string, create: () => Promise<AuditUnderTest>): void {
  describe(`audit compliance: ${name}`, () => {
    let under: AuditUnderTest;
    before(async () => {
      under = await create();
    });
    after(() => under.close());

    it('appends in order, each at its own index, under a head that grows', async () => {
      const before = (await under.audit.treeHead()).size;
      const appended = await Promise.all(Array.from({ length: 40 }, (_, i) => under.audit.append(reading(i))));
      const indices = appended.map(({ index }) => index).toSorted((a, b) => a - b);
      assert.deepEqual(
        indices,
        Array.from({ length: 40 }, (_, i) => before + i),
      );
      assert.equal((await under.audit.treeHead()).size, before + 40);
    });

    it('tells the newest generation of each file, and the tokens, before and after a restart', async () => {
      const event = (type: string, detail: Record<string, string | number>) =>
        under.audit.append({ type, outcome: 'success', context, detail });
      await event('record.read', { indexGeneration: 41 });
      await event('record.read', { indexGeneration: 7 });
      const made = {
        token: 'ab',
        subject: 'nurse',
        scope: 'records:read admin',
        expiresAt: '2200-01-01T00:00:00.000Z',
      };
      await event('token.create', { ...made, createdAt: '2026-01-01T00:00:00.000Z', file: 'tokens', generation: 3 });
      await event('token.revoke', { token: 'ab', at: '2026-01-02T00:00:00.000Z', file: 'tokens', generation: 4 });
      await event('key.rotate', { file: 'keys', generation: 2 });
      await event('key.rotate', { file: 'anything', generation: 99 });
      const failed = {
        type: 'key.rotate',
        outcome: 'failure',
        context,
        detail: { file: 'keys', generation: 9 },
      } as const;
      await under.audit.append(failed);
      const check = async () => {
        const { size, ...files } = await under.audit.latest();
        assert.deepEqual(files, { index: 41, tokens: 4, keys: 2 });
        assert.equal(size, (await under.audit.treeHead()).size);
        const [token] = await under.audit.loggedTokens();
        assert.deepEqual([token?.id, token?.subject, token?.scope], ['ab', 'nurse', 'records:read admin']);
        assert.equal(token?.revokedAt, '2026-01-02T00:00:00.000Z');
      };
      await check();
      await under.restart();
      await check();
    });

    it('tells what is on record of reports and backups, before and after a restart', async () => {
      const repository = 'ab'.repeat(16);
      const event = (type: string, outcome: 'success' | 'failure', detail: Record<string, string | number>) =>
        under.audit.append({ type, outcome, context, detail });
      await event('hardening.report', 'success', { profile: 'node', score: 90, failed: '' });
      const { index } = await event('hardening.report', 'failure', {
        profile: 'node',
        score: 80,
        failed: 'BYON-CTR-001',
      });
      const lost = await event('hardening.report', 'success', { profile: 'node', score: 99, failed: '' });
      await event('hardening.report', 'failure', { profile: 'node', leaf: lost.index, reason: 'INTERNAL' });
      await event('node.backup', 'success', { kind: 'file', entries: 3 });
      await event('node.backup', 'success', { kind: 'snapshot', repository, generation: 3 });
      await event('backup.schedule', 'success', { repository, everySeconds: 'off' });
      const check = async () => {
        const notes = await under.audit.loggedNotes();
        assert.deepEqual(
          notes.map(({ type, outcome, detail }) => [
            type,
            outcome,
            detail.score ?? detail.generation ?? detail.everySeconds,
          ]),
          [
            ['hardening.report', 'failure', '80'],
            ['node.backup', 'success', '3'],
            ['backup.schedule', 'success', 'off'],
          ],
        );
        assert.equal(notes[0]?.index, index);
        assert.ok(Number.isFinite(Date.parse(notes[0]?.time ?? '')));
      };
      await check();
      await under.restart();
      await check();
    });

    it('reads an entry back as it was appended, whatever its text, and logs the reading', async () => {
      const event = {
        ...reading(7),
        context: { actor: { subject: '{"$bytes":"AA=="}', name: 'Zoë \u{1f9d1}‍⚕️' }, requestId: 'r' },
      };
      const { index, leafHash } = await under.audit.append(event);
      const { size } = await under.audit.treeHead();
      const entry = await under.audit.entry(index, context);
      assert.deepEqual([entry.index, entry.leafHash, entry.leaf.type], [index, leafHash, 'record.read']);
      assert.ok(JSON.stringify(entry.body).includes('Zoë'));
      assert.ok(JSON.stringify(entry.body).includes('$bytes'));
      assert.equal((await under.audit.treeHead()).size, size + 1);
      const [last] = (await under.audit.query({ filter: {}, limit: 1 }, context)).entries;
      assert.equal(last?.index, size);
      assert.equal(last?.leaf.type, 'audit.read');
    });

    it('proves an entry to somebody without the log, and keeps the body back unless it is asked for', async () => {
      const { index } = await under.audit.append(reading(8));
      const shown = await under.audit.prove(index, context);
      verifyAuditProof(JSON.parse(JSON.stringify(shown)), under.vkey);
      assert.ok(shown.body !== undefined);
      assert.equal((await under.audit.prove(index)).body, undefined);
      const { note, size, root } = await under.audit.checkpoint();
      assert.ok(note.includes(`\n${size}\n`) && root.length === 64);
    });

    it('pages back through what a filter means, and goes on only for the one who began', async () => {
      const recordId = 'ab'.repeat(16);
      for (let i = 0; i < 3; i++) await under.audit.append({ ...reading(i), recordId, patients: ['4711'] });
      const filter = { record: recordId.slice(0, 8), patient: '4711' };
      const page = await under.audit.query({ filter, limit: 2 }, context, signal);
      assert.deepEqual([page.entries.length, typeof page.cursor], [2, 'string']);
      const { cursor = '' } = page;
      const next = await under.audit.query({ filter: {}, limit: 2, cursor }, context);
      assert.equal(next.entries.length, 1);
      const thief = { ...context, actor: { subject: 'another' } };
      await assert.rejects(under.audit.query({ filter: {}, limit: 2, cursor }, thief), hasCode('AUDIT_CURSOR_INVALID'));
    });

    it('shows that its newest checkpoint continues an older head', async () => {
      const older = await under.audit.treeHead();
      await under.audit.append(reading(3));
      const { checkpoint, path } = await under.audit.consistency(older.size);
      const bytes = (hex: string) => Buffer.from(hex, 'hex');
      verifyConsistency(
        { size: older.size, root: bytes(older.root) },
        { size: checkpoint.size, root: bytes(checkpoint.root) },
        path.map(bytes),
      );
      await assert.rejects(under.audit.consistency(checkpoint.size + 9), hasCode('AUDIT_INDEX_OUT_OF_RANGE'));
    });

    it('exports a bundle that verifies without it, and says why not when it does not', async () => {
      const head = await under.audit.treeHead();
      const anchors = [{ ...head, where: 'a test' }];
      const request = { filter: { type: 'record' }, bodies: true, allLeaves: true, anchors };
      const parts: Uint8Array[] = [];
      for await (const part of await under.audit.export(request, context, signal)) parts.push(part);
      const shown = verifyAuditBundle(bundleLines(Buffer.concat(parts)), { vkey: under.vkey, head });
      assert.deepEqual([shown.completeness.is, shown.heads.length], ['shown', 1]);
      const lie = [{ size: 1, root: 'ab'.repeat(32) as RootHash, where: 'a liar' }];
      await assert.rejects(
        under.audit.export({ ...request, anchors: lie }, context, signal),
        hasCode('AUDIT_CONSISTENCY_INVALID'),
      );
    });

    it('verifies against anchors: good ones complete it, a wrong one is told', async () => {
      const { size, root } = await under.audit.treeHead();
      const good = await under.audit.verify({ anchors: [{ size, root, where: 'a test' }], signal });
      assert.deepEqual([good.integrity, good.completeness, good.findings], ['ok', 'ok', []]);
      const wrong = 'ab'.repeat(32) as RootHash;
      const bad = await under.audit.verify({ anchors: [{ size, root: wrong, where: 'a liar' }], signal });
      assert.equal(bad.integrity === 'ok' && bad.completeness === 'ok', false);
      assert.ok(bad.findings.length > 0 && bad.findings.every(({ code }) => code.startsWith('AUDIT_')));
    });

    it('tells what happened to records, from a leaf on, and stops when told', async () => {
      const { index } = await under.audit.append(reading(9, 'record.create'));
      const told = [];
      for await (const each of under.audit.records(index, signal)) told.push(each);
      assert.deepEqual(
        [told[0]?.index, told[0]?.type, told[0]?.recordId],
        [index, 'record.create', reading(9).recordId],
      );
      for await (const each of under.audit.records(0, signal)) {
        assert.ok(each.index >= 0);
        break;
      }
      const abort = new AbortController();
      await assert.rejects(async () => {
        for await (const _ of under.audit.records(0, abort.signal)) abort.abort(new Error('enough'));
      }, /enough/);
    });

    it('is barred by a head that it does not hold, over a restart, until the gap is declared', async () => {
      const { size, root } = await under.audit.treeHead();
      const at = Date.UTC(2026, 10, 23);
      await under.audit.witnessed({ size, root, where: 'a witness', at });
      await under.audit.chainHeard();
      const { note } = await under.audit.checkpoint();
      await under.audit.witnessed({ note, where: 'a file', at });
      await assert.rejects(
        under.audit.witnessed({ note: note.replace(`\n${size}\n`, `\n${size + 1}\n`), where: 'a liar', at }),
        hasCode('AUDIT_NOTE_INVALID'),
      );
      await assert.rejects(under.audit.resolve({ context }), hasCode('AUDIT_NOTHING_TO_RESOLVE'));
      const lost = { size: size + 7, root: 'ab'.repeat(32) as RootHash, where: 'AuditAnchor, L2 block 7', at };
      await assert.rejects(under.audit.witnessed(lost), hasCode('AUDIT_TRUNCATED'));
      await assert.rejects(under.audit.append(reading(1)), hasCode('AUDIT_TRUNCATED'));
      await under.restart();
      await assert.rejects(under.audit.append(reading(1)), hasCode('AUDIT_TRUNCATED'));
      const epoch = await under.audit.resolve({ context });
      assert.deepEqual([epoch.number, epoch.cause, epoch.lost, epoch.outside?.size], [2, 'resolve', 7, size + 7]);
      await under.audit.append(reading(2));
      const verdict = await under.audit.verify({ anchors: [lost], signal });
      assert.deepEqual([verdict.integrity, verdict.epochs], ['ok', [epoch]]);
    });

    it('refuses with the codes of the registry and their facts', async () => {
      const { size } = await under.audit.treeHead();
      await assert.rejects(under.audit.append({ ...reading(1), type: 'Not A Word' }), hasCode('AUDIT_EVENT_INVALID'));
      await assert.rejects(under.audit.entry(size + 5, context), (error) => {
        assert.ok(isNectarError(error, 'AUDIT_INDEX_OUT_OF_RANGE'));
        assert.equal(error.data.index, size + 5);
        return true;
      });
      await assert.rejects(under.audit.prove(-1), hasCode('AUDIT_INDEX_OUT_OF_RANGE'));
    });

    it('is not ready while it is down, and goes on where it was', async () => {
      const before = await under.audit.treeHead();
      await under.stop();
      await assert.rejects(under.audit.append(reading(1)), hasCode('NODE_NOT_READY'));
      await assert.rejects(async () => under.audit.treeHead(), hasCode('NODE_NOT_READY'));
      await under.restart();
      // A caller that just failed waits a moment before it tries again.
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.deepEqual(await under.audit.treeHead(), before);
      assert.equal((await under.audit.append(reading(2))).index, before.size);
    });
  });
}
