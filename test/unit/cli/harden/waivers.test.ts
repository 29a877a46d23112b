import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { askWaivers, parseWaiver } from '../../../../cli/harden/waivers.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const good = { check: 'BYON-HST-004', owner: 'it@clinic.example', reason: 'new server soon', until: '2027-01-31' };

describe('waivers', () => {
  const home = mkdtempSync(join(tmpdir(), 'nectar-waivers-'));
  after(() => rmSync(home, { recursive: true, force: true }));

  test('need an owner, a reason and a real day', () => {
    assert.deepEqual(parseWaiver({ ...good, owner: ` ${good.owner} ` }), good);
    for (const wrong of [
      { owner: ' ' },
      { owner: 'x'.repeat(129) },
      { reason: '' },
      { reason: 'x'.repeat(1025) },
      { until: '2027-02-30' },
      { until: '2027-2-3' },
      { until: 'soon' },
    ]) {
      const refused = (error: unknown): boolean => isNectarError(error, 'HARDENING_WAIVER_INVALID');
      assert.throws(() => parseWaiver({ ...good, ...wrong }), refused, JSON.stringify(wrong));
    }
  });

  test('are unknown while the node does not run, whatever a file says', async () => {
    mkdirSync(join(home, 'hardening'));
    const waiver = { ...good, since: '2026-11-23T06:00:00.000Z', auditLeaf: 7 };
    writeFileSync(join(home, 'hardening', 'waivers.json'), JSON.stringify({ version: 1, waivers: [waiver] }));
    const { signal } = new AbortController();
    assert.deepEqual(await askWaivers({ home, signal }), { reason: 'the node does not run' });
  });
});
