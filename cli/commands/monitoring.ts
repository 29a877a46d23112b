import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { findGateway } from '../node-client.ts';
import type { Terminal } from '../terminal.ts';

interface MonitoringOptions {
  readonly job: string;
  readonly runbookUrl?: string;
  readonly tokenFile: string;
}

const load = () => import('../monitoring/rules.ts');
const jobOption = () => new Option('--job <name>', 'name of the node in Prometheus').default('nectar-byon');

export function registerMonitoring(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'monitoring', 'what Prometheus and Grafana need to watch the node');
  addVerb(group, 'scrape', {
    summary: "print the node's entry of scrape_configs",
    about:
      'The token is made with `nectar-byon token create prometheus --scope node:read`; keep it in the file that the entry names.',
    examples: ['monitoring scrape', 'monitoring scrape --token-file /etc/prometheus/nectar.token'],
  })
    .addOption(jobOption())
    .addOption(
      new Option('--token-file <file>', 'where Prometheus finds the token').default(
        '/etc/prometheus/nectar-byon.token',
      ),
    )
    .action(action(terminal, scrape));
  addVerb(group, 'rules', {
    summary: 'print the alarms as a rule file of Prometheus; each names its section of the runbook',
    examples: [
      'monitoring rules > nectar-byon.rules.yml',
      'monitoring rules --runbook-url https://wiki.clinic.example/nectar',
    ],
  })
    .addOption(jobOption())
    .addOption(new Option('--runbook-url <url>', 'where your site keeps docs/runbook.md'))
    .action(action(terminal, rules));
  addVerb(group, 'dashboard', {
    summary: 'print the dashboard of Grafana, to be imported',
    examples: ['monitoring dashboard > nectar-byon.json'],
  }).action(action(terminal, dashboard));
}

async function scrape({ home, options, output }: Call<MonitoringOptions>): Promise<void> {
  requireHome(home);
  const { renderScrape } = await load();
  const { loadConfig } = await import('../../appliance/config/load.ts');
  const { gatewayUrl } = await import('../provision/docker/gateway-url.ts');
  const gateway = (await findGateway(home)) ?? gatewayUrl(loadConfig({ home }).config.gateway);
  const choice = { job: options.job, gateway, caFile: join(home, 'tls', 'ca.crt'), tokenFile: options.tokenFile };
  output.result(choice, () => renderScrape(choice).trimEnd());
}

async function rules({ options, output }: Call<MonitoringOptions>): Promise<void> {
  const { readAlarms, renderRules } = await load();
  const alarms = readAlarms();
  output.result({ alarms }, () => renderRules(alarms, options).trimEnd());
}

async function dashboard({ terminal }: Call<MonitoringOptions>): Promise<void> {
  const { renderDashboard } = await load();
  terminal.stdout.write(renderDashboard());
}
