import { AbiCoder, Interface } from 'ethers';
import type { StepWitness } from '../../../machine/tracer/types.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { publicInputsOf } from '../../../protocol/dispute/step-opening.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rivalry } from '../challenge/rivalry.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { openStepProof } from './open-step-proof.ts';
import { keyHashOf } from './step-key.ts';
import type { StepProver } from './step-prover.ts';
import { readStepVerifier, type StepVerifierForm } from './step-verifier.ts';

/** Where a challenge is fought decides by which verifier: the one of the node at which the two sides part. */
export type Disputed = Pick<Rivalry, 'parties' | 'subject'>;

/** Proofs of steps, in the form that the verifier of a challenge takes. */
export interface StepProofs {
  prove(witness: StepWitness, disputed: Disputed): Promise<Uint8Array>;
  /** Rejects where `prove` would for want of a prover, or of the string that the verifier's key belongs to. */
  require(disputed: Disputed): Promise<void>;
}

export interface StepProofsDeps {
  readonly rpc: JsonRpc;
  /** Called when a verifier wants a zk proof. Rejects with what this node lacks. */
  readonly openProver: () => Promise<StepProver>;
  /** A step is about to be proved, and has been. */
  readonly onProving?: (stage: 'begins' | 'done') => void;
}

const MANAGER = new Interface(['function verifierOf(bytes32 parent) view returns (address)']);
const LOOK_TIMEOUT_MS = 60_000;

export function createStepProofs({ rpc, openProver, onProving }: StepProofsDeps): StepProofs {
  async function formOf({ parties: { parent }, subject: { domain } }: Disputed): Promise<StepVerifierForm> {
    const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
    const data = MANAGER.encodeFunctionData('verifierOf', [parent]);
    const answer = String(await rpc.call('eth_call', [{ to: domain.challengeManager, data }, 'latest'], signal));
    const verifier = String(MANAGER.decodeFunctionResult('verifierOf', answer)[0]).toLowerCase() as Hex;
    return readStepVerifier(rpc, verifier, signal);
  }

  /** The prover, whose key is the verifier's: by another string L1 would refuse every proof. */
  async function proverFor(keyHash: Hex): Promise<StepProver> {
    const prover = await openProver();
    const own = keyHashOf(await prover.key());
    if (own !== keyHash)
      throw new NectarError('ROLLUP_SRS_INVALID', {
        reason: `its key has the hash ${own}, and that of the verifier on L1 is ${keyHash}`,
      });
    return prover;
  }

  async function proofFor(form: StepVerifierForm, witness: StepWitness): Promise<Uint8Array> {
    if (form.kind === 'open') return openStepProof(witness);
    if (form.kind === 'both') {
      const proofs = [await proofFor(form.first, witness), await proofFor(form.second, witness)];
      return hexToBytes(AbiCoder.defaultAbiCoder().encode(['bytes', 'bytes'], proofs) as Hex);
    }
    const prover = await proverFor(form.keyHash);
    const { pre, post, read, opening } = witness;
    return prover.prove({ publicInputs: publicInputsOf(pre, post, read), opening });
  }

  async function requireFor(form: StepVerifierForm): Promise<void> {
    if (form.kind === 'zk') await proverFor(form.keyHash);
    if (form.kind === 'both') await Promise.all([requireFor(form.first), requireFor(form.second)]);
  }

  return {
    async prove(witness, disputed) {
      const form = await formOf(disputed);
      onProving?.('begins');
      const proof = await proofFor(form, witness);
      onProving?.('done');
      return proof;
    },
    async require(disputed) {
      await requireFor(await formOf(disputed));
    },
  };
}
