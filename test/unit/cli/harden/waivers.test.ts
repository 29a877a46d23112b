import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { dropWaiver, getWaiver, keepWaiver, parseWaiver, readWaivers } from '../../../../cli/harden/waivers.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const NOW = Date.UTC(2026, 10, 23, 6);
const good = { check: 'BYON-HST-004', owner: 'it@clinic.example', reason: 'new server soon', until: '2027-01-31' };

describe('waivers', () => {
  const home = mkdtempSync(join(tmpdir(), 'nectar-waivers-'));
  const path = join(home, 'hardening', 'waivers.json');
  after(() => rmSync(home, { recursive: true, force: true }));

  test('need an owner, a reason and a real day within a year', () => {
    assert.deepEqual(parseWaiver(good, NOW), { ...good, since: '2026-11-23T06:00:00.000Z' });
    assert.equal(parseWaiver({ ...good, until: '2026-11-23' }, NOW).until, '2026-11-23');
    for (const wrong of [
      { owner: ' ' },
      { owner: 'x'.repeat(129) },
      { reason: '' },
      { reason: 'x'.repeat(1025) },
      { until: '2026-11-22' },
      { until: '2027-11-26' },
      { until: '2027-02-30' },
      { until: '2027-2-3' },
      { until: 'soon' },
    ]) {
      const refused = (error: unknown): boolean => isNectarError(error, 'HARDENING_WAIVER_INVALID');
      assert.throws(() => parseWaiver({ ...good, ...wrong }, NOW), refused, JSON.stringify(wrong));
    }
  });

  test('are kept one a check, and taken back', async () => {
    assert.deepEqual(await readWaivers(home), []);
    const first = { ...parseWaiver(good, NOW), auditLeaf: 7 };
    await keepWaiver(home, first);
    await keepWaiver(home, { ...first, check: 'BYON-HST-005', auditLeaf: 8 });
    const second = { ...first, owner: 'cto@clinic.example', auditLeaf: 9 };
    await keepWaiver(home, second);
    assert.deepEqual(await getWaiver(home, good.check), second);
    assert.equal((await readWaivers(home)).length, 2);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await dropWaiver(home, good.check);
    await assert.rejects(getWaiver(home, good.check), (error) => isNectarError(error, 'HARDENING_WAIVER_UNKNOWN'));
    assert.equal((await readWaivers(home)).length, 1);
  });

  test('in a damaged file are an error, never none and never all', async () => {
    for (const damaged of ['', '{', '[]', '{"version":2,"waivers":[]}', '{"version":1,"waivers":[{"check":"*"}]}']) {
      writeFileSync(path, damaged);
      await assert.rejects(readWaivers(home), (error) => isNectarError(error, 'HARDENING_WAIVERS_DAMAGED'), damaged);
    }
  });
});
