import { keccak256, toBeHex } from 'ethers';
import type { Hex } from '../../../../protocol/brand.ts';
import type { Move } from '../../../../protocol/dispute/move.ts';
import { POINTS } from '../../../../protocol/dispute/points.ts';

/** A hash that differs with every name. */
export const hashOf = (name: string): Hex => keccak256(new TextEncoder().encode(name)) as Hex;

export const somePoints = (name: string): Hex[] =>
  Array.from({ length: POINTS }, (_, index) => hashOf(`${name} ${index}`));

export const DOMAIN = { chainId: 31_337n, challengeManager: toBeHex(0xc0ffee, 20) as Hex };

export function someMove(over: Partial<Move> = {}): Move {
  return {
    challenge: hashOf('challenge'),
    round: 7,
    choice: 3,
    iteration: 300_001n,
    step: 5n * 2n ** 30n,
    prev: hashOf('prev'),
    start: hashOf('start'),
    points: somePoints('point'),
    ...over,
  };
}
