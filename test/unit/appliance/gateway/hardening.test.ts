import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openHardeningNotes } from '../../../../appliance/gateway/hardening-notes.ts';
import type { HardeningReportNote, HardeningStatus } from '../../../../appliance/gateway/hardening-schemas.ts';
import { MAX_NOTES_BYTES } from '../../../../appliance/gateway/kept-notes.ts';
import { fileText } from '../../../../appliance/gateway/kept-text.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { NOW } from './doubles.ts';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const HOUR_MS = 3_600_000;
const UNFIT = { fit: false, reasons: ['the data disk is not encrypted', 'not seen: Swap is encrypted'] };
const DIGEST = 'ab'.repeat(32);

function note(change: Partial<HardeningReportNote> = {}): HardeningReportNote {
  return {
    digest: DIGEST,
    collectedAt: new Date(NOW).toISOString(),
    profile: 'node',
    threshold: 'medium',
    score: 97,
    counts: { pass: 90, fail: 0, manual: 4, 'not-applicable': 20, waived: 1, error: 0 },
    failed: [],
    unseen: [],
    ...change,
  };
}

describe('hardening reports on record', () => {
  let h: Harness;
  let token: string;
  beforeEach(async () => {
    h = await startHarness();
    token = await h.token('admin');
  });
  afterEach(() => h.stop());

  const report = (change?: Partial<HardeningReportNote>) =>
    h.call('POST', '/v1/hardening/reports', { token, json: note(change) });
  const drifted = async (change?: Partial<HardeningReportNote>) => (await report(change)).json().drifted;
  const status = (): Promise<HardeningStatus | null> => h.gateway.hardening();

  it('appends the digest and what was found to the audit log, and answers with its leaf', async () => {
    const answer = await report({
      failed: ['BYON-CTR-003'],
      signer: 'A'.repeat(40),
      file: { format: 'html', digest: 'cd'.repeat(32) },
    });
    assert.equal(answer.status, 200, answer.bytes.toString());
    assert.equal(answer.json().auditLeaf, 0);
    const [event] = h.audit.events;
    assert.deepEqual([event?.type, event?.outcome], ['hardening.report', 'failure']);
    const { digest, fileDigest, signer, failed, 'count.pass': pass } = event?.detail ?? {};
    assert.deepEqual(
      [digest, fileDigest, signer, failed, pass],
      [DIGEST, 'cd'.repeat(32), 'A'.repeat(40), 'BYON-CTR-003', 90],
    );
  });

  it('remembers nothing that the audit log does not take', async () => {
    h.audit.fail = new NectarError('AUDIT_NOT_WRITABLE', { reason: 'full' });
    assertProblem(await report(), 503, 'AUDIT_NOT_WRITABLE');
    assert.equal(await status(), null);
  });

  it('calls drifted what held before, until it holds again', async () => {
    const a = 'BYON-CTR-001';
    const b = 'BYON-CTR-002';
    assert.deepEqual(await drifted({ failed: [a] }), []);
    assert.deepEqual(await drifted({ failed: [a, b] }), [b]);
    assert.deepEqual(await drifted({ failed: [a, b] }), [b]);
    assert.equal((await status())?.drifted, 1);
    assert.deepEqual(await drifted({ failed: [a] }), []);
    assert.deepEqual(await drifted({ failed: [] }), []);
    assert.deepEqual(await drifted({ failed: [a] }), [a]);
  });

  it('keeps profiles apart', async () => {
    await report({ failed: [] });
    assert.deepEqual(await drifted({ profile: 'host', failed: ['BYON-HST-001'] }), []);
    const { reports } = (await h.call('GET', '/v1/hardening', { token })).json() as unknown as {
      reports: { profile: string }[];
    };
    assert.deepEqual(
      reports.map(({ profile }) => profile),
      ['node', 'host'],
    );
  });

  it('is overdue when nothing came for two intervals, and not any more when the schedule ends', async () => {
    const put = (everySeconds: number | null) =>
      h.call('PUT', '/v1/hardening/schedule', { token, json: { everySeconds, profile: 'node' } });
    assert.equal((await put(3600)).status, 200);
    h.node.now = NOW + 2 * HOUR_MS;
    assert.equal((await status())?.overdue, false);
    h.node.now = NOW + 2 * HOUR_MS + 1;
    assert.equal((await status())?.overdue, true);
    assert.match(await h.metrics.metrics(), /^nectar_hardening_overdue 1$/m);
    await h.call('POST', '/v1/hardening/reports', { token: await freshToken(), json: note() });
    assert.equal((await status())?.overdue, false);
    h.node.now = NOW + 100 * HOUR_MS;
    assert.equal((await status())?.overdue, true);
    token = await freshToken();
    await put(null);
    assert.equal((await status())?.overdue, false);
    assert.deepEqual(
      h.audit.events.filter(({ type }) => type === 'hardening.schedule').map(({ detail }) => detail?.everySeconds),
      [3600, 'off'],
    );
  });

  /** The clock of the test runs past the end of a token. */
  const freshToken = async (): Promise<string> =>
    (await h.tokens.issue({ subject: 'tester', scope: ['admin'], expiresInSeconds: 3600 })).token;

  it('answers with the fitness of the newest report, whatever its profile', async () => {
    const fitness = UNFIT;
    assert.equal((await report()).status, 200);
    assert.equal((await status())?.fitness, null);
    assert.doesNotMatch(await h.metrics.metrics(), /^nectar_hardening_fit_for_patient_data \d/m);
    await report({ profile: 'strict', fitness });
    await report({ profile: 'node' });
    const at = new Date(NOW).toISOString();
    assert.deepEqual((await status())?.fitness, { ...fitness, at });
    assert.match(await h.metrics.metrics(), /^nectar_hardening_fit_for_patient_data 0$/m);
    await report({ profile: 'host', fitness: { fit: true, reasons: [] } });
    assert.deepEqual((await status())?.fitness, { fit: true, reasons: [], at });
    assert.match(await h.metrics.metrics(), /^nectar_hardening_fit_for_patient_data 1$/m);
    const { fit, reasons } = h.audit.events[1]?.detail ?? {};
    assert.deepEqual([fit, reasons], ['no', fitness.reasons.join('; ')]);
  });

  it('shows the newest report of each profile in the metrics', async () => {
    await report({ score: 97, failed: ['BYON-CTR-001'] });
    await report({ profile: 'host', score: 40 });
    const text = await h.metrics.metrics();
    assert.match(text, /^nectar_hardening_score\{profile="node"\} 97$/m);
    assert.match(text, /^nectar_hardening_failed_checks\{profile="node"\} 1$/m);
    assert.match(text, /^nectar_hardening_score\{profile="host"\} 40$/m);
    assert.match(text, new RegExp(`^nectar_hardening_report_time_seconds\\{profile="node"\\} ${NOW / 1000}$`, 'm'));
  });

  it('refuses what is no note of a report', async () => {
    for (const wrong of [
      { digest: 'short' },
      { failed: ['<script>'] },
      { profile: 'a b' },
      { score: 101 },
      { more: 1 },
      { failed: Array.from({ length: 513 }, (_, n) => `BYON-CTR-${String(n).padStart(3, '0')}`) },
    ]) {
      assertProblem(await report(wrong as Partial<HardeningReportNote>), 400, 'GATEWAY_REQUEST_INVALID');
    }
    assert.equal(h.audit.events.length, 0);
  });

  it('remembers across a restart, also while the log cannot be asked', async () => {
    await report({ failed: ['BYON-CTR-001'] });
    await report({ failed: ['BYON-CTR-001', 'BYON-CTR-002'] });
    const before = await status();
    h.audit.fail = new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
    assert.deepEqual(await (await openAgain()).status(), before);
  });

  const openAgain = () =>
    openHardeningNotes(fileText(join(h.folder, 'hardening.json'), { maxBytes: MAX_NOTES_BYTES }), {
      ...{ audit: h.audit, metrics: createMetrics(), log: createLogger({ level: 'silent' }), now: () => h.node.now },
    });

  const CASES: Record<string, { found: string; change: (newest: string, older: string) => string | undefined }> = {
    'an older copy': { found: 'another', change: (_, older) => older },
    'a better score': { found: 'another', change: (newest) => newest.replace('"score": 55', '"score": 99') },
    'a kinder sentence': { found: 'another', change: (newest) => newest.replace('"fit": false', '"fit": true') },
    'no drift': { found: 'another', change: (newest) => newest.replace(/"drifted": \[[^\]]+\]/, '"drifted": []') },
    'a schedule that was ended by hand': {
      found: 'another',
      change: (newest) => JSON.stringify({ ...JSON.parse(newest), schedule: null }),
    },
    'what the log does not know yet': {
      found: 'another',
      change: (newest) => newest.replace(/"auditLeaf": \d+/, '"auditLeaf": 4711'),
    },
    'a copy that was cut off': { found: 'damaged', change: (newest) => newest.slice(0, -20) },
    'another shape': { found: 'damaged', change: () => '{}' },
    'too much': { found: 'damaged', change: () => 'x'.repeat(MAX_NOTES_BYTES + 1) },
    'a missing file': { found: 'missing', change: () => undefined },
  };
  for (const [name, { found, change }] of Object.entries(CASES))
    it(`is what the log says after a start with ${name}`, async () => {
      await report({ failed: ['BYON-CTR-001'], score: 100 });
      const path = join(h.folder, 'hardening.json');
      const older = await readFile(path, 'utf8');
      await h.call('PUT', '/v1/hardening/schedule', { token, json: { everySeconds: 3600, profile: 'node' } });
      await report({ failed: ['BYON-CTR-001', 'BYON-CTR-002'], score: 55, fitness: UNFIT });
      const [newest, before] = [await readFile(path, 'utf8'), await status()];
      const text = change(newest, older);
      await (text === undefined ? rm(path) : writeFile(path, text));
      const notes = await openAgain();
      assert.deepEqual(await notes.status(), before);
      assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), JSON.parse(newest), 'the file is whole again');
      const { type, detail } = h.audit.events.at(-1) ?? assert.fail();
      assert.deepEqual([type, detail], ['notes.restore', { notes: 'hardening reports', found }]);
      const leaves = h.audit.events.length;
      assert.deepEqual(await (await openAgain()).status(), before);
      assert.equal(h.audit.events.length, leaves, 'on record once');
    });

  it('takes back what could not be remembered after its leaf, as its caller was told', async () => {
    await report({ score: 60 });
    await rm(h.folder, { recursive: true });
    assert.equal((await report({ score: 70 })).status, 500);
    assert.equal((await status())?.score, 60);
    assert.equal((await (await openAgain()).status())?.score, 60);
    await mkdir(h.folder);
  });
});
