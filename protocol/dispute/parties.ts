/** Who challenges whom, and the id of a challenge, which binds the owners and signers: an L1 reorg gives a stake's number to another. */
import type { Hex } from '../brand.ts';
import type { SigningDomain } from './move.ts';
import type { Side } from './rounds.ts';
import { hashWords, type Word } from './words.ts';

/** One party, as the Rollup knows it. */
export interface Party {
  /** The child that it backs. */
  readonly node: Hex;
  readonly stakeId: bigint;
  /** Is paid. 20 bytes. */
  readonly owner: Hex;
  /** Signs and sends the party's messages. 20 bytes. */
  readonly signer: Hex;
}

/** O opens, moves in odd rounds and proves at the end. */
export interface Parties extends Readonly<Record<Side, Party>> {
  /** The node where the two paths part. */
  readonly parent: Hex;
}

/** @returns keccak256(abi.encode(chainId, challengeManager, parties)) */
export function challengeId({ chainId, challengeManager }: SigningDomain, { parent, O, R }: Parties): Hex {
  const words = ({ node, stakeId, owner, signer }: Party): Word[] => [node, stakeId, owner, signer];
  return hashWords([chainId, challengeManager, parent, ...words(O), ...words(R)]);
}
