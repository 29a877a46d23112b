import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { createNodeMetrics, readFamilies } from '../../appliance/telemetry/index.ts';
import { readAlarms, renderRules, renderScrape } from '../../cli/monitoring/rules.ts';
import { findFreePort } from '../../cli/provision/process/free-port.ts';
import { type Harness, startHarness } from '../unit/appliance/gateway/harness.ts';
import { alarmCases, type Series } from './alarm-cases.ts';
import { said, unless } from './programs.ts';

const JOB = 'nectar-byon';
const runbook = readFileSync(fileURLToPath(new URL('../../docs/runbook.md', import.meta.url)), 'utf8');
const alarms = readAlarms();

/** A case of `promtool test rules`: how many of the alarms fire after an hour and a half of these series. */
function promtoolTest(alarm: string, series: readonly Series[], firing: number): object {
  return {
    interval: '1m',
    input_series: series.map(({ labels, values }) => ({ series: labels.replace('{', `{job="${JOB}",`), values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname=~"${alarm}",alertstate="firing"})`,
        eval_time: '90m',
        exp_samples: firing > 0 ? [{ labels: '{}', value: firing }] : [],
      },
    ],
  };
}

describe('the alarms by Prometheus itself', { skip: unless('promtool', '--version') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-alarms-'));
  const rules = join(folder, 'rules.yml');
  before(() => writeFileSync(rules, renderRules(alarms, { job: JOB })));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('promtool takes the rules', async () => {
    const { stdout } = await said('promtool', ['check', 'rules', rules]);
    assert.match(stdout, new RegExp(`${alarms.length} rules found`));
  });

  test('every alarm fires when it should, and is silent when nothing is wrong', async () => {
    assert.deepEqual(
      alarms.map(({ alert }) => alert).filter((alert) => alarmCases[alert] === undefined),
      [],
    );
    const tests = alarms.map(({ alert }) => promtoolTest(alert, alarmCases[alert]?.fires ?? [], 1));
    const well = promtoolTest(
      '.+',
      Object.values(alarmCases).flatMap(({ silent }) => silent),
      0,
    );
    const file = join(folder, 'tests.yml');
    writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [well, ...tests] }));
    const { stdout } = await said('promtool', ['test', 'rules', file]);
    assert.match(stdout, /SUCCESS/);
  });

  test('what the node says of itself passes promtool', async (t) => {
    const h = await startHarness();
    t.after(() => h.stop());
    const text = await createNodeMetrics([{ role: 'all', read: () => readFamilies(h.metrics) }]).text();
    const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const told: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => told.push(chunk.toString()));
    child.stdin.end(text);
    const [code] = (await once(child, 'close')) as [number];
    // Node's own metrics, of prom-client, have names that are not to promtool's taste.
    const ours = told
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('nectar_'));
    assert.deepEqual(ours, []);
    assert.ok(code === 0 || told.join('').length > 0);
    for (const name of ['nectar_node_ready', 'nectar_gateway_certificate_end_seconds'])
      assert.match(text, new RegExp(name));
  });
});

describe('a Prometheus that watches a node', { skip: unless('prometheus', '--version'), timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-prometheus-'));
  let h: Harness | undefined;
  let prometheus: ChildProcess | undefined;
  after(async () => {
    prometheus?.kill('SIGKILL');
    if (prometheus !== undefined && prometheus.exitCode === null) await once(prometheus, 'close');
    await h?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('scrapes it with the printed entry, and loads the printed rules', async () => {
    const harness = await startHarness();
    h = harness;
    const at = (name: string): string => join(folder, name);
    writeFileSync(at('ca.crt'), harness.certificates.caCertificate);
    writeFileSync(at('token'), await harness.token('node:read'));
    writeFileSync(at('rules.yml'), renderRules(alarms, { job: JOB }));
    const gateway = `https://localhost:${harness.port}`;
    const scrape = parse(renderScrape({ job: JOB, gateway, caFile: at('ca.crt'), tokenFile: at('token') })) as object[];
    writeFileSync(
      at('prometheus.yml'),
      stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: [at('rules.yml')],
        scrape_configs: scrape,
      }),
    );
    const port = await findFreePort(randomInt(32_000, 38_000));
    const said: string[] = [];
    const started = spawn(
      'prometheus',
      [
        `--config.file=${at('prometheus.yml')}`,
        `--storage.tsdb.path=${at('data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    prometheus = started;
    started.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const ask = async (path: string): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      return answer === undefined ? '' : answer.text();
    };
    await until(
      async () => ((await ask('/api/v1/targets')).includes('"health":"up"') ? true : undefined),
      started,
      said,
    );
    assert.equal((await ask('/api/v1/rules')).match(/"type":"alerting"/g)?.length, alarms.length);
  });

  async function until<T>(
    look: () => T | undefined | Promise<T | undefined>,
    process: ChildProcess,
    told: readonly string[],
  ): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.equal(process.exitCode, null, told.join(''));
      await sleep(100);
    }
  }
});

test('the Alertmanager of the runbook sends what is critical to who is on call', {
  skip: unless('amtool', '--version'),
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-alertmanager-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'alertmanager.yml');
  const example = /```yaml\n(route:[\s\S]*?)```/.exec(runbook)?.[1] ?? '';
  writeFileSync(file, example);
  await said('amtool', ['check-config', file]);
  const routed = async (severity: string): Promise<string> =>
    (await said('amtool', ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`])).stdout.trim();
  assert.deepEqual([await routed('critical'), await routed('warning')], ['on-call', 'mail']);
  assert.deepEqual([...new Set(alarms.map(({ severity }) => severity))].sort(), ['critical', 'warning']);
});
