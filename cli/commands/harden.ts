import { type Command, Option } from 'commander';
import { SEVERITIES } from '../../hardening/check.ts';
import type { ReportFormat } from '../../hardening/report/formats.ts';
import type { Selectable } from '../../hardening/report/selection.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { HardenOptions } from '../harden/options.ts';
import type { VerifyOptions } from '../harden/verify-report.ts';
import type { Terminal } from '../terminal.ts';
import { registerHardenKeys } from './harden-keys.ts';
import { registerHardenSchedule } from './harden-schedule.ts';
import { registerHardenWaive } from './harden-waive.ts';

/** Named here, so that no other command loads what writes them. */
const FORMATS: readonly ReportFormat[] = ['table', 'json', 'html', 'sarif', 'oscal', 'junit'];

/** Named here for the same reason. */
const SELECTABLE: readonly Selectable[] = ['failed', 'not-seen', 'waived', 'manual', 'passed', 'not-applicable'];

export function registerHarden(program: Command, terminal: Terminal): void {
  const verb = addVerb(program, 'harden', {
    summary: 'look at the node from outside and judge how well it is hardened: the report',
    about:
      'Exit code 0 when nothing failed at or above the threshold, 3 when something did, 13 when something could not be looked at. The digest of each report goes into the audit log of the node.',
    examples: [
      'harden',
      'harden -o report.html --sign',
      'harden --only failed not-seen',
      'harden --only failed -o alerts.sarif',
      'harden --save-facts facts.json --no-record',
      'harden --facts facts.json --profile hipaa --json',
      'harden --manifests rendered.yaml',
      'harden --cluster nectar/clinic',
      'harden --list --profile node',
    ],
  })
    .addOption(
      new Option(
        '--profile <name>',
        'which checks (default: node; of manifests: kubernetes; of a node in Kubernetes: cluster)',
      ),
    )
    .addOption(
      new Option('--format <format>', 'of the report (default: by the name of the file, else a table)').choices(
        FORMATS,
      ),
    )
    .addOption(new Option('-o, --output <file>', 'write the report to a file'))
    .addOption(new Option('--force', 'overwrite files'))
    .addOption(
      new Option(
        '--threshold <severity>',
        "lowest severity whose failures decide the exit code (default: the profile's)",
      ).choices(SEVERITIES),
    )
    .addOption(
      new Option('--only <verdict...>', 'show a part (table, html, sarif); what counts does not change').choices(
        SELECTABLE,
      ),
    )
    .addOption(new Option('--baseline <file>', 'only what is new against this JSON report decides the exit code'))
    .addOption(new Option('--sign', 'sign the file with OpenPGP, and write a proof that the audit log has it'))
    .addOption(new Option('--passphrase-file <file>', 'of the key that signs reports, where it has one; - is stdin'))
    .addOption(new Option('--save-facts <file>', 'save what was seen, to be judged elsewhere'))
    .addOption(new Option('--facts <file>', 'judge saved facts; look at nothing; - is stdin'))
    .addOption(new Option('--manifests <file...>', 'judge rendered Kubernetes manifests; - is stdin'))
    .addOption(
      new Option(
        '--cluster <namespace/release>',
        "judge a release in the cluster of your kubectl's context, without a home",
      ),
    )
    .addOption(new Option('--list', 'list checks and profiles'))
    .addOption(new Option('--no-probe', 'leave out probes that write: what they would show counts as not seen'))
    .addOption(new Option('--no-record', 'leave no trace in audit log, history and alarms'));
  verb.action(action(terminal, (call: Call<HardenOptions>) => runHarden(call)));
  registerReports(verb, terminal);
  registerHardenWaive(verb, terminal);
  registerHardenSchedule(verb, terminal);
  registerHardenKeys(verb, terminal);
}

function registerReports(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'diff <before-file> <after-file>', {
    summary: 'what changed between two JSON reports',
    about: 'Exit code 3 when a check fails that did not fail before.',
    examples: ['harden diff january.json february.json'],
  }).action(action(terminal, diff));
  addVerb(verb, 'explain <id>', {
    summary: 'all about one check: why, how it is judged, what to do, where it comes from',
    examples: ['harden explain BYON-CTR-001'],
  }).action(action(terminal, explain));
  addVerb(verb, 'verify <file>', {
    summary: 'whether a file is the report that the node made: signature and audit log',
    about:
      "Reads FILE.asc and FILE.proof.json beside the file. The keys come from the home of the node, or from outside: an auditor asks the owner for both, and compares the log's with an anchored checkpoint. Exit code 3 when the file was altered, 13 when nobody here can say.",
    examples: ['harden verify report.html', 'harden verify report.html --key clinic.asc --vkey NAME+HASH+KEY --json'],
  })
    .addOption(new Option('--key <file>', 'armoured public key that should have signed'))
    .addOption(new Option('--vkey <key>', 'key of the audit log, as `audit prove` shows it'))
    .action(action(terminal, verify));
}

async function runHarden(call: Call<HardenOptions>): Promise<void> {
  const { harden } = await import('../harden/run-harden.ts');
  await harden(call);
}

async function diff({ operands, terminal, output }: Call<object>): Promise<void> {
  const { showDiff } = await import('../harden/show-diff.ts');
  await showDiff(operands[0] ?? '', operands[1] ?? '', { terminal, output });
}

async function explain({ operands, terminal, output }: Call<object>): Promise<void> {
  const { getCheck, loadBenchmark } = await import('../../hardening/load-benchmark.ts');
  const { renderExplanation } = await import('../../hardening/report/terminal/explain.ts');
  const { screenOf } = await import('../harden/screen.ts');
  const benchmark = loadBenchmark();
  const check = getCheck(benchmark, operands[0] ?? '');
  const profiles = benchmark.profiles.filter(({ checks }) => checks.includes(check.id)).map(({ name }) => name);
  output.result({ ...check, profiles }, () => renderExplanation(check, profiles, screenOf({ terminal, output })));
}

async function verify(call: Call<VerifyOptions>): Promise<void> {
  const { requireGenuine, verifyReport } = await import('../harden/verify-report.ts');
  const { renderVerdicts } = await import('../harden/render-verdicts.ts');
  const verdict = await verifyReport(call);
  call.output.result(verdict, () => renderVerdicts(verdict, call.output));
  requireGenuine(verdict);
}
