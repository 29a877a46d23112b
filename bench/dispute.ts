/**
 * What a dispute costs: proving its one step (seconds, CPU and memory of bb, each against the limit that issue 13 sets), and whole
 * disputes by `dispute simulate` as a person plays them, for each verifier and for a silent opponent.
 *
 * BENCH_DISPUTE_TURNS (3) proofs; BENCH_DISPUTE_GAMES=0 leaves the disputes out.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDevelopmentSrs } from '../appliance/rollup/prove/development-srs.ts';
import { findProverFiles } from '../appliance/rollup/prove/prover-files.ts';
import { pinSrs, SRS_FILES } from '../appliance/rollup/prove/srs.ts';
import { createStepProver } from '../appliance/rollup/prove/step-prover.ts';
import { stepOf } from '../test/unit/circuits/random-step.ts';
import { makeStep } from '../test/unit/circuits/step-circuit.ts';
import { MIB, median, round, seconds } from './figures.ts';
import { runProgram } from './run-program.ts';

const TURNS = Number(process.env.BENCH_DISPUTE_TURNS ?? 3);
const WITH_GAMES = process.env.BENCH_DISPUTE_GAMES !== '0';
/** addi x1, x2, ... with operands that carry. */
const PLAIN_STEP = { word: 0x0220_c1b3, registers: { 1: 0xffff_ff9c, 2: 7 } };
const MOST = { proveS: 2, proveMiB: 95, closingGas: 1_100_000, openGas: 4_000_000, disputeS: 90 };
const SAMPLE_MS = 4;
const TICKS_PER_S = 100;

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
/** Below a limit is better: the ratio says how much of it is taken. */
const against = (ours: number, limit: number, unit: string) => ({
  ...{ ours: round(ours), peer: limit, peerName: 'the limit', ratio: round(ours / limit), unit },
});

/** The processes that one has started, and those that they have. */
function below(pid: string): string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter((text) => text !== '').flatMap((child) => [child, ...below(child)]);
  } catch {
    return [];
  }
}

/** Memory and CPU of the processes that this one starts, by what the kernel says of them while they run. */
function watchChildren() {
  const seen = new Map<string, { readonly bytes: number; readonly cpuS: number }>();
  const look = (): void => {
    for (const pid of below(String(process.pid))) {
      try {
        const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        const ticks = Number(fields[11]) + Number(fields[12]);
        if (kib !== undefined) seen.set(pid, { bytes: Number(kib) * 1024, cpuS: ticks / TICKS_PER_S });
      } catch {
        // It has ended.
      }
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    end: () => {
      clearInterval(timer);
      const all = [...seen.values()];
      const mostBytes = Math.max(0, ...all.map(({ bytes }) => bytes));
      return { mostBytes, cpuS: all.reduce((sum, { cpuS }) => sum + cpuS, 0) };
    },
  };
}

async function proveSteps(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-bench-dispute-'));
  try {
    const srs = createDevelopmentSrs(randomBytes);
    writeFileSync(join(folder, SRS_FILES.g1), srs.g1);
    writeFileSync(join(folder, SRS_FILES.g2), srs.g2);
    const pinned = { sha256: pinSrs(srs), isDevelopment: true };
    const files = findProverFiles();
    if (files === undefined) throw new Error('@aztec/bb.js is not installed');
    const prover = createStepProver({ ...files, srs: folder, pinned, isDevnet: true });
    const step = makeStep(stepOf(PLAIN_STEP.word, PLAIN_STEP.registers));
    await prover.key();
    const turns: { readonly wallS: number; readonly bbS: number; readonly ownS: number; readonly mostBytes: number }[] =
      [];
    for (let turn = 0; turn < TURNS; turn++) {
      const children = watchChildren();
      const before = process.cpuUsage();
      const wallS = await seconds(() => prover.prove(step));
      const { user, system } = process.cpuUsage(before);
      const { mostBytes, cpuS } = children.end();
      turns.push({ wallS, bbS: cpuS, ownS: (user + system) / 1e6, mostBytes });
    }
    const of = (pick: (turn: (typeof turns)[number]) => number): number => median(turns.map(pick));
    const cpu = { bbCpuS: round(of(({ bbS }) => bbS)), ownCpuS: round(of(({ ownS }) => ownS)), turns: TURNS };
    print({
      name: 'dispute-prove',
      ...against(
        of(({ wallS }) => wallS),
        MOST.proveS,
        's',
      ),
      ...cpu,
    });
    print({
      name: 'dispute-prove-memory',
      ...against(of(({ mostBytes }) => mostBytes) / MIB, MOST.proveMiB, 'MiB'),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Simulated {
  readonly l1Transactions: number;
  readonly gas: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly winner: string;
}

/** What is asked for of each: of the closing transaction the second verifier apart, which may take four million itself. */
const GAMES = [
  { args: ['--verifier', 'zk'], mostGas: MOST.closingGas },
  { args: ['--verifier', 'open'], mostGas: MOST.openGas },
  { args: ['--verifier', 'both'], mostGas: MOST.closingGas + MOST.openGas },
  { args: ['--silent', '--verifier', 'open'], mostGas: undefined },
];

async function playDisputes(): Promise<void> {
  for (const { args, mostGas } of GAMES) {
    const program = fileURLToPath(new URL('../nectar-byon', import.meta.url));
    const said = JSON.parse(await runProgram(program, ['dispute', 'simulate', '--json', ...args])) as Simulated;
    if (said.winner !== 'honest') throw new Error(`${args.join(' ')}: ${said.winner} won`);
    const { l1Transactions, bytes, gas } = said;
    const name = `dispute ${args.join(' ')}`;
    const figures = mostGas === undefined ? { ours: gas, unit: 'gas' } : against(gas, mostGas, 'gas');
    print({ name, ...figures, l1Transactions, bytes });
    print({ name, ...against(said.seconds, MOST.disputeS, 's') });
  }
}

export async function run(): Promise<void> {
  await proveSteps();
  if (WITH_GAMES) await playDisputes();
}
