import assert from 'node:assert/strict';
import perfHooks from 'node:perf_hooks';
import { test } from 'node:test';
import { createMetrics } from '../../../../appliance/telemetry/index.ts';

test('what measures the event loop wakes no idle process, and shows no period of a timer as a lag', async (t) => {
  const monitor = t.mock.method(perfHooks, 'monitorEventLoopDelay');
  const text = await createMetrics().metrics();
  const periods = monitor.mock.calls.map(({ arguments: [options] }) => options?.resolution ?? 10);
  assert.ok(periods.length > 0, 'prom-client measures the event loop');
  for (const period of periods) assert.ok(period >= 86_400_000, `each ${period} ms`);
  const lags = text.match(/^nodejs_eventloop_lag\w*/gm);
  assert.deepEqual(lags, ['nodejs_eventloop_lag_seconds']);
  assert.match(text, /^process_cpu_seconds_total /m);
});
