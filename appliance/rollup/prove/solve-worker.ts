/** A thread that solves the circuit of one step. */
import { parentPort, workerData } from 'node:worker_threads';
import { compressWitnessStack, executeProgram } from '@noir-lang/acvm_js';
import { NectarError } from '../../../protocol/errors.ts';
import { toThreadError } from '../execute/thread.ts';
import type { SolveReply, SolveSetup } from './solve-thread.ts';

const { bytecode, inputs } = workerData as SolveSetup;

async function solve(): Promise<SolveReply> {
  const noOracle = (): Promise<never> => Promise.reject(new Error('the circuit asks an oracle'));
  try {
    return { solved: compressWitnessStack(await executeProgram(bytecode, new Map(inputs), noOracle)) };
  } catch {
    // What ACVM says names constraints, and may name values of private memory.
    return {
      error: toThreadError(new NectarError('ROLLUP_PROOF_FAILED', { reason: 'the step is not what the machine does' })),
    };
  }
}

parentPort?.postMessage(await solve());
