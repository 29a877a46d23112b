import type { Machine, Point } from '../../model/disputes/machine.ts';
import { findG, findState } from '../../model/disputes/machine.ts';
import { mix } from '../../model/disputes/random.ts';

/**
 * A machine for the model at the contract's own size (2^20 iterations of 2^40 steps), every state of which is computed at once. G is a
 * number a * UNIT + f: `a` says which state, `f` how many batches failed since, which is how fail(G) is encoded for the contract.
 */
export const UNIT = 64;
/** G of the parent. */
export const FIRST_G = UNIT;

const MAX_HALT = 2 ** 38;

export function createContractMachine(seed: number): Machine {
  const fail = (g: number): number => g + 1;
  const advance = (g: number): number => (Math.floor(g / UNIT) + 1) * UNIT;
  const haltAt = (g: number): number => 1 + ((mix(g, seed) * 64) % MAX_HALT);
  const halted = (g: number): string => `${g}.${haltAt(g)}|${g}|${advance(g)}|OK`;
  return {
    advance,
    stateAfter: (g, count) => (count === 0 ? g : (Math.floor(g / UNIT) + count) * UNIT),
    trace: (g, step) => {
      if (step === 0) return `c0|${g}|0|RUN`;
      return step >= haltAt(g) ? halted(g) : `${g}.${step}|${g}|0|RUN`;
    },
    step: (point) => stepOf(point, { haltAt, advance }),
    resultOf: (g, end) => {
      const state = findState(end);
      if (state === undefined) return undefined;
      return state.flag === 'OK' ? state.output : fail(g);
    },
  };
}

interface Program {
  haltAt(g: number): number;
  advance(g: number): number;
}

function stepOf(point: Point, { haltAt, advance }: Program): Point | undefined {
  const state = findState(point);
  if (state === undefined || findG(point) !== undefined) return undefined;
  const { input, output, flag } = state;
  const core = state.core.replace('~', '');
  if (flag !== 'RUN') return `${core}|${input}|${output}|${flag}`;
  const [program = 0, step = 0] = core === 'c0' ? [input, 0] : core.split('.').map(Number);
  const next = `${program}.${step + 1}|${input}`;
  return step + 1 === haltAt(program) ? `${next}|${advance(program)}|OK` : `${next}|${output}|RUN`;
}
