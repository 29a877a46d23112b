import { Interface } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

/** Which proof the contract that a network names as its verifier of steps takes. */
export type StepVerifierForm =
  | { readonly kind: 'open' }
  /** KEY_HASH of its key. */
  | { readonly kind: 'zk'; readonly keyHash: Hex }
  | { readonly kind: 'both'; readonly first: StepVerifierForm; readonly second: StepVerifierForm };

const VERIFIERS = new Interface([
  'function HONK() view returns (address)',
  'function KEY_HASH() view returns (bytes32)',
  'function first() view returns (address)',
  'function second() view returns (address)',
]);
/** BothStepVerifiers of BothStepVerifiers is no network's. */
const MAX_DEPTH = 2;

/**
 * Asks the contract what it is: BothStepVerifiers has a first and a second, ZkStepVerifier a HONK, OpenStepVerifier neither. A false
 * answer of an L1 endpoint makes a proof that L1 refuses, and no other harm.
 */
export async function readStepVerifier(
  rpc: JsonRpc,
  verifier: Hex,
  signal: AbortSignal,
  depth = 0,
): Promise<StepVerifierForm> {
  const ask = (to: Hex, name: string): Promise<Hex | undefined> => viewOf(rpc, { to, name }, signal);
  const first = depth < MAX_DEPTH ? await ask(verifier, 'first') : undefined;
  const second = first && (await ask(verifier, 'second'));
  if (first !== undefined && second !== undefined) {
    const [one, other] = [
      await readStepVerifier(rpc, first, signal, depth + 1),
      await readStepVerifier(rpc, second, signal, depth + 1),
    ];
    return { kind: 'both', first: one, second: other };
  }
  const honk = await ask(verifier, 'HONK');
  const keyHash = honk && (await ask(honk, 'KEY_HASH'));
  return keyHash === undefined ? { kind: 'open' } : { kind: 'zk', keyHash };
}

async function viewOf(
  rpc: JsonRpc,
  { to, name }: { readonly to: Hex; readonly name: string },
  signal: AbortSignal,
): Promise<Hex | undefined> {
  try {
    const answer = await rpc.call('eth_call', [{ to, data: VERIFIERS.encodeFunctionData(name) }, 'latest'], signal);
    return String(VERIFIERS.decodeFunctionResult(name, String(answer))[0]).toLowerCase() as Hex;
  } catch (error) {
    signal.throwIfAborted();
    // The contract has no such function. What L1 could not be asked is no answer.
    if (isNectarError(error) && !isNectarError(error, 'ROLLUP_L1_REFUSED')) throw error;
    return undefined;
  }
}
