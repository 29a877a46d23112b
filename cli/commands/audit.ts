import { type Command, Option } from 'commander';
import type { AuditVerdict as FolderVerdict } from '../../appliance/audit/index.ts';
import { AuditProof, AuditVerdict } from '../../appliance/gateway/audit-schemas.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { findGateway, withNode } from '../node-client.ts';
import { writeOutputFile } from '../output-file.ts';
import { readPassphrase } from '../passphrase.ts';
import { hasTarget } from '../provision/docker/target-path.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { describeEpoch } from '../render/audit-epoch.ts';
import { type Output, toJson } from '../render/output.ts';
import { printable } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { registerAuditExport } from './audit-export.ts';
import { registerAuditQuery } from './audit-query.ts';
import { registerAuditResolve } from './audit-resolve.ts';
import { passphraseFileOption } from './unlock.ts';

export function registerAudit(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'audit', 'read, verify and prove the audit log');
  registerAuditQuery(group, terminal);
  registerAuditExport(group, terminal);
  registerAuditResolve(group, terminal);
  addVerb(group, 'verify', {
    summary: 'recompute the whole log from disk: is it intact, is it complete',
    about:
      'integrity: nothing was altered. completeness: nothing was cut off, compared with the last checkpoint anchored on the chain; unknown while none is there yet, and of a node that is down. Exit code 3 when either is violated.',
    examples: ['audit verify', 'audit verify --json'],
  })
    .addOption(passphraseFileOption())
    .action(action(terminal, verify));
  addVerb(group, 'prove <leaf>', {
    summary: 'prove that an entry is in the log, for someone who does not trust this node',
    about: 'The proof stands alone: scripts/verify-audit-proof.ts checks it without a node.',
    examples: ['audit prove 42 -o proof.json', 'audit prove 42 --json > proof.json'],
  })
    .addOption(new Option('-o, --output <file>', 'write the proof to a new file'))
    .action(action(terminal, prove));
}

type VerifyCall = Call<{ passphraseFile?: string }>;

async function verify(call: VerifyCall): Promise<void> {
  const { output, terminal } = call;
  const verdict = await showWork(terminal, output, 'reading the whole log from disk', async (say) =>
    !hasTarget(call.home) && (await findGateway(call.home)) === undefined
      ? verifyAtRest(call, say)
      : verifyRunning(call, say),
  );
  output.result(verdict, () => renderVerdict(verdict, output));
  const { integrity, completeness } = verdict;
  const { recordVerify } = await import('../life/last-verify.ts');
  await recordVerify(call.home, { at: new Date(terminal.now()).toISOString(), integrity, completeness });
  if (integrity === 'violated' || completeness === 'violated') {
    throw new NectarError('CLI_AUDIT_VIOLATED', { integrity, completeness });
  }
}

/** Of containers nobody but the engine knows whether they run: when they do not answer, it is asked. */
async function verifyRunning(call: VerifyCall, say: (text: string) => void): Promise<AuditVerdict> {
  try {
    return await withNode(call, (client) => client.json(AuditVerdict, 'POST', '/v1/audit/verify'));
  } catch (error) {
    const verdict = isNectarError(error, 'CLI_NODE_UNREACHABLE') ? await verifyVolumes(call, say) : undefined;
    if (verdict === undefined) throw error;
    return verdict;
  }
}

/** Of a node that is down, whose log lies in a volume. undefined: it is in use, or not in one. */
async function verifyVolumes(call: VerifyCall, say: (text: string) => void): Promise<AuditVerdict | undefined> {
  const { home, terminal } = call;
  if (!hasTarget(home)) return undefined;
  const request = { home, terminal, say, passphrase: await readGivenPassphrase(call) };
  if (findClusterTarget(home) === undefined) {
    const { verifyContainers } = await import('../life/verify-containers.ts');
    return verifyContainers(request);
  }
  const { verifyCluster } = await import('../life/verify-cluster.ts');
  const verdict = await verifyCluster(request);
  return verdict && plain(verdict);
}

/** Of a node that is down: its files alone, no token, no process. */
async function verifyAtRest(call: VerifyCall, say: (text: string) => void): Promise<AuditVerdict> {
  const { home, terminal } = call;
  requireHome(home);
  const { verifyOffline } = await import('../provision/process/verify-offline.ts');
  return plain(await verifyOffline({ home, terminal, say, passphrase: await readGivenPassphrase(call) }));
}

/** As the API says it. */
function plain(verdict: FolderVerdict): AuditVerdict {
  return { ...verdict, epochs: [...verdict.epochs], findings: verdict.findings.map((finding) => ({ ...finding })) };
}

function readGivenPassphrase({ terminal, options }: VerifyCall): Promise<Uint8Array> | undefined {
  const { passphraseFile } = options;
  return passphraseFile === undefined ? undefined : readPassphrase(terminal, passphraseFile);
}

function renderVerdict(verdict: AuditVerdict, { style }: Pick<Output, 'style'>): string {
  const paint = (word: string) => style(word === 'ok' ? 'green' : word === 'violated' ? 'red' : 'yellow', word);
  const unknown = verdict.completeness === 'unknown' ? ' (nobody outside this machine to compare with here)' : '';
  return [
    `integrity     ${paint(verdict.integrity)}`,
    `completeness  ${paint(verdict.completeness)}${unknown}`,
    `size          ${verdict.size} leaves`,
    ...renderBodies(verdict),
    ...(verdict.epochs ?? []).map((epoch) => `declared      ${describeEpoch(epoch)}`),
    ...verdict.findings
      .filter(({ code }) => code !== 'AUDIT_GAP_DECLARED')
      .map((finding) => `finding       ${printable(toJson(finding))}`),
  ].join('\n');
}

/** Erased bodies are no fault: their leaves stand, and an `audit.erase` says by which rule they went. */
function renderBodies({ bodies, size }: AuditVerdict): string[] {
  if (bodies === undefined) return [];
  const { opened, erased } = bodies;
  const closed = size - opened - erased;
  const parts = [
    `${opened} opened and matched`,
    ...(erased > 0 ? [`${erased} erased after their retention, which the log records; their proofs stay valid`] : []),
    ...(closed > 0 ? [`${closed} not opened: no key here`] : []),
  ];
  return [`bodies        ${parts.join('; ')}`];
}

async function prove(call: Call<{ output?: string }>): Promise<void> {
  const [leaf = ''] = call.operands;
  if (!/^\d{1,15}$/.test(leaf)) throw new NectarError('CLI_USAGE', { problem: `the leaf ${leaf} is not a number` });
  const target = call.options.output;
  await withNode(call, async (client) => {
    const proof = await client.json(AuditProof, 'GET', `/v1/audit/proof/${leaf}`);
    if (target === undefined) {
      call.output.result(proof, () => JSON.stringify(proof, undefined, 2));
      return;
    }
    await writeOutputFile(
      target,
      (async function* () {
        yield Buffer.from(`${JSON.stringify(proof, undefined, 2)}\n`);
      })(),
      false,
    );
    call.output.result({ leaf: Number(leaf), output: target }, `proof of leaf ${leaf} written to ${target}`);
  });
}
