import * as real from '../../../appliance/rollup/challenge/heard-moves.ts';
import { hold } from './hold.ts';

export * from '../../../appliance/rollup/challenge/heard-moves.ts';

/** Stops when the first message of the opponent is on disk, before anything follows from it. */
export function createHeardMoves(...input: Parameters<typeof real.createHeardMoves>): real.HeardMoves {
  const heard = real.createHeardMoves(...input);
  return {
    ...heard,
    async add(...added) {
      await heard.add(...added);
      await hold();
    },
  };
}
