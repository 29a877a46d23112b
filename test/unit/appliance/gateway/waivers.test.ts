import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/audit-event.ts';
import type { LoggedWaiver } from '../../../../appliance/gateway/hardening-schemas.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { NOW } from './doubles.ts';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const CHECK = 'BYON-CTR-003';
const WAIVER = { check: CHECK, owner: 'it@clinic.example', reason: 'replaced soon', until: '2027-01-31' };
const CONTEXT = { actor: { subject: 'somebody' }, requestId: 'r' };

describe('waivers of hardening checks', () => {
  let h: Harness;
  let token: string;
  beforeEach(async () => {
    h = await startHarness();
    token = await h.token('admin');
  });
  afterEach(() => h.stop());

  const report = async (change: Record<string, unknown> = {}): Promise<number> => {
    const counts = { pass: 90, fail: 0, manual: 4, 'not-applicable': 20, waived: 0, error: 0 };
    const numbers = {
      digest: 'ab'.repeat(32),
      collectedAt: new Date(NOW).toISOString(),
      threshold: 'medium',
      score: 97,
    };
    const lists = { failed: [], unseen: [], failedBelow: [], waived: [], waivedCritical: [] };
    const json = { ...numbers, profile: 'node', counts, ...lists, ...change };
    const answer = await h.call('POST', '/v1/hardening/reports', { token, json });
    assert.equal(answer.status, 200, answer.bytes.toString());
    return Number(answer.json().auditLeaf);
  };
  const change = (what: 'made' | 'removed', waiver: Record<string, unknown> = WAIVER) =>
    h.call('POST', '/v1/hardening/waivers', { token, json: { ...waiver, change: what } });
  const list = async (): Promise<LoggedWaiver[]> => {
    const answer = await h.call('GET', '/v1/hardening/waivers', { token });
    assert.equal(answer.status, 200, answer.bytes.toString());
    return (answer.json() as unknown as { waivers: LoggedWaiver[] }).waivers;
  };
  const onRecord = (): string[] => h.audit.events.map(({ type }) => type).filter((type) => type.includes('waive'));

  it('are what their leaf says: who, which check, why and until when', async () => {
    const failing = await report({ failed: [CHECK] });
    const made = await change('made');
    assert.equal(made.status, 200, made.bytes.toString());
    const { auditLeaf } = made.json();
    const detail = { ...WAIVER, by: 'tester', profile: 'node', report: failing };
    assert.deepEqual(h.audit.events.at(-1)?.detail, detail);
    const since = new Date(NOW).toISOString();
    assert.deepEqual(await list(), [{ ...WAIVER, by: 'tester', profile: 'node', since, auditLeaf }]);
  });

  it('end when they are removed, once', async () => {
    await report({ failed: [CHECK] });
    await change('made');
    assert.equal((await change('removed')).status, 200);
    assert.deepEqual(await list(), []);
    assertProblem(await change('removed'), 404, 'HARDENING_WAIVER_UNKNOWN');
    assert.deepEqual(onRecord(), ['hardening.waive', 'hardening.unwaive']);
  });

  it('are refused for a check that no report on record says to fail', async () => {
    assertProblem(await change('made'), 409, 'HARDENING_WAIVER_NEEDLESS');
    await report({ failed: ['BYON-CTR-004'], unseen: [CHECK] });
    assertProblem(await change('made'), 409, 'HARDENING_WAIVER_NEEDLESS');
    await report({ failed: [CHECK] });
    await report();
    assertProblem(await change('made'), 409, 'HARDENING_WAIVER_NEEDLESS');
    assert.deepEqual(onRecord(), []);
  });

  it('are given for a failure below the threshold, and anew while they last', async () => {
    await report({ failedBelow: [CHECK] });
    assert.equal((await change('made')).status, 200);
    await report({ waived: [CHECK] });
    assert.equal((await change('made', { ...WAIVER, owner: 'cto@clinic.example' })).status, 200);
    assert.deepEqual(
      (await list()).map(({ owner }) => owner),
      ['cto@clinic.example'],
    );
  });

  it('end with the failure: the next one counts', async () => {
    await report({ failed: [CHECK] });
    await change('made');
    await report();
    assert.deepEqual(await list(), []);
    await report({ failed: [CHECK] });
    assert.deepEqual(await list(), []);
  });

  it('are refused without words, after their end, and for longer than a year', async () => {
    await report({ failed: [CHECK] });
    for (const wrong of [{ owner: ' ' }, { reason: ' ' }, { until: '2020-01-01' }, { until: '2099-01-01' }]) {
      assertProblem(await change('made', { ...WAIVER, ...wrong }), 400, 'HARDENING_WAIVER_INVALID');
    }
    assert.deepEqual(onRecord(), []);
  });

  const LEAVES: Record<string, Record<string, string>> = {
    'ends in 2099': { until: '2099-01-01' },
    'does not say that the check failed': { profile: '' },
    'names no check of ours': { check: '*' },
  };
  for (const [what, wrong] of Object.entries(LEAVES))
    it(`are none by a leaf that ${what}`, async () => {
      const detail = { ...WAIVER, by: 'somebody', profile: 'node', ...wrong };
      await h.audit.append({
        type: 'hardening.waive',
        outcome: 'success',
        context: CONTEXT,
        detail,
      } as GatewayAuditEvent);
      assert.deepEqual(await list(), []);
    });

  it('are unknown, not none, while the log cannot be asked', async () => {
    h.audit.fail = new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
    assertProblem(await h.call('GET', '/v1/hardening/waivers', { token }), 503, 'NODE_NOT_READY');
  });

  it('show in status and metrics, the critical ones apart', async () => {
    const counts = { pass: 90, fail: 0, manual: 4, 'not-applicable': 20, waived: 2, error: 0 };
    await report({ counts, waived: [CHECK, 'BYON-CTR-004'], waivedCritical: [CHECK] });
    const status = await h.gateway.hardening();
    assert.deepEqual([status?.waived, status?.waivedCritical], [2, 1]);
    const text = await h.metrics.metrics();
    assert.match(text, /^nectar_hardening_waived_checks\{profile="node"\} 2$/m);
    assert.match(text, /^nectar_hardening_waived_critical_checks\{profile="node"\} 1$/m);
  });
});
