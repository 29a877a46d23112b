/**
 * Proves one step of the disputed machine: ACVM solves the circuit, native bb makes the proof (UltraHonk, zero knowledge, keccak
 * transcript). The witness holds private memory: it goes to bb through a pipe and touches no disk.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STEP_CIRCUIT_SHA256 } from '../../../circuits/generated/digest.ts';
import { FIELD_MODULUS } from '../../../protocol/dispute/field.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { ProverFiles } from './prover-files.ts';
import { solveInThread } from './solve-thread.ts';
import { type PinnedSrs, SRS_FILES, verifySrs } from './srs.ts';
import { encodeStepInputs, type StepWitness } from './step-inputs.ts';
import { stepHonkKey, type WrittenKey } from './step-key.ts';

export interface StepProverOptions extends ProverFiles {
  /** Folder of the SRS. */
  readonly srs: string;
  readonly pinned: PinnedSrs;
  readonly isDevnet: boolean;
  /** For each run of bb and for ACVM. */
  readonly timeoutMs?: number;
}

export interface StepProver {
  /** @returns the proof. Throws ROLLUP_PROOF_FAILED: also for a witness that is none */
  prove(witness: StepWitness, signal?: AbortSignal): Promise<Uint8Array>;
  /** The verification key for this string, as StepHonk on L1 was given it. */
  key(signal?: AbortSignal): Promise<Uint8Array>;
}

const TIMEOUT_MS = 120_000;
/** A step takes 32 MiB; more address space than this is a fault of the program. */
const ADDRESS_SPACE_KIB = 1024 * 1024;
const FLAVOUR = ['--scheme', 'ultra_honk', '-t', 'evm'] as const;
const MAX_SAID_BYTES = 2048;

/** Throws ROLLUP_SRS_INVALID, and ROLLUP_PROOF_FAILED when circuit or program are not those of this version. */
export function createStepProver(options: StepProverOptions): StepProver {
  const { bb, circuit, srs, pinned, isDevnet, timeoutMs = TIMEOUT_MS } = options;
  verifySrs(srs, { pinned, isDevnet });
  const bytecode = readCircuit(circuit);
  if (!existsSync(bb)) throw failed(`there is no program ${bb}`);

  let written: WrittenKey | undefined;

  async function withBb<T>(
    signal: AbortSignal | undefined,
    use: (run: (args: readonly string[], input: Uint8Array) => Promise<void>, folder: string) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-proof-'));
    try {
      return await use((args, input) => {
        const command = [bb, ...args, '-b', circuit, '-c', srs, '-o', folder, ...FLAVOUR];
        return runBb(command, { input, timeoutMs, signal });
      }, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function writeKey(signal: AbortSignal | undefined): Promise<WrittenKey> {
    written ??= await withBb(signal, async (run, folder) => {
      await run(['write_vk'], new Uint8Array());
      return { key: await readFile(join(folder, 'vk')), hash: await readFile(join(folder, 'vk_hash')) };
    });
    return written;
  }

  return {
    async key(signal) {
      return stepHonkKey(await writeKey(signal), await readFile(join(srs, SRS_FILES.g2)));
    },
    async prove(witness, signal) {
      const inputs = checkedInputs(witness);
      const { key } = await writeKey(signal);
      const solved = await solveInThread({ bytecode, inputs }, { timeoutMs, signal });
      return withBb(signal, async (run, folder) => {
        const keyFile = join(folder, 'vk');
        await writeFile(keyFile, key);
        await run(['prove', '-w', '/dev/stdin', '-k', keyFile], solved);
        return readFile(join(folder, 'proof'));
      });
    },
  };
}

function readCircuit(path: string): Uint8Array {
  const text = readFileSync(path);
  const digest = createHash('sha256').update(text).digest('hex');
  if (digest !== STEP_CIRCUIT_SHA256) throw failed(`the circuit's SHA-256 is ${digest}`);
  return Buffer.from((JSON.parse(text.toString()) as { bytecode: string }).bytecode, 'base64');
}

function checkedInputs(witness: StepWitness): Map<number, string> {
  const inputs = encodeStepInputs(witness);
  // ACVM panics on what is no field element.
  for (const value of inputs.values())
    if (!/^0x[0-9a-f]{64}$/.test(value) || BigInt(value) >= FIELD_MODULUS) throw failed('an input is no field element');
  return inputs;
}

interface BbRun {
  readonly input: Uint8Array;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One run of bb, bounded in address space and time. */
async function runBb(command: readonly string[], { input, timeoutMs, signal }: BbRun): Promise<void> {
  // Node's own pipe is a socket, which bb cannot open by name: cat makes a pipe of it.
  const bounded = `ulimit -v ${ADDRESS_SPACE_KIB} && cat | "$@"`;
  const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const child = spawn('/bin/sh', ['-c', bounded, 'bb', ...command], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // A group of its own, so that its end is the end of all three programs.
    detached: true,
  });
  const end = (): void => endGroup(child);
  stop.addEventListener('abort', end, { once: true });
  // A signal that is there already says nothing more.
  if (stop.aborted) end();
  // A program that ends early closes its end of the pipe: its exit says so.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const said = collect(child);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', (cause) => reject(failed('bb does not start', cause)));
  child.on('close', resolve);
  try {
    const code = await promise;
    signal?.throwIfAborted();
    if (stop.aborted) throw failed(`bb took more than ${timeoutMs} ms`);
    if (code !== 0) throw failed(`bb ended with ${code ?? 'a signal'}: ${said().trim()}`);
  } finally {
    stop.removeEventListener('abort', end);
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The end of what the program said. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString()}`.slice(-MAX_SAID_BYTES);
  });
  return () => text;
}

function failed(reason: string, cause?: unknown): NectarError<'ROLLUP_PROOF_FAILED'> {
  return new NectarError('ROLLUP_PROOF_FAILED', { reason }, { cause });
}
