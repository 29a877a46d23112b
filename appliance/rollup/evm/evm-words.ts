/** The machine's reasons in the words of geth: wallets and libraries recognise an error by its text. */

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

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/lack of funds|overflow payment/, 'insufficient funds for gas * price + value'],
  [/call gas cost|gas floor/, 'intrinsic gas too low'],
  [/less than basefee/, 'max fee per gas less than block base fee'],
  [/initcode/, 'max initcode size exceeded'],
];

function translate(words: typeof HALTS, reason: string): string {
  return words.find(([pattern]) => pattern.test(reason))?.[1] ?? reason;
}

/** Why a call that ran ended, as the EVM knows it (`OutOfGas(Basic)`, `InvalidJump`, ...). */
export function haltWords(reason: string): string {
  return translate(HALTS, reason);
}

/** Why the rules do not let a transaction start. */
export function refusalWords(reason: string): string {
  return translate(REFUSALS, reason);
}
