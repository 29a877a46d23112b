/** Why the pool does not take a transaction, in the words of geth's pool: wallets and libraries recognise a refusal by its text. */
import { toChecksumAddress } from '@ethereumjs/util';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { feeCap, findGasNeed, type Obstacle, type SignedTransaction } from '../../../protocol/rollup/transaction.ts';

export function oversized(size: number, limit: number): string {
  return `oversized data: transaction size ${size}, limit ${limit}`;
}

/** Of bytes that are no transaction which could ever run. */
export function illFormed(obstacle: Obstacle, raw: Uint8Array, rules: Rules): string {
  switch (obstacle) {
    case 'size':
      return 'oversized data';
    case 'undecodable':
      return 'not a transaction of this chain';
    case 'signature':
      return 'invalid sender';
    case 'intrinsic-gas': {
      const need = findGasNeed(raw, rules);
      return need === undefined ? 'intrinsic gas too low' : `intrinsic gas too low: ${gasOf(need.given, need.needed)}`;
    }
    default:
      return obstacle;
  }
}

export function belowFloor(given: bigint, needed: bigint): string {
  return `insufficient gas for floor data gas cost: ${gasOf(given, needed)}`;
}

function gasOf(given: bigint, needed: bigint): string {
  return `gas ${given}, minimum needed ${needed}`;
}

export function feeTooLow({ tx, sender }: SignedTransaction, baseFee: bigint): string {
  const address = toChecksumAddress(sender);
  return `max fee per gas less than block base fee: address ${address}, maxFeePerGas: ${feeCap(tx)}, baseFee: ${baseFee}`;
}

export function nonceTooLow(next: bigint, nonce: bigint): string {
  return `nonce too low: next nonce ${next}, tx nonce ${nonce}`;
}

/** geth keeps what is far ahead until its turn; this pool takes only what the account's others may bring about. */
export function nonceTooHigh(next: bigint, nonce: bigint): string {
  return `nonce too high: next nonce ${next}, tx nonce ${nonce}`;
}

/** `queued`: what the account's waiting transactions may cost, all in wei. */
export function insufficientFunds(wei: {
  readonly balance: bigint;
  readonly queued: bigint;
  readonly cost: bigint;
}): string {
  const { balance, queued, cost } = wei;
  const before = queued === 0n ? '' : `queued cost ${queued}, `;
  const overshot = queued + cost - balance;
  return `insufficient funds for gas * price + value: balance ${balance}, ${before}tx cost ${cost}, overshot ${overshot}`;
}
