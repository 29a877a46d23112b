import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { shippedChart } from '../../../../cli/provision/kubernetes/plan-kubernetes.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

test('the chart is found in the clone, and beside the bundle of the published package', () => {
  assert.equal(shippedChart(), join(root, 'charts/nectar-byon'));
  const folder = mkdtempSync(join(tmpdir(), 'nectar-chart-'));
  try {
    const bundle = pathToFileURL(join(folder, 'a', 'dist', 'nectar-byon.mjs')).href;
    assert.throws(() => shippedChart(bundle), { code: 'CLI_USAGE' });
    mkdirSync(join(folder, 'a', 'dist', 'charts', 'nectar-byon'), { recursive: true });
    writeFileSync(join(folder, 'a', 'dist', 'charts', 'nectar-byon', 'Chart.yaml'), 'name: nectar-byon\n');
    assert.equal(shippedChart(bundle), join(folder, 'a', 'dist', 'charts', 'nectar-byon'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the published package has the chart', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  assert.ok(files.includes('dist/charts'));
});
