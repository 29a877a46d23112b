import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { addLogIndexMetric, type LogIndexPlace } from '../../../../../appliance/rollup/logs/log-index-metric.ts';

test('says how many blocks are indexed and how many are not, and nothing while that is unknown', async () => {
  const registry = new Registry();
  let place: LogIndexPlace | undefined;
  addLogIndexMetric(registry, () => place);
  const samples = async () => {
    const [family] = await registry.getMetricsAsJSON();
    return family?.values.map(({ labels, value }) => [labels.state, value]);
  };
  assert.deepEqual(await samples(), []);
  place = { next: 40n, head: 99n };
  assert.deepEqual(await samples(), [
    ['indexed', 40],
    ['behind', 60],
  ]);
  place = { next: 100n, head: 99n };
  assert.deepEqual(await samples(), [
    ['indexed', 100],
    ['behind', 0],
  ]);
  place = undefined;
  assert.deepEqual(await samples(), []);
});
