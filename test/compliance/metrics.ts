import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Counter, Gauge, Histogram } from 'prom-client';
import { createMetrics, createNodeMetrics, type Metrics, type RoleMetrics } from '../../appliance/telemetry/index.ts';

export interface MetricsUnderTest extends RoleMetrics {
  close(): Promise<void>;
}

/** What a role counts, as whoever watches the node reads it. */
export function metricsCompliance(name: string, create: (registry: Metrics) => Promise<MetricsUnderTest>): void {
  describe(`metrics compliance: ${name}`, () => {
    const registry = createMetrics();
    const registers = [registry];
    const counter = new Counter({ name: 'nectar_test_total', help: 'Tests "\\\n".', labelNames: ['kind'], registers });
    const gauge = new Gauge({ name: 'nectar_test_depth', help: 'Depth.', registers });
    const histogram = new Histogram({ name: 'nectar_test_seconds', help: 'Time.', buckets: [0.5], registers });
    let under: MetricsUnderTest;
    const lines = async (): Promise<string[]> => (await createNodeMetrics([under]).text()).split('\n');
    before(async () => {
      under = await create(registry);
    });
    after(() => under.close());

    it('says which role it is', () => {
      assert.equal(under.role, 'store');
    });

    it('brings every number as it is, those that JSON lacks among them', async () => {
      counter.inc({ kind: 'a "quoted" \\ one\nand more' }, 3);
      histogram.observe(0.25);
      for (const [value, shown] of [
        [Number.NaN, 'NaN'],
        [Number.POSITIVE_INFINITY, '+Inf'],
        [Number.NEGATIVE_INFINITY, '-Inf'],
        [-1.5e-9, '-1.5e-9'],
        [2 ** 60, '1152921504606847000'],
      ] as const) {
        gauge.set(value);
        assert.ok((await lines()).includes(`nectar_test_depth{role="store"} ${shown}`), shown);
      }
      const found = await lines();
      for (const line of [
        '# HELP nectar_test_total Tests "\\\\\\n".',
        '# TYPE nectar_test_total counter',
        'nectar_test_total{role="store",kind="a \\"quoted\\" \\\\ one\\nand more"} 3',
        'nectar_test_seconds_bucket{role="store",le="0.5"} 1',
        'nectar_test_seconds_bucket{role="store",le="+Inf"} 1',
        'nectar_test_seconds_count{role="store"} 1',
        'nectar_role_up{role="store"} 1',
      ])
        assert.ok(found.includes(line), line);
    });

    it("brings the process's own too, and what was counted since", async () => {
      counter.inc({ kind: 'later' });
      const found = await lines();
      assert.ok(found.includes('nectar_test_total{role="store",kind="later"} 1'));
      assert.ok(found.some((line) => /^process_resident_memory_bytes\{role="store"\} \d+$/.test(line)));
    });
  });
}
