import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { requireVolumes } from '../../appliance/volume-marks.ts';
import type { Screen } from '../../hardening/report/terminal/text.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { hardeningLines } from '../harden/alarm.ts';
import { screenOf } from '../harden/screen.ts';
import { requireHome } from '../home-folder.ts';
import { backupLines } from '../life/backup-alarm.ts';
import { askNodeStatus } from '../node-status.ts';
import { parseCount } from '../option-parsers.ts';
import { gatewayUrl } from '../provision/docker/gateway-url.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { readRunning } from '../provision/process/running.ts';
import { assertionLines, FALSE_ASSERTION_ADVICE } from '../render/assertions.ts';
import { describeGaps } from '../render/audit-epoch.ts';
import { custodyLines } from '../render/custody.ts';
import { renderFitness } from '../render/fitness.ts';
import { l1Lines } from '../render/l1.ts';
import { logLevelLines } from '../render/log-levels.ts';
import { membershipLines } from '../render/membership.ts';
import { describeOffer } from '../render/offer.ts';
import type { Output } from '../render/output.ts';
import { formatDuration } from '../render/quantities.ts';
import { recalledLines } from '../render/recalled.ts';
import { describeRekey } from '../render/rekey.ts';
import { describeReleases } from '../render/releases.ts';
import { revocationLines } from '../render/revocations.ts';
import { describeShards } from '../render/shards.ts';
import { printable, renderFacts } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

const WATCH_SECONDS = 2;

/** Where the status is shown, and when: what it says of times to come depends on it. */
type Moment = Screen & { readonly now: number };

const momentOf = (call: Call<unknown>): Moment => ({ ...screenOf(call), now: call.terminal.now() });

interface StatusOptions {
  readonly watch?: number;
}

export function registerStatus(program: Command, terminal: Terminal): void {
  addVerb(program, 'status', {
    summary: 'show how the node is: ready, heads, peers, records, audit log, anchors',
    about:
      'Asks the API of the node; where that does not answer, the local socket of the node, which needs no free place at the gateway. Then the exit code is that of the failure.',
    examples: ['status', 'status --watch', 'status --json | jq .ready'],
  })
    .addOption(
      new Option('-w, --watch [seconds]', 'show the status again every few seconds, until Ctrl-C')
        .argParser(parseCount)
        .preset(String(WATCH_SECONDS)),
    )
    .action(action(terminal, status));
}

async function status(call: Call<StatusOptions>): Promise<void> {
  const { watch: seconds } = call.options;
  if (seconds === undefined) return showStatus(call);
  const { watch } = await import('../render/watch.ts');
  await watch(call, seconds, showStatus);
}

async function showStatus(call: Call<StatusOptions>): Promise<void> {
  const { output } = call;
  if (findClusterTarget(call.home) !== undefined) return statusOfPods(call);
  if (findTarget(call.home) !== undefined) return statusOfContainers(call);
  requireHome(call.home);
  await requireWhole(call.home);
  const { node, gateway, apiFailure } = await askNodeStatus(call);
  output.result({ ...node, home: call.home, gateway }, () => renderStatus(node, gateway, momentOf(call)));
  if (apiFailure !== undefined) throw apiFailure;
}

/** A node whose key list is damaged or gone, or a folder lost, does not start: that is the reason, not that it is not running. */
async function requireWhole(home: string): Promise<void> {
  if (existsSync(join(home, 'target.json')) || readRunning(home) !== undefined) return;
  const { checkKeyStore } = await import('../../appliance/keys/index.ts');
  requireVolumes(home);
  await checkKeyStore(home);
}

/** The containers say how they are even where the node does not answer. */
async function statusOfPods(call: Call<StatusOptions>): Promise<void> {
  const { home, output, terminal } = call;
  const { requireClusterTarget } = await import('../provision/kubernetes/cluster-target.ts');
  const { openKubectl } = await import('../provision/kubernetes/open-kubectl.ts');
  const { readPods } = await import('../provision/kubernetes/pod-states.ts');
  const { renderPods } = await import('../provision/kubernetes/render-pods.ts');
  const target = requireClusterTarget(home);
  const pods = await readPods(openKubectl(target, terminal), target);
  const table = renderPods(pods, output);
  const asked = await askNodeStatus(call).catch((error: unknown) => {
    if (isNectarError(error)) output.result({ home, ready: false, pods }, table);
    throw error;
  });
  const gateway = target.gateway ?? `${target.namespace}/${target.release}`;
  const { node } = asked;
  output.result({ ...node, home, gateway, pods }, () => `${renderStatus(node, gateway, momentOf(call))}\n\n${table}`);
  if (asked.apiFailure !== undefined) throw asked.apiFailure;
}

async function statusOfContainers(call: Call<StatusOptions>): Promise<void> {
  const { home, output, terminal } = call;
  const { readContainerStatus, renderContainers, requireNodeVolumes } = await import(
    '../provision/docker/container-status.ts'
  );
  const containers = await readContainerStatus(home, terminal);
  const table = renderContainers(containers, output);
  const { node, apiFailure } = await askNodeStatus(call).catch(async (error: unknown) => {
    if (isNectarError(error, 'CLI_NODE_UNREACHABLE')) {
      output.result({ home, ready: false, containers }, table);
      await requireNodeVolumes(home, terminal);
    }
    throw error;
  });
  // Of a home of containers alone: the options of a node are much to load for one address.
  const { loadConfig } = await import('../../appliance/config/load.ts');
  const { gateway } = loadConfig({ home }).config;
  const url = gatewayUrl(gateway);
  output.result(
    { ...node, home, gateway: url, containers },
    () => `${renderStatus(node, url, momentOf(call))}\n\n${table}`,
  );
  if (apiFailure !== undefined) throw apiFailure;
}

/** Only what needs eyes: an index that is not the newest is among the reasons already. */
function storageLines({ storage, tokens }: NodeStatus): [string, string][] {
  const told = tokensLine(tokens);
  if (storage === undefined || storage === null) return told;
  const lines: string[] = [];
  const { restored } = storage;
  if (restored !== undefined && restored.missing > 0)
    lines.push(`restored as of ${restored.backupCreatedAt}: ${restored.missing} newer records or versions are lost`);
  const { rekey } = storage;
  if (rekey !== undefined && rekey.state !== 'done') told.push(['rekey', describeRekey(rekey)]);
  if (storage.cutOff !== undefined)
    lines.push(`${storage.cutOff} puts of the moment before the kill are in the audit log alone: fsck lists them`);
  if (storage.damaged > 0) lines.push(`${storage.damaged} damaged values: nectar-byon fsck`);
  const { unreadable } = storage;
  if (unreadable !== undefined && unreadable.versions > 0)
    lines.push(`${unreadable.versions} versions did not read at the scrub of ${unreadable.at}: nectar-byon scrub`);
  told.push(...holderLines(storage.holders ?? []));
  const { offer } = storage;
  if (offer !== undefined && (offer.bytes > 0 || offer.heldBytes > 0)) told.push(['offer', describeOffer(offer)]);
  const { shards } = storage;
  if (shards !== undefined && (shards.holders > 0 || shards.segments > 0))
    told.push(['shards', describeShards(shards)]);
  const releases = describeReleases(storage.releases);
  if (releases !== undefined) told.push(['deletions', releases]);
  if (storage.pendingErasures > 0)
    lines.push(`${storage.pendingErasures} destroyed records whose bytes are still leaving the files`);
  return [...lines.map((line): [string, string] => ['index', line]), ...told];
}

const HOLDER_STATES = {
  late: 'has proved nothing lately, and is not counted',
  lost: 'is given up as silent; its replicas are made elsewhere',
  out: 'is not in the registry; it is read from for 30 days, and its replicas are made elsewhere',
  distrusted: 'gave false answers; its replicas are made elsewhere',
} as const;

/** Holders that do not count, and why. */
function holderLines(holders: NonNullable<NonNullable<NodeStatus['storage']>['holders']>): [string, string][] {
  return holders.flatMap(({ holder, state, faults }): [string, string][] => {
    if (state !== 'good') return [['holder', `${holder} ${HOLDER_STATES[state]}`]];
    return faults > 0 ? [['holder', `${holder} did not have ${faults} blocks that it said it holds`]] : [];
  });
}

function tokensLine(tokens: NodeStatus['tokens']): [string, string][] {
  if (tokens?.found === undefined) return [];
  const { found, revoked, restored } = tokens;
  const was = found === 'behind' ? 'an older copy' : found;
  return [['tokens', `tokens.json was ${was}: ${revoked} revocations and ${restored} tokens taken from the audit log`]];
}

/** What bars the log, and what is declared of it: shown for ever. */
function auditLines({ audit }: NodeStatus, style: Output['style']): [string, string][] {
  const { conflict, epochs = [] } = audit ?? {};
  const gaps = describeGaps(epochs);
  return [
    ...(conflict === undefined || conflict === null
      ? []
      : [
          ['', style('red', `${conflict.code}: ${printable(conflict.reason)}; nothing private is served`)] as [
            string,
            string,
          ],
        ]),
    ...(audit?.chain === 'waiting' ? [['', CHAIN_WAITING] as [string, string]] : []),
    ...(audit?.chain === 'silent' ? [['', style('yellow', CHAIN_SILENT)] as [string, string]] : []),
    ...(gaps === undefined ? [] : [['', gaps] as [string, string]]),
  ];
}

const UNKNOWN = 'not known yet';
const CHAIN_WAITING = 'is being held against the chain: private data waits';
const CHAIN_SILENT =
  'not held against the chain since the start, which has not answered: what is here is served, and an older copy of the machine would not be noticed';

/** First the one sentence, then what there is to know. */
export function renderStatus(node: NodeStatus, gateway: string, at: Moment): string {
  return `${renderFitness(node.hardening ?? null, at)}\n\n${renderFacts(statusFacts(node, gateway, at))}`;
}

function statusFacts(node: NodeStatus, gateway: string, { style, now }: Moment): [string, string][] {
  const { l2, audit, anchored } = node;
  const facts: [string, string][] = [
    ['node', node.ready ? style('green', 'ready') : style('yellow', node.locked ? 'locked' : 'not ready')],
    ...node.reasons.map(({ service, reason }): [string, string] => ['', `${service}: ${reason}`]),
    ['gateway', gateway],
    ['node id', node.nodeId],
    ['peer id', node.peerId],
    ['network', node.network],
    ['roles', node.roles.join(', ')],
    ['up for', formatDuration(node.uptimeSeconds * 1000)],
    ['chain head', l2 === null ? UNKNOWN : `${l2.unsafe} latest, ${l2.safe} safe on L1, ${l2.finalized} final`],
    ...l1Lines(node.l1, style),
    ['peers', node.peers === null ? UNKNOWN : String(node.peers)],
    ...membershipLines(node, now, style),
    ['records', node.records === null ? UNKNOWN : String(node.records)],
    ['audit log', audit === null ? UNKNOWN : describeLog(audit)],
  ];
  facts.push(...auditLines(node, style), ...recalledLines(node, style));
  facts.push(...storageLines(node));
  if (anchored === null) {
    facts.push(['anchored', UNKNOWN]);
  } else {
    const waiting = anchored.waiting === undefined ? '' : ` (${anchored.waiting})`;
    const upTo = `safe up to L2 block ${anchored.safeBlock}`;
    facts.push([
      'anchored',
      `${anchored.records} record commitments and ${anchored.auditSize} audit leaves, ${upTo}; ${anchored.pending} pending${waiting}`,
    ]);
  }
  facts.push(...assertionLines(node.assertions, style));
  facts.push(...custodyLines(node, style), ...revocationLines(node, style));
  const split = node.witness?.splitLogs ?? [];
  if (split.length > 0)
    facts.push(['witness', style('red', `two stories of the audit log of ${split.map(printable).join(', ')}`)]);
  facts.push(...logLevelLines(node, style));
  facts.push(...hardeningLines(node.hardening ?? null, style), ...backupLines(node.backups ?? null, style));
  if ((node.assertions?.false.length ?? 0) > 0) facts.push(['next', FALSE_ASSERTION_ADVICE]);
  if (node.locked) facts.push(['next', 'nectar-byon unlock']);
  if (split.length > 0) facts.push(['next', 'docs/runbook.md, "A member\'s audit log tells two stories"']);
  if (audit?.conflict) facts.push(['next', 'docs/runbook.md, "The audit log is not intact"']);
  return facts;
}

function describeLog({ size, root, nextErasure }: NonNullable<NodeStatus['audit']>): string {
  const erasure = nextErasure === undefined ? '' : `; next erasure of bodies ${nextErasure.slice(0, 10)}`;
  return `${size} leaves, root ${root.slice(0, 16)}...${erasure}`;
}
