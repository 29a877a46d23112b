import { toChecksumAddress } from '@ethereumjs/util';
import type { CallRequest } from './call-request.ts';

/** The machine's reasons in the words of geth: wallets and libraries recognise an error by its text. */

const FUNDS = 'insufficient funds for gas * price + value';

const HALTS: readonly (readonly [RegExp, string])[] = [
  [/OutOfGas|OOG/, 'out of gas'],
  [/OpcodeNotFound|InvalidFEOpcode|NotActivated/, 'invalid opcode'],
  [/InvalidJump/, 'invalid jump destination'],
  [/StackUnderflow/, 'stack underflow'],
  [/StackOverflow/, 'stack limit reached 1024'],
  [/OutOfOffset/, 'return data out of bounds'],
  [/CreateCollision/, 'contract address collision'],
  [/PrecompileError/, 'invalid input of a precompiled contract'],
  [/NonceOverflow/, 'nonce uint64 overflow'],
  [/CreateContractSizeLimit/, 'max code size exceeded'],
  [/CreateContractStartingWithEF/, 'invalid code: must not begin with 0xef'],
  [/CreateInitCodeSizeLimit/, 'max initcode size exceeded'],
  [/InsideStatic|DuringStaticCall/, 'write protection'],
  [/OutOfFunds/, 'insufficient balance for transfer'],
  [/CallTooDeep/, 'max call depth exceeded'],
];

function translate(words: typeof HALTS, reason: string): string {
  return words.find(([pattern]) => pattern.test(reason))?.[1] ?? reason;
}

/** Why a call that ran ended, as the EVM knows it (`OutOfGas(Basic)`, `InvalidJump`, ...). */
export function haltWords(reason: string): string {
  return translate(HALTS, reason);
}

/** Of whom a refusal tells, and by what fee it was judged. */
export interface Refused extends Pick<CallRequest, 'from' | 'gasPrice'> {
  readonly baseFee: bigint;
}

/** Why the rules do not let a transaction start, with the numbers that its sender needs. */
export function refusalWords(reason: string, { from, gasPrice, baseFee }: Refused): string {
  const address = `address ${toChecksumAddress(from)}`;
  const [, have, want] = /lack of funds \((\d+)\) for max fee \((\d+)\)/.exec(reason) ?? [];
  if (want !== undefined) return `${FUNDS}: ${address} have ${have} want ${want}`;
  if (/lack of funds|overflow payment/.test(reason)) return FUNDS;
  const [, needed, given] = /^(?:call gas cost|gas floor) \((\d+)\) exceeds the gas limit \((\d+)\)/.exec(reason) ?? [];
  if (needed !== undefined) return `intrinsic gas too low: have ${given}, want ${needed}`;
  if (/less than basefee/.test(reason))
    return `max fee per gas less than block base fee: ${address}, maxFeePerGas: ${gasPrice}, baseFee: ${baseFee}`;
  return /initcode/.test(reason) ? 'max initcode size exceeded' : reason;
}
