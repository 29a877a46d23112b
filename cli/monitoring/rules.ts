import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { shippedChart } from '../provision/kubernetes/plan-kubernetes.ts';

/** An alarm of `files/alarms.yaml` of the chart, which a cluster and a plain Prometheus have in common. */
export interface Alarm {
  readonly alert: string;
  /** PromQL; `{OURS}` and `{OURS,` stand for the selector of the node's samples. */
  readonly expr: string;
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  /** Anchor of its section in docs/runbook.md. */
  readonly section: string;
}

export interface RulesChoice {
  /** Of the scrape configuration: which samples are the node's. */
  readonly job: string;
  /** Where the site keeps the runbook; without it the alarm names the file. */
  readonly runbookUrl?: string;
}

export function readAlarms(): Alarm[] {
  return parse(shippedFile('alarms.yaml')) as Alarm[];
}

/** A rule file of Prometheus (`rule_files`). */
export function renderRules(alarms: readonly Alarm[], { job, runbookUrl }: RulesChoice): string {
  const selector = `job=${JSON.stringify(job)}`;
  const rules = alarms.map(({ alert, expr, for: lasting, severity, summary, section }) => ({
    alert,
    expr: expr.replaceAll('{OURS}', `{${selector}}`).replaceAll('{OURS,', `{${selector},`),
    for: lasting,
    labels: { severity },
    annotations: {
      summary,
      ...(runbookUrl === undefined
        ? { runbook: `docs/runbook.md#${section}` }
        : { runbook_url: `${runbookUrl}#${section}` }),
    },
  }));
  return stringify({ groups: [{ name: job, rules }] }, { lineWidth: 0 });
}

/** The dashboard of the chart, whose panels choose by namespace, for a Prometheus that tells nodes by job. */
export function renderDashboard(): string {
  return shippedFile('dashboard.json')
    .replaceAll('namespace=\\"$namespace\\"', 'job=\\"$job\\"')
    .replaceAll('"name": "namespace"', '"name": "job"')
    .replaceAll('label_values(nectar_role_up, namespace)', 'label_values(nectar_role_up, job)');
}

export interface ScrapeChoice {
  readonly job: string;
  /** `https://HOST:PORT` */
  readonly gateway: string;
  readonly caFile: string;
  readonly tokenFile: string;
}

/** An entry of `scrape_configs`. */
export function renderScrape({ job, gateway, caFile, tokenFile }: ScrapeChoice): string {
  const { host, hostname } = new URL(gateway);
  return stringify([
    {
      job_name: job,
      scheme: 'https',
      metrics_path: '/v1/metrics',
      authorization: { credentials_file: tokenFile },
      tls_config: { ca_file: caFile, server_name: hostname.replaceAll(/[[\]]/g, '') },
      static_configs: [{ targets: [host] }],
    },
  ]);
}

function shippedFile(name: string): string {
  return readFileSync(join(shippedChart(), 'files', name), 'utf8');
}
