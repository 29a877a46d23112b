import { resolve } from 'node:path';
import { AuditProof } from '../../appliance/gateway/audit-schemas.ts';
import type { RecordedReport } from '../../appliance/gateway/hardening-schemas.ts';
import type { Benchmark, Profile } from '../../hardening/check.ts';
import { getProfile, loadBenchmark } from '../../hardening/load-benchmark.ts';
import { renderReport } from '../../hardening/report/formats.ts';
import type { Report } from '../../hardening/report/report.ts';
import { renderSentence } from '../../hardening/report/terminal/table.ts';
import type { Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { renderFacts } from '../render/table.ts';
import { gatherFacts } from './gather-facts.ts';
import { keepReport } from './history.ts';
import { decisive, isOfHome, judge, readReport, requireGood } from './judge.ts';
import { listChecks } from './list-checks.ts';
import { checkOptions, type HardenOptions, onlyOf } from './options.ts';
import { noteOf, type OnRecord, recordReport } from './record-report.ts';
import { screenOf } from './screen.ts';
import {
  planFiles,
  proofPath,
  requireWholeFormat,
  type WrittenReport,
  writeBytes,
  writeReport,
} from './write-report.ts';

const DEFAULT_PROFILE = 'node';
const MANIFESTS_PROFILE = 'kubernetes';
const CLUSTER_PROFILE = 'cluster';

interface Made {
  readonly report: Report;
  readonly profile: Profile;
  readonly written: WrittenReport;
  /** Undefined where nobody wanted it. */
  readonly onRecord: OnRecord | undefined;
}

/** `nectar-byon harden`: looks, judges, writes, signs, records, and says by its exit code whether it is well. */
export async function harden(call: Call<HardenOptions>): Promise<void> {
  const { options, terminal } = call;
  checkOptions(options);
  const benchmark = loadBenchmark();
  if (options.list === true) return listChecks(call, benchmark);
  requireWholeFormat(call);
  const profile = getProfile(benchmark, options.profile ?? defaultProfile(call.home, options));
  const baseline = options.baseline === undefined ? undefined : await readReport(terminal, options.baseline);
  await planFiles(call);
  const made = await make(call, benchmark, profile);
  show(call, made);
  requireGood(decisive(made.report, baseline), made.report);
}

function defaultProfile(home: string, { manifests, cluster }: HardenOptions): string {
  if (manifests !== undefined) return MANIFESTS_PROFILE;
  return cluster !== undefined || findClusterTarget(home) !== undefined ? CLUSTER_PROFILE : DEFAULT_PROFILE;
}

async function make(call: Call<HardenOptions>, benchmark: Benchmark, profile: Profile): Promise<Made> {
  const { home, options, terminal } = call;
  const facts = await gatherFacts(call);
  if (options.saveFacts !== undefined) {
    const bytes = Buffer.from(`${JSON.stringify(facts, undefined, 1)}\n`);
    await writeBytes(resolve(terminal.workingFolder, options.saveFacts), bytes, options.force === true);
  }
  const report = await judge(call, { benchmark, profile, facts });
  const written = await writeReport(call, report);
  // What was seen elsewhere, or is not installed yet, is nothing that this node could vouch for.
  const isElsewhere = [options.facts, options.manifests, options.cluster].some((source) => source !== undefined);
  const live = !isElsewhere && (await isOfHome(home, facts));
  if (!live || !options.record) return { report, profile, written, onRecord: undefined };
  const { digest, format, fileDigest, signer } = written;
  const file = fileDigest === undefined ? undefined : { format, digest: fileDigest };
  const note = noteOf(report, profile, { digest, file, signer });
  const onRecord = await recordReport({ home, signal: terminal.signal, note });
  const auditLeaf = 'report' in onRecord ? onRecord.report.auditLeaf : undefined;
  await keepReport(home, report, {
    digest,
    ...(fileDigest !== undefined && { fileDigest }),
    ...(auditLeaf !== undefined && { auditLeaf }),
  });
  if (auditLeaf !== undefined && signer !== undefined) await writeProof(call, written, auditLeaf);
  return { report, profile, written, onRecord };
}

/** Beside the signature, so that an auditor without the node can see that its log has this report. */
async function writeProof(call: Call<HardenOptions>, { path = '' }: WrittenReport, leaf: number): Promise<void> {
  await withNode(call, async (client) => {
    const proof = await client.json(AuditProof, 'GET', `/v1/audit/proof/${leaf}`);
    const bytes = Buffer.from(`${JSON.stringify(proof, undefined, 2)}\n`);
    await writeBytes(proofPath(path), bytes, call.options.force === true);
  });
}

function show(call: Call<HardenOptions>, made: Made): void {
  const { output, terminal } = call;
  const { report, written } = made;
  const { path, format } = written;
  const recorded = made.onRecord !== undefined && 'report' in made.onRecord ? made.onRecord.report : undefined;
  if (path === undefined) {
    terminal.stdout.write(renderReport(report, format, { screen: screenOf(call), only: onlyOf(call.options) }));
    output.note(recordLines(made).join('\n'));
    return;
  }
  const { fitness, score, counts, failed, unseen } = report;
  const result = {
    ...{
      file: path,
      format,
      profile: report.profile.name,
      fitness: { fit: fitness.fit, reasons: fitness.reasons },
      score: score.value,
      counts,
      failed,
      unseen,
    },
    ...{ digest: written.fileDigest ?? written.digest, signer: written.signer },
    ...(made.onRecord !== undefined && { onRecord: recorded ?? made.onRecord }),
  };
  output.result(result, () => summaryText(call, made, recorded));
}

function summaryText(call: Call<HardenOptions>, made: Made, recorded: RecordedReport | undefined): string {
  const { report, written } = made;
  const { style } = call.output;
  const { counts, score, profile } = report;
  const facts: [string, string][] = [
    ['report', `${written.path} (${written.format})`],
    ['profile', profile.name],
    ['score', `${score.value} of 100`],
    ['checks', `${counts.pass} passed, ${counts.fail} failed, ${counts.error} not seen, ${counts.waived} waived`],
    ['digest', written.fileDigest ?? written.digest],
  ];
  if (written.signer !== undefined) facts.push(['signed by', written.signer]);
  if (recorded !== undefined) facts.push(['audit log', `leaf ${recorded.auditLeaf}`]);
  const drift = recorded?.drifted ?? [];
  if (drift.length > 0) facts.push(['drift', style('red', `failed in no report before: ${drift.join(', ')}`)]);
  const missing = made.onRecord !== undefined && 'reason' in made.onRecord ? made.onRecord.reason : undefined;
  if (missing !== undefined) facts.push(['audit log', style('yellow', `not on record: ${missing}`)]);
  return `${renderSentence(report, screenOf(call))}\n\n${renderFacts(facts)}`;
}

function recordLines({ onRecord }: Made): string[] {
  if (onRecord === undefined) return ['not on record'];
  if ('reason' in onRecord) return [`not on record: ${onRecord.reason}`];
  const { auditLeaf, drifted } = onRecord.report;
  const drift = drifted.length === 0 ? [] : [`drift: failed in no report before: ${drifted.join(', ')}`];
  return [...drift, `on record: leaf ${auditLeaf} of the audit log`];
}
