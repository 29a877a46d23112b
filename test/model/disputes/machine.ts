import { at, mix } from './random.ts';
import { iterations, type Shape, steps } from './shape.ts';

/**
 * A small deterministic machine over every state that somebody can name, not only the true ones: a liar goes on from its own lies.
 * A point is text, and stands for its own hash: `g<number>` for G, `core|I|O|flag` for a state of the machine.
 */
export type Point = string;

export interface State {
  /** `c0`, or `<program>.<step>`; with `~` at the end a second encoding of the same field element. */
  readonly core: string;
  readonly input: number;
  readonly output: number;
  readonly flag: string;
}

const encodeState = (state: State): Point => `${state.core}|${state.input}|${state.output}|${state.flag}`;

/** undefined: nobody can open this point as a state. */
export function findState(point: Point): State | undefined {
  const [core, input, output, flag] = point.split('|');
  if (core === undefined || input === undefined || output === undefined || flag === undefined) return undefined;
  if (flag !== 'RUN' && flag !== 'OK' && flag !== 'FAIL') return undefined;
  return { core, input: Number(input), output: Number(output), flag };
}

/** undefined: the point is no G. */
export function findG(point: Point): number | undefined {
  return point.startsWith('g') ? Number(point.slice(1)) : undefined;
}

/** The same state by the core plus the modulus: another text, the same field element. */
export const otherEncoding = (point: Point): Point => point.replace('|', '~|');
export const isCanonical = (point: Point): boolean => !point.includes('~');

export interface Machine {
  /** F(G). */
  advance(g: number): number;
  /** G after so many iterations from `g`. */
  stateAfter(g: number, count: number): number;
  /** The state of the machine after so many steps of F(G). */
  trace(g: number, step: number): Point;
  /** The one true successor, of any state; undefined when the point cannot be opened. */
  step(point: Point): Point | undefined;
  /** What an iteration that begins at G and ends in this state makes; undefined when the end cannot be opened. */
  resultOf(g: number, end: Point): number | undefined;
}

export function createMachine(seed: number, shape: Shape): Machine {
  const total = steps(shape);
  const fail = (g: number): number => mix(g, 77);
  /** G at its target: F(G) = G. */
  const isIdle = (g: number): boolean => mix(g, seed) % 7 === 0;
  const kind = (g: number): number => (isIdle(g) ? 9 : mix(g, seed + 1) % 10);
  const haltAt = (g: number): number => {
    if (kind(g) === 0) return Number.POSITIVE_INFINITY;
    return kind(g) === 1 ? total : 1 + (mix(g, seed + 2) % total);
  };
  const halted = (g: number): State => {
    const base = { core: `${g}.${haltAt(g)}`, input: g };
    if (kind(g) === 2) return { ...base, output: 0, flag: 'FAIL' };
    return { ...base, output: isIdle(g) ? g : mix(g, seed + 3), flag: 'OK' };
  };
  const trace = (g: number, step: number): Point => {
    if (step === 0) return encodeState({ core: 'c0', input: g, output: 0, flag: 'RUN' });
    if (step >= haltAt(g)) return encodeState(halted(g));
    return encodeState({ core: `${g}.${step}`, input: g, output: 0, flag: 'RUN' });
  };
  const advance = (g: number): number => {
    if (kind(g) === 0 || kind(g) === 2) return fail(g);
    return halted(g).output;
  };
  const chains = new Map<number, number[]>();
  const chainOf = (g: number): number[] => {
    const known = chains.get(g);
    if (known !== undefined) return known;
    const chain = [g];
    for (let i = 0; i < iterations(shape); i++) chain.push(advance(at(chain, i)));
    chains.set(g, chain);
    return chain;
  };
  return {
    advance,
    trace,
    stateAfter: (g, count) => chainOf(g)[count] ?? Number.NaN,
    step: (point) => {
      const state = findState(point);
      if (state === undefined) return undefined;
      const core = state.core.replace('~', '');
      if (state.flag !== 'RUN') return encodeState({ ...state, core });
      const [program, step] = core === 'c0' ? [state.input, 0] : core.split('.').map(Number);
      if (program === undefined || step === undefined || Number.isNaN(program)) return encodeState({ ...state, core });
      if (step + 1 === haltAt(program)) return encodeState({ ...halted(program), input: state.input });
      return encodeState({ ...state, core: `${program}.${step + 1}` });
    },
    resultOf: (g, end) => {
      const state = findState(end);
      if (state === undefined) return undefined;
      return state.flag === 'OK' ? state.output : fail(g);
    },
  };
}
