import { type Command, Option } from 'commander';
import { type AuditorDecision, AuditorQueue, DecisionResult } from '../../appliance/gateway/auditor-schemas.ts';
import { AUDIT_REASONS, type AuditReason } from '../../protocol/network/due-process.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { hashEvidence } from '../evidence-file.ts';
import { withNode } from '../node-client.ts';
import { confirmAction } from '../prompt.ts';
import { describeStanding } from '../render/membership.ts';
import { renderFacts, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { requireDuration } from './up.ts';

const DEFAULT_VALIDITY = '365d';
const ABOUT =
  "The node's operator account decides, which the registry must list as an auditor. The decision, its reason and the SHA-256 of the evidence file are on chain; keep the file.";

interface Decided {
  readonly evidence: string;
  readonly yes?: boolean;
}

/** What an accredited auditor does through the own node. */
export function registerAuditor(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'auditor', 'the audits of the nodes of the network, for accredited auditors');
  addVerb(group, 'queue', {
    summary: 'list who waits for an auditor, the oldest first',
    examples: ['auditor queue', 'auditor queue --json | jq .due'],
  }).action(action(terminal, queue));
  addVerb(group, 'attest <peer>', {
    summary: 'attest that a node passed its audit',
    about: ABOUT,
    examples: ['auditor attest 12D3KooWPeer --evidence report.json'],
  })
    .addOption(evidenceOption())
    .addOption(new Option('--for <duration>', 'how long it holds, 400d at most').default(DEFAULT_VALIDITY))
    .addOption(yesOption())
    .action(action(terminal, attest));
  for (const [verb, summary] of Object.entries(FAILURES))
    addVerb(group, `${verb} <peer>`, {
      summary,
      about: ABOUT,
      examples: [`auditor ${verb} 12D3KooWPeer --reason report --evidence report.json`],
    })
      .addOption(reasonOption())
      .addOption(evidenceOption())
      .addOption(yesOption())
      .action(action(terminal, (call: Call<Decided & { reason: AuditReason }>) => fail(call, verb as Failure)));
  addVerb(group, 'appeal <peer>', {
    summary: 'vote to take an ejection back: the appeal of its owner, or a new audit',
    about: `${ABOUT} Within 60 days of an appeal, auditors who did not vote for the ejection judge it.`,
    examples: ['auditor appeal 12D3KooWPeer --evidence decision.txt'],
  })
    .addOption(evidenceOption())
    .addOption(yesOption())
    .action(action(terminal, readmit));
}

type Failure = 'warn' | 'suspend' | 'eject';
const FAILURES: Readonly<Record<Failure, string>> = {
  warn: 'warn an active node that failed its audit: it has 7 days at least to put things right',
  suspend: 'suspend a warned node, an applicant, or one that lapsed',
  eject: 'vote to eject a node: it drains for 30 days once enough auditors did; at once with --reason harm',
};

const peerOf = ({ operands }: Call<unknown>): string => operands[0] ?? '';

function evidenceOption(): Option {
  return new Option('--evidence <file>', 'what the decision rests on; its SHA-256 is on chain').makeOptionMandatory();
}

function reasonOption(): Option {
  return new Option('--reason <name>', 'why; its number is on chain')
    .choices(Object.keys(AUDIT_REASONS))
    .makeOptionMandatory();
}

function yesOption(): Option {
  return new Option('-y, --yes', 'do not ask');
}

async function queue(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const list = await client.json(AuditorQueue, 'GET', '/v1/auditor/queue');
    const now = call.terminal.now();
    call.output.result(list, () => {
      const columns = [{ title: 'SINCE' }, { title: 'WHY' }, { title: 'PEER' }, { title: 'STANDING' }];
      const rows = list.due.map((entry) => [entry.at, entry.why, entry.peerId, describeStanding(entry.standing, now)]);
      const table = rows.length === 0 ? 'nobody waits' : renderTable(columns, rows);
      return list.isAuditor ? table : `${table}\n\n${list.account} is no auditor of this network`;
    });
  });
}

async function attest(call: Call<Decided & { for: string }>): Promise<void> {
  const { terminal, options } = call;
  const evidence = await hashEvidence(terminal, options.evidence);
  const validUntil = Math.floor((terminal.now() + requireDuration(options.for)) / 1000);
  await decide(call, { verb: 'attest', peerId: peerOf(call), evidence, validUntil });
}

async function fail(call: Call<Decided & { reason: AuditReason }>, verb: Failure): Promise<void> {
  const { terminal, options } = call;
  const evidence = await hashEvidence(terminal, options.evidence);
  await decide(call, { verb, peerId: peerOf(call), evidence, reason: options.reason });
}

async function readmit(call: Call<Decided>): Promise<void> {
  const evidence = await hashEvidence(call.terminal, call.options.evidence);
  await decide(call, { verb: 'readmit', peerId: peerOf(call), evidence });
}

async function decide(call: Call<Decided>, decision: AuditorDecision): Promise<void> {
  const { terminal, output, options } = call;
  await confirmAction(terminal, {
    action: decision.verb,
    message: describeDecision(decision),
    yes: options.yes === true,
  });
  await withNode(call, async (client) => {
    const done = await client.json(DecisionResult, 'POST', '/v1/auditor/decisions', decision);
    output.result({ ...done, ...decision }, () =>
      renderFacts([
        ['decision', `${decision.verb} ${decision.peerId}`],
        ['evidence', decision.evidence],
        ['transaction', `${done.transaction}${done.isIncluded ? '' : ', in no block yet: look at the queue again'}`],
      ]),
    );
  });
}

function describeDecision(decision: AuditorDecision): string {
  const what =
    decision.verb === 'attest'
      ? `attest ${decision.peerId} until ${new Date(decision.validUntil * 1000).toISOString().slice(0, 10)}`
      : `${decision.verb} ${decision.peerId}${'reason' in decision ? ` for ${decision.reason}` : ''}`;
  return `Evidence ${decision.evidence}.\n${what}?`;
}
