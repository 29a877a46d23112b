import { existsSync, readFileSync } from 'node:fs';
import type { ListedPreimage } from '../../../machine/host/given-preimages.ts';
import type { IterationPlace, IterationRules } from '../../../machine/tracer/iteration.ts';
import type { StepTracer, StepWitness } from '../../../machine/tracer/types.ts';
import type { OpenedState } from '../../../protocol/dispute/machine-state.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { SharedPreimagesOptions } from '../execute/shared-preimages.ts';
import { fromThreadError, programBeside, startThread, type ThreadError } from '../execute/thread.ts';

/** The guest, and the hash of its memory. */
export interface DisputeFiles {
  readonly elf: Uint8Array;
  readonly poseidon2: Uint8Array;
}

/** What a thread is given when it begins: one iteration, and all that its machine may ask. */
export interface TracerSetup extends IterationRules {
  readonly files: DisputeFiles;
  readonly place: IterationPlace;
  readonly answers: readonly ListedPreimage[];
  /** State, code and headers of L2 by their hash; undefined: the answers have them. */
  readonly database: SharedPreimagesOptions | undefined;
}

export type TracerTask =
  | { readonly kind: 'points'; readonly from: bigint; readonly width: bigint }
  | { readonly kind: 'open' | 'witness'; readonly step: bigint };

interface TracerAnswers {
  readonly points: readonly Uint8Array[];
  readonly open: OpenedState;
  readonly witness: StepWitness;
}

export type TracerReply = { readonly answer: unknown } | { readonly error: ThreadError };

/** Memory of the guest and its hashes lie outside of it; what is here is paths and snapshots of pages. */
const MAX_HEAP_MB = 1024;

/** In the sources where they were compiled to, in a bundle beside the program. Undefined: the bundle has none. */
export function findDisputeFiles(): DisputeFiles | undefined {
  const folder = import.meta.url.endsWith('.ts') ? '../../../machine/generated' : '.';
  const at = (name: string): URL => new URL(`${folder}/${name}`, import.meta.url);
  if (!existsSync(at('dispute.elf')) || !existsSync(programBeside(import.meta.url, 'tracer-worker'))) return undefined;
  return { elf: readFileSync(at('dispute.elf')), poseidon2: readFileSync(at('poseidon2.wasm')) };
}

/** A run of one iteration in a thread of its own: tracing takes seconds, and the node goes on. Asked for one thing at a time. */
export function startTracerThread(setup: TracerSetup): StepTracer {
  const thread = startThread<TracerTask, TracerReply>({
    name: 'tracer',
    program: programBeside(import.meta.url, 'tracer-worker'),
    setup,
    maxHeapMb: MAX_HEAP_MB,
  });
  let waiting: PromiseWithResolvers<unknown> | undefined;
  let ended: NectarError | undefined;
  thread.onReply((reply) => {
    const settle = waiting;
    waiting = undefined;
    if ('error' in reply) settle?.reject(fromThreadError(reply.error));
    else settle?.resolve(reply.answer);
  });
  thread.onExit((error) => {
    ended = new NectarError('ROLLUP_MACHINE_ENDED', { reason: error?.message ?? 'it was ended' }, { cause: error });
    waiting?.reject(ended);
  });

  async function ask<K extends keyof TracerAnswers>(
    task: TracerTask & { readonly kind: K },
  ): Promise<TracerAnswers[K]> {
    if (ended !== undefined) throw ended;
    waiting = Promise.withResolvers();
    thread.post(task);
    return (await waiting.promise) as TracerAnswers[K];
  }

  return {
    tracePoints: (from, width) => ask({ kind: 'points', from, width }),
    openAt: (step) => ask({ kind: 'open', step }),
    witnessAt: (step) => ask({ kind: 'witness', step }),
    close: () => thread.end(),
  };
}
