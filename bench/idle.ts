/**
 * What a node that has nothing to do costs: CPU as a share of one core, and memory at the beginning and the end, as one process and in
 * four roles with their health checks, against the target. On a devnet, which makes a block every two seconds.
 * `npm run bench -- idle`. BENCH_IDLE_SECONDS (60), BENCH_IDLE_SETTLE_SECONDS (60), BENCH_IDLE_FORMS (all,roles).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleRole } from '../images/bundle-role.ts';
import { Workplace } from '../test/e2e/workplace.ts';
import { round } from './figures.ts';
import { runProgram } from './run-program.ts';
import { type ServedNode, startNode } from './served-node.ts';

const SECONDS = Number(process.env.BENCH_IDLE_SECONDS ?? 60);
const SETTLE_SECONDS = Number(process.env.BENCH_IDLE_SETTLE_SECONDS ?? 60);
const FORMS = (process.env.BENCH_IDLE_FORMS ?? 'all,roles').split(',');
const TARGET_PERCENT = 2;
/** As the engine is told (desired-state.ts). */
const CHECK_EVERY_SECONDS = 25;
const CHECKS = 5;
/** USER_HZ is 100 everywhere. */
const MS_PER_TICK = 10;
const ROLES = ['audit', 'store', 'rollup', 'gateway'];

interface Idle {
  readonly percent: number;
  readonly byRole: Record<string, number>;
  /** MiB at the beginning and the end, without what is of files. */
  readonly memory: Record<string, readonly [number, number]>;
}

async function measure(node: ServedNode, roles: readonly string[]): Promise<Idle> {
  await delay(SETTLE_SECONDS * 1000);
  const before = { cpu: node.cpuMsByRole(), at: performance.now() };
  const memory = roles.map((role) => node.memoryMiB(role).own);
  await delay(SECONDS * 1000);
  const elapsed = performance.now() - before.at;
  const after = node.cpuMsByRole();
  const share = (role: string): number => round((100 * ((after[role] ?? 0) - (before.cpu[role] ?? 0))) / elapsed);
  const byRole = Object.fromEntries(roles.map((role) => [role, share(role)]));
  return {
    percent: Object.values(byRole).reduce((sum, value) => sum + value, 0),
    byRole,
    memory: Object.fromEntries(roles.map((role, at) => [role, [memory[at] ?? 0, node.memoryMiB(role).own]])),
  };
}

/** What the checks of all roles cost, as a share of a core: by the program that the image of the store has, asked for each role. */
async function checksPercent(place: Workplace, home: string): Promise<number> {
  const { files } = await bundleRole('store', process.arch === 'arm64' ? 'arm64' : 'amd64');
  for (const [path, content] of files) {
    mkdirSync(dirname(place.path('image', path)), { recursive: true });
    writeFileSync(place.path('image', path), content);
  }
  const before = endedCpuMs();
  for (let check = 0; check < CHECKS * ROLES.length; check++) {
    const program = [place.path('image', 'main.mjs'), 'healthcheck', 'store', '--home', home];
    await runProgram(process.execPath, program, { env: place.env });
  }
  return ((endedCpuMs() - before) / CHECKS / (CHECK_EVERY_SECONDS * 1000)) * 100;
}

/** CPU of the processes that this one started and saw end (proc_pid_stat(5): cutime, cstime). */
function endedCpuMs(): number {
  const text = readFileSync('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * MS_PER_TICK;
}

export async function run(): Promise<void> {
  for (const form of FORMS) {
    const roles = form === 'roles' ? ROLES : ['all'];
    const place = new Workplace();
    const home = place.path('home');
    let node: ServedNode | undefined;
    try {
      node = await startNode(place, home, roles);
      const { percent: own, byRole, memory } = await measure(node, roles);
      const checks = roles.length > 1 ? await checksPercent(place, home) : 0;
      const percent = own + checks;
      const line = {
        name: `idle-${form}`,
        ours: round(percent),
        peer: TARGET_PERCENT,
        peerName: 'target',
        ratio: round(percent / TARGET_PERCENT),
        unit: '% of a core',
        ...(roles.length > 1 && { byRole, checks: round(checks) }),
        memoryMiB: memory,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    } finally {
      await node?.stop();
      await place.run(['devnet', 'down']);
      place.remove();
    }
  }
}
