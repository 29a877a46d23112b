import { keccak256 } from 'ethers';
import type { ListedPreimage } from '../../../machine/host/given-preimages.ts';
import { type DisputeConfig, encodeConfig } from '../../../machine/tracer/iteration.ts';
import type { StepTracer } from '../../../machine/tracer/types.ts';
import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import { READ_KIND } from '../../../protocol/dispute/step.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { SharedPreimagesOptions } from '../execute/shared-preimages.ts';
import type { StepProofs } from '../prove/step-proofs.ts';
import type { ProveStep } from './entries.ts';
import { createReadBlobs, type ProveElement } from './read-blobs.ts';
import type { Rivalry } from './rivalry.ts';
import { type DisputeFiles, startTracerThread, type TracerSetup } from './tracer-thread.ts';
import type { OpenRun } from './truth.ts';

/** What a challenge needs beyond the chain: the machine of disputes with what it may ask, and the proof of one step. */
export interface DisputeMachine {
  readonly openRun: OpenRun;
  readonly prove: ProveStep;
  /** Rejects where a step could not be proved to the verifier of a challenge. */
  readonly requireProver: (rivalry: Rivalry) => Promise<void>;
  /** Ends all runs, which hold the chain database open. Who asks one of them gets ROLLUP_MACHINE_ENDED, and opens another. */
  release(): Promise<void>;
  /** The same, and opens none any more. */
  close(): Promise<void>;
}

export interface DisputeMachineOptions {
  readonly config: DisputeConfig;
  readonly files: DisputeFiles;
  readonly database: SharedPreimagesOptions | undefined;
}

export interface DisputeMachineDeps {
  /** What the machine may ask of L1 and its batch in the iteration that begins at a state before the target. */
  readonly answersOf: (state: GlobalState) => Promise<readonly ListedPreimage[]>;
  /** By the verifier of the challenge. */
  readonly proofs: StepProofs;
  readonly proveElement: ProveElement;
  readonly start?: (setup: TracerSetup) => StepTracer;
}

/** Words of RollupConfig: the first is the hash of what the machine must know of the chain. */
const WORD_BYTES = 32;

/** The machine in threads, one for each iteration that is looked at. */
export function createDisputeMachine(
  { config, files, database }: DisputeMachineOptions,
  { answersOf, proofs, proveElement, start = startTracerThread }: DisputeMachineDeps,
): DisputeMachine {
  const running = new Set<StepTracer>();
  const blobs = createReadBlobs();
  let isClosed = false;
  const chain = keccak256(encodeConfig(config));

  /** What L1 checks an element of a blob by: the element where the commitment's polynomial has it. */
  async function showElement(key: Uint8Array): Promise<Uint8Array> {
    const found = blobs.find(key);
    if (found === undefined)
      throw new NectarError('ROLLUP_PREIMAGE_MISSING', {
        preimageKind: READ_KIND.blobElement,
        preimageKey: bytesToHex(key),
      });
    const { blob, index } = found;
    const { commitment, proof } = await proveElement(blob.bytes, index);
    const element = blob.bytes.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES);
    return Buffer.concat([found.words, element, hexToBytes(commitment), hexToBytes(proof)]);
  }

  async function release(): Promise<void> {
    const ended = [...running];
    running.clear();
    await Promise.all(ended.map((tracer) => tracer.close()));
  }

  return {
    async openRun({ rivalry, state, task: { target, accumulator } }) {
      const rollupConfig = hexToBytes(rivalry.rollupConfig);
      // Of another chain, or of none, the machine could not even read what it executes by.
      if (bytesToHex(rollupConfig.subarray(0, WORD_BYTES)) !== chain)
        throw new NectarError('DISPUTE_MACHINE_MISSING', { what: "machine for the network's config on L1" });
      const place = { ...state, target, accumulator };
      const answers = state.batch === target ? [] : await answersOf(state);
      blobs.remember(answers);
      if (isClosed) throw new NectarError('NODE_NOT_READY', { service: 'rollup', reason: 'it stops' });
      const tracer = start({ files, place, config, rollupConfig, answers, database });
      running.add(tracer);
      return {
        ...tracer,
        async close() {
          running.delete(tracer);
          await tracer.close();
        },
      };
    },
    async prove(witness, rivalry) {
      const { read, preimage = new Uint8Array() } = witness;
      const shown = read?.kind === READ_KIND.blobElement ? await showElement(read.key) : preimage;
      return { proof: await proofs.prove(witness, rivalry), preimage: shown };
    },
    requireProver: (rivalry) => proofs.require(rivalry),
    release,
    async close() {
      isClosed = true;
      await release();
    },
  };
}
