import { AbiCoder, ContractFactory, dataLength, Interface } from 'ethers';
import { BothStepVerifiersAbi, BothStepVerifiersInitCode } from '../../contracts/generated/BothStepVerifiers.ts';
import { ChallengeManagerAbi } from '../../contracts/generated/ChallengeManager.ts';
import { StepHonkAbi, StepHonkInitCode } from '../../contracts/generated/StepHonk.ts';
import { ZkStepVerifierAbi, ZkStepVerifierInitCode } from '../../contracts/generated/ZkStepVerifier.ts';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { DevnetL1 } from '../provision/process/devnet-l1.ts';
import { deployOpenStepVerifier, withWallet } from '../provision/process/l1-contracts.ts';

export const VERIFIER_KINDS = ['open', 'zk', 'both'] as const;
/** What a step is proved to: the contract that executes it, the one that takes a zk proof, or both. */
export type VerifierKind = (typeof VERIFIER_KINDS)[number];

/** The verifiers of a network: the one that it names, and what that one consists of. */
export interface StepVerifiers {
  readonly named: Hex;
  readonly kind: VerifierKind;
  readonly parts: readonly { readonly kind: 'open' | 'zk'; readonly address: Hex }[];
}

/** What a verifier took of a settlement. */
export interface VerifierShare {
  readonly kind: 'open' | 'zk';
  /** Of its execution; its calldata costs up to 16 a byte besides. */
  readonly gas: number;
  readonly proofBytes: number;
}

/** @param key of the circuit, for the network's string; undefined where no zk proof is wanted */
export async function deployStepVerifiers(
  { rpcUrl, accounts }: DevnetL1,
  kind: VerifierKind,
  key: Uint8Array | undefined,
): Promise<StepVerifiers> {
  const open = kind === 'zk' ? undefined : await deployOpenStepVerifier({ rpcUrl, key: accounts.deployer.key });
  return withWallet({ rpcUrl, key: accounts.deployer.key }, async (wallet) => {
    async function deploy([abi, code]: readonly [readonly object[], Hex], ...args: readonly unknown[]): Promise<Hex> {
      const contract = await new ContractFactory([...abi], code, wallet).deploy(...args);
      await contract.waitForDeployment();
      return (await contract.getAddress()).toLowerCase() as Hex;
    }
    const parts: StepVerifiers['parts'][number][] = [];
    if (key !== undefined) {
      const honk = await deploy([StepHonkAbi, StepHonkInitCode], key);
      parts.push({ kind: 'zk', address: await deploy([ZkStepVerifierAbi, ZkStepVerifierInitCode], honk) });
    }
    if (open !== undefined) parts.push({ kind: 'open', address: open });
    const [first, second] = parts.map(({ address }) => address);
    if (first === undefined) throw new RangeError('a zk verifier needs a key');
    const named =
      second === undefined ? first : await deploy([BothStepVerifiersAbi, BothStepVerifiersInitCode], first, second);
    return { named, kind, parts };
  });
}

interface CallFrame {
  readonly to?: string;
  readonly gasUsed: Hex;
  readonly calls?: readonly CallFrame[];
}

const MANAGER = new Interface([...ChallengeManagerAbi]);

/** What each verifier took of a settlement, as the L1 traces it. */
export async function sharesOf(
  rpc: { call(method: string, params: unknown[], signal: AbortSignal): Promise<unknown> },
  { parts }: StepVerifiers,
  { hash, input, signal }: { readonly hash: Hex; readonly input: Hex; readonly signal: AbortSignal },
): Promise<readonly VerifierShare[]> {
  const frame = (await rpc.call('debug_traceTransaction', [hash, { tracer: 'callTracer' }], signal)) as CallFrame;
  const frames = flatten(frame);
  const { claim } = MANAGER.decodeFunctionData('settle', input) as unknown as { claim: { proof: Hex } };
  const proofs =
    parts.length === 1
      ? [claim.proof]
      : (AbiCoder.defaultAbiCoder().decode(['bytes', 'bytes'], claim.proof) as Iterable<Hex>);
  const lengths = [...proofs].map((proof) => dataLength(proof));
  return parts.map(({ kind, address }, at) => {
    const call = frames.find(({ to }) => to?.toLowerCase() === address);
    if (call === undefined) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'trace of a settlement' });
    return { kind, gas: Number(call.gasUsed), proofBytes: lengths[at] ?? 0 };
  });
}

function flatten(frame: CallFrame): readonly CallFrame[] {
  return [frame, ...(frame.calls ?? []).flatMap(flatten)];
}
