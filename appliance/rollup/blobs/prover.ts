import type { BeaconApi } from './beacon-api.ts';
import type { KzgThread, ProvenBlob } from './kzg-thread.ts';

/** Makes the proofs with which L1 takes a blob now. */
export interface Prover {
  prove(blob: Uint8Array, signal: AbortSignal): Promise<ProvenBlob>;
  end(): Promise<void>;
}

export interface ProverDeps {
  readonly beacons: readonly BeaconApi[];
  readonly kzg: KzgThread;
  readonly now: () => number;
}

export function createProver({ beacons, kzg, now }: ProverDeps): Prover {
  /** As the first beacon node that answers has it; before Fulu when none does: L1 says no, and the batcher asks again. */
  async function formNow(signal: AbortSignal): Promise<'blob' | 'cells'> {
    const timestamp = BigInt(Math.floor(now() / 1000));
    for (const beacon of beacons) {
      try {
        return await beacon.proofForm(timestamp, signal);
      } catch {
        signal.throwIfAborted();
      }
    }
    return 'blob';
  }

  return {
    prove: async (blob, signal) => kzg.prove(blob, await formNow(signal)),
    end: () => kzg.end(),
  };
}
