import { statSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import type { HardeningStatus } from '../../appliance/gateway/hardening-schemas.ts';
import { NetworkInfo, type NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { ERRORS, type ErrorCode, NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { guidanceOf } from '../errors/guidance-of.ts';
import { checkHardening } from '../harden/alarm.ts';
import { screenOf } from '../harden/screen.ts';
import { requireHome } from '../home-folder.ts';
import { checkRepositories } from '../life/backup-alarm.ts';
import { checkBackupAge } from '../life/check-backup.ts';
import { checkCertificates } from '../life/check-certificates.ts';
import { checkHomeFiles, checkVolumesOf } from '../life/check-home-files.ts';
import { findLastBackup } from '../life/last-backup.ts';
import { checkVerifyAge, findLastVerify } from '../life/last-verify.ts';
import { isAuthorized } from '../membership.ts';
import { findGateway, withNode } from '../node-client.ts';
import { askNodeStatus } from '../node-status.ts';
import { type Check, checkClock, checkDisk, checkMemory, checkNode } from '../preflight.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { gradeAssertions } from '../render/assertions.ts';
import { describeGaps } from '../render/audit-epoch.ts';
import { renderChecks } from '../render/checks.ts';
import { gradeCustody } from '../render/custody.ts';
import { renderFitness } from '../render/fitness.ts';
import { gradeL1 } from '../render/l1.ts';
import { describeStanding, gradeStanding } from '../render/membership.ts';
import { gradeRecalled } from '../render/recalled.ts';
import { gradeRevocations } from '../render/revocations.ts';
import { gradeStorage } from '../render/storage-checks.ts';
import { checkReboot } from '../service/node-service.ts';
import type { Terminal } from '../terminal.ts';

const GOOD_LAG_BLOCKS = 300;
const GOOD_PENDING_RECORDS = 1000;

export function registerDoctor(program: Command, terminal: Terminal): void {
  addVerb(program, 'doctor', {
    summary: 'examine the machine and the node: numbers, verdicts, advice',
    about: 'Exit code 3 when a verdict is bad.',
    examples: ['doctor', 'doctor --json | jq ".checks[] | select(.grade != \\"good\\")"'],
  }).action(action(terminal, doctor));
}

async function doctor(call: Call<object>): Promise<void> {
  requireHome(call.home);
  const { checks, hardening } = await examination(call);
  const fitness = hardening?.fitness ?? null;
  call.output.result({ fitness, checks }, () => {
    return `${renderFitness(hardening, screenOf(call))}\n\n${renderChecks(checks, call.output)}`;
  });
  const failures = checks.filter(({ grade }) => grade === 'bad').map(({ name, value }) => `${name}: ${value}`);
  if (failures.length > 0) throw new NectarError('CLI_DOCTOR_FOUND', { failures });
}

/** All checks of a node, in whatever it runs. */
export async function examine(call: Call<unknown>): Promise<readonly Check[]> {
  return (await examination(call)).checks;
}

interface Examination {
  readonly checks: readonly Check[];
  /** What the node says of its reports; undefined where it could not be asked. */
  readonly hardening?: HardeningStatus | null;
}

async function examination(call: Call<unknown>): Promise<Examination> {
  const { home, terminal } = call;
  const now = terminal.now();
  const cluster = findClusterTarget(home) !== undefined;
  const containers = !cluster && findTarget(home) !== undefined;
  const node = await examineNode(call);
  const checks = [
    checkNode(process.versions.node),
    await checkDisk(home),
    checkMemory(freemem(), totalmem()),
    checkPermissions(home),
    await checkConfig(call),
    ...(containers || cluster ? [] : [checkHomeFiles(home), checkVolumesOf(home), await checkKeyList(home)]),
    ...(cluster ? [] : await checkCertificates(home, now)),
    ...(containers || cluster ? [] : [await checkReboot(home, terminal)]),
    await checkClock(terminal, await l1Of(home)),
    checkBackupAge(await findLastBackup(home), now),
    checkVerifyAge(await findLastVerify(home), now),
    ...(containers ? await checkEngineOf(home, terminal) : []),
    ...(cluster ? await checkClusterOf(call) : []),
    ...node.checks,
  ];
  return { ...node, checks };
}

async function checkClusterOf(call: Call<unknown>): Promise<Check[]> {
  const { examineCluster } = await import('../provision/kubernetes/examine-cluster.ts');
  const { checkPairs } = await import('../provision/kubernetes/check-pairs.ts');
  return [...(await examineCluster(call.home, call.terminal)), ...(await checkPairs(call))];
}

async function checkEngineOf(home: string, terminal: Terminal): Promise<Check[]> {
  const { examineContainers } = await import('../life/examine-containers.ts');
  try {
    return await examineContainers(home, terminal);
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return [{ name: 'engine', value: error.message, grade: 'bad', advice: 'is Docker or Podman running?' }];
  }
}

function checkPermissions(home: string): Check {
  const mode = statSync(home).mode & 0o777;
  const good = (mode & 0o077) === 0;
  const value = `mode ${mode.toString(8).padStart(4, '0')}`;
  return {
    name: 'home',
    value,
    grade: good ? 'good' : 'bad',
    ...(!good && { advice: `others can look in: chmod 700 ${home}` }),
  };
}

async function checkConfig({ home, terminal }: Call<unknown>): Promise<Check> {
  const { loadConfig } = await import('../../appliance/config/index.ts');
  try {
    loadConfig({ home, env: terminal.env });
    return { name: 'config', value: 'valid', grade: 'good' };
  } catch (error) {
    return { name: 'config', value: (error as Error).message, grade: 'bad', advice: 'correct HOME/config.json' };
  }
}

/** Told without any secret, and of a node that is down too. That of a node in containers lies in a volume: its store says so. */
async function checkKeyList(home: string): Promise<Check> {
  const { checkKeyStore } = await import('../../appliance/keys/index.ts');
  try {
    await checkKeyStore(home);
    return { name: 'key list', value: 'undamaged', grade: 'good' };
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return { name: 'key list', value: error.message, grade: 'bad', advice: guidanceOf(error.code).remedy };
  }
}

async function l1Of(home: string): Promise<string | undefined> {
  const { readDescriptor } = await import('../../appliance/config/index.ts');
  try {
    return readDescriptor(home).descriptor.endpoints.l1Rpc[0];
  } catch {
    return undefined;
  }
}

async function examineNode(call: Call<unknown>): Promise<Examination> {
  if ((await findGateway(call.home)) === undefined) {
    return { checks: [{ name: 'node', value: 'not running', grade: 'bad', advice: 'nectar-byon up' }] };
  }
  try {
    const { node: status, apiFailure } = await askNodeStatus(call);
    const now = call.terminal.now();
    const hardening = status.hardening ?? null;
    const checks = [...gradeStatus(status), ...gradeRevocations(status, now), ...gradeCustody(status, now)];
    // What the node cannot tell now it would only be waited for.
    if (status.locked || !status.ready || apiFailure !== undefined) return { checks, hardening };
    const network = await withNode(call, (client) => client.json(NetworkInfo, 'GET', '/v1/network'));
    return { checks: [...checks, gradeMembership(network, now)], hardening };
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return { checks: [{ name: 'node', value: error.message, grade: 'bad', advice: 'nectar-byon logs' }] };
  }
}

export function gradeStatus(status: NodeStatus): Check[] {
  const { ready, locked, reasons, audit, l2, peers, anchored, hardening, backups } = status;
  if (locked) return [{ name: 'node', value: 'locked', grade: 'bad', advice: 'nectar-byon unlock' }];
  const why = reasons.map(({ service, reason }) => `${service}: ${reason}`).join('; ');
  const checks: Check[] = [
    ready
      ? { name: 'node', value: 'ready', grade: 'good' }
      : { name: 'node', value: why || 'not ready', grade: 'bad', advice: adviceOf(reasons) },
  ];
  checks.push(...gradeStorage(status));
  if (audit !== null) checks.push(gradeAudit(audit));
  checks.push(...gradeRecalled(status), ...gradeMembers(status), ...gradeAssertions(status), ...gradeL1(status));
  if (l2 !== null) {
    const lag = l2.unsafe - l2.safe;
    const good = lag <= GOOD_LAG_BLOCKS;
    checks.push({
      name: 'chain',
      value: `${lag} blocks not yet safe on L1`,
      grade: good ? 'good' : 'poor',
      ...(!good && { advice: 'is the L1 endpoint up to date?' }),
    });
  }
  if (peers !== null) {
    checks.push({
      name: 'peers',
      value: String(peers),
      grade: peers > 0 ? 'good' : 'poor',
      ...(peers === 0 && { advice: 'is the p2p port reachable?' }),
    });
  }
  if (anchored !== null) {
    const good = anchored.pending <= GOOD_PENDING_RECORDS && anchored.waiting === undefined;
    // What a contract refuses does not pass by itself.
    const isRefused = / refuses /.test(anchored.waiting ?? '');
    checks.push({
      name: 'anchors',
      value: `${anchored.pending} records pending`,
      grade: isRefused ? 'bad' : good ? 'good' : 'poor',
      ...(anchored.waiting !== undefined && { advice: anchored.waiting }),
    });
  }
  checks.push(checkHardening(hardening ?? null), checkRepositories(backups ?? null));
  return checks;
}

/** What the error registry says to do about a fault, which does not pass by itself. */
function adviceOf(reasons: NodeStatus['reasons']): string {
  const code = reasons.find(({ fault }) => fault !== undefined)?.fault?.code;
  return code !== undefined && code in ERRORS ? guidanceOf(code as ErrorCode).remedy : 'nectar-byon logs';
}

/** Evidence against a member: this node is well, and its owner should tell. */
function gradeMembers({ witness }: NodeStatus): Check[] {
  const split = witness?.splitLogs ?? [];
  if (split.length === 0) return [];
  const advice = 'runbook, "A member\'s audit log tells two stories": tell the auditors of the network';
  return [{ name: 'members', value: `two stories of the audit log of ${split.join(', ')}`, grade: 'poor', advice }];
}

/** A log that contradicts what left this machine; what is declared of it is no fault of today. */
function gradeAudit({ size, conflict, chain, epochs = [] }: NonNullable<NodeStatus['audit']>): Check {
  if (conflict !== undefined && conflict !== null) {
    const advice = 'put the right audit folder back; if it is lost for good: nectar-byon audit resolve';
    return { name: 'audit log', value: `${conflict.code}: ${conflict.reason}`, grade: 'bad', advice };
  }
  if (chain === 'silent') {
    const advice =
      'look why L1 does not answer: until it does, an older copy of the whole machine would not be noticed';
    return { name: 'audit log', value: 'not held against the chain since the start', grade: 'bad', advice };
  }
  return { name: 'audit log', value: describeGaps(epochs) ?? `${size} leaves`, grade: 'good' };
}

export function gradeMembership(info: NetworkInfo, now: number): Check {
  const good = isAuthorized(info);
  // Active for another account is worse than not at all: every anchor of this node is refused.
  if (info.problem !== undefined) {
    const advice = 'put back the operator key of this identity, or ask the owner to name this account';
    return { name: 'membership', value: `${info.membership}: ${info.problem}`, grade: 'bad', advice };
  }
  if (good && info.standing !== undefined) return gradeStanding(info.standing, now);
  const isOut = ['suspended', 'draining', 'ejected'].includes(info.membership);
  if (isOut && info.standing !== undefined) {
    const advice = 'docs/network/owners.md, "When the node is suspended or voted out"';
    return { name: 'membership', value: describeStanding(info.standing, now), grade: 'bad', advice };
  }
  return {
    name: 'membership',
    value: info.membership,
    grade: good ? 'good' : 'poor',
    ...(!good && { advice: 'nectar-byon network join' }),
  };
}
