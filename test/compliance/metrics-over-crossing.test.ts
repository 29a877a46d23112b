import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetricsClient } from '../../appliance/crossing/metrics/client.ts';
import { metrics } from '../../appliance/crossing/metrics/contract.ts';
import { metricsRoutes } from '../../appliance/crossing/metrics/server.ts';
import type { Route } from '../../appliance/crossing/route.ts';
import { routesOf } from '../../appliance/crossing/routes-of.ts';
import { createMetrics, createNodeMetrics } from '../../appliance/telemetry/index.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { metricsCompliance } from './metrics.ts';

for (const carrier of CARRIERS) {
  metricsCompliance(`over ${carrier}`, async (registry) => {
    const house = await createCrossingHouse('store', carrier);
    await house.serve(metricsRoutes(registry));
    return { ...createMetricsClient('store', house.connection), close: () => house.close() };
  });
}

const says = (families: unknown): Route[] => routesOf(metrics, { read: () => families as [] });
const sample = { name: 'x', labels: [], value: '1' };
const family = { name: 'x', help: 'X.', type: 'gauge', samples: [sample] };

test('takes nothing that is not a metric from a role, and nothing endless', async (t) => {
  const house = await createCrossingHouse('store', 'sockets');
  t.after(() => house.close());
  const client = createMetricsClient('store', house.connection);
  for (const families of [
    [{ ...family, name: 'x\ny 1' }],
    [{ ...family, samples: [{ ...sample, value: '1\nnectar_role_up 1' }] }],
    [{ ...family, samples: [{ ...sample, labels: [{ name: 'a}', value: '' }] }] }],
    [{ ...family, help: 'x'.repeat(2_000) }],
    Array(1_001).fill(family),
    Array(900)
      .fill({ ...family, help: 'x'.repeat(1_024), samples: [] })
      .concat(
        Array(90).fill({
          ...family,
          samples: Array(100).fill({ ...sample, labels: [{ name: 'a', value: 'x'.repeat(250) }] }),
        }),
      ),
  ]) {
    await house.serve(says(families));
    await assert.rejects(client.read(), (error) => isNectarError(error, 'NODE_MESSAGE_INVALID'));
    assert.match(await createNodeMetrics([client]).text(), /^nectar_role_up\{role="store"\} 0$/m);
  }
  await house.serve(metricsRoutes(createMetrics()));
  assert.match(await createNodeMetrics([client]).text(), /^nectar_role_up\{role="store"\} 1$/m);
});

test('says of a role that is gone or silent that it is not up', async (t) => {
  const house = await createCrossingHouse('store', 'sockets');
  t.after(() => house.close());
  const client = createMetricsClient('store', house.connection);
  let asked = 0;
  const read = () => {
    asked += 1;
    return new Promise<[]>(() => undefined);
  };
  await house.serve(routesOf(metrics, { read }));
  assert.match(await createNodeMetrics([client]).text(), /^nectar_role_up\{role="store"\} 0$/m);
  assert.equal(asked, 1, 'it was asked, and did not answer in time');
  await house.stop();
  assert.match(await createNodeMetrics([client]).text(), /^nectar_role_up\{role="store"\} 0$/m);
});
