import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  createNodeMetrics,
  type MetricFamily,
  type RoleMetrics,
  readFamilies,
} from '../../../../appliance/telemetry/index.ts';

function registry(work: (registers: Registry[]) => void): Registry {
  const made = new Registry();
  work([made]);
  return made;
}

const of = (role: string, made: Registry): RoleMetrics => ({ role, read: () => readFamilies(made) });
const says = (role: string, families: readonly MetricFamily[]): RoleMetrics => ({ role, read: async () => families });
const family = (
  name: string,
  samples: MetricFamily['samples'],
  type: MetricFamily['type'] = 'gauge',
): MetricFamily => ({
  ...{ name, type, samples },
  help: 'Of it.',
});
const linesOf = async (...roles: RoleMetrics[]): Promise<string[]> =>
  (await createNodeMetrics(roles).text()).trimEnd().split('\n');

test('says what the registry itself says, with the role as a label', async () => {
  const made = registry((registers) => {
    new Counter({ name: 'puts_total', help: 'Puts,\nall.', labelNames: ['outcome'], registers }).inc({
      outcome: 'a"\\',
    });
    new Gauge({ name: 'depth', help: 'Depth.', registers }).set(2.5);
    new Histogram({ name: 'took_seconds', help: 'Time.', buckets: [0.5, 1], registers }).observe(0.7);
  });
  const labelled = (await made.metrics())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      if (line.startsWith('#')) return line;
      const brace = line.indexOf('{');
      if (brace >= 0) return `${line.slice(0, brace)}{role="store",${line.slice(brace + 1)}`;
      return line.replace(' ', '{role="store"} ');
    });
  const lines = await linesOf(of('store', made));
  assert.deepEqual(lines.slice(3).toSorted(), labelled.toSorted());
  assert.ok(lines.includes('took_seconds_bucket{role="store",le="0.5"} 0'));
});

test('puts the samples of all roles below one heading', async () => {
  const depth = (value: number) =>
    registry((registers) => new Gauge({ name: 'depth', help: 'D.', registers }).set(value));
  const lines = await linesOf(of('store', depth(1)), of('audit', depth(2)));
  const expected = ['# HELP depth D.', '# TYPE depth gauge', 'depth{role="store"} 1', 'depth{role="audit"} 2'];
  assert.deepEqual(lines.slice(4), expected);
});

test('names the role that does not answer, and shows the others', async () => {
  const broken: RoleMetrics = { role: 'audit', read: () => Promise.reject(new Error('gone')) };
  const lines = await linesOf(says('store', [family('depth', [])]), broken);
  assert.deepEqual(lines, [
    '# HELP nectar_role_up Whether the role told its metrics in time.',
    '# TYPE nectar_role_up gauge',
    'nectar_role_up{role="store"} 1',
    'nectar_role_up{role="audit"} 0',
    '# HELP depth Of it.',
    '# TYPE depth gauge',
  ]);
});

test('lets no role speak for another one', async () => {
  const other = [{ name: 'role', value: 'audit' }];
  const lines = await linesOf(
    says('audit', [family('depth', [{ name: 'depth', labels: [], value: '5' }])]),
    says('store', [
      family('nectar_role_up', [{ name: 'nectar_role_up', labels: other, value: '1' }]),
      family('depth', [
        { name: 'depth', labels: other, value: '7' },
        { name: 'nectar_role_up', labels: other, value: '0' },
      ]),
      family('depth', [{ name: 'depth', labels: [], value: '9' }], 'counter'),
    ]),
  );
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('#')),
    [
      'nectar_role_up{role="audit"} 1',
      'nectar_role_up{role="store"} 1',
      'depth{role="audit"} 5',
      'depth{role="store"} 7',
    ],
  );
});

test('asks each role once, however many scrape at the same time', async () => {
  let asked = 0;
  const role: RoleMetrics = {
    role: 'store',
    read: async () => {
      asked += 1;
      return [];
    },
  };
  const node = createNodeMetrics([role]);
  await Promise.all([node.text(), node.text(), node.text()]);
  assert.equal(asked, 1);
  await node.text();
  assert.equal(asked, 2);
});
