import type { FactType, FactValue } from './fact-type.ts';

/** The closed union of what a check may expect, per type of its fact. An operator that is not here is a load error. */
export type Expectation =
  | { readonly op: 'is'; readonly value: boolean }
  | { readonly op: 'equals'; readonly value: number | string | readonly string[] }
  | { readonly op: 'at-least' | 'at-most'; readonly value: number }
  /** Both ends included. */
  | { readonly op: 'between'; readonly value: readonly [number, number] }
  /** File modes: no bit beyond these; masks: all of these bits. */
  | { readonly op: 'bits-within' | 'bits-contain'; readonly value: number }
  | { readonly op: 'one-of' | 'none-of'; readonly value: readonly string[] | readonly number[] }
  /** Dotted numbers, compared part by part; what follows a `-` or `+` does not count. */
  | { readonly op: 'version-at-least'; readonly value: string }
  | { readonly op: 'empty' | 'not-empty' }
  /** Sets: subset, superset, at least one in common, disjoint. */
  | { readonly op: 'within' | 'contains' | 'contains-one-of' | 'excludes'; readonly value: readonly string[] };

export type Operator = Expectation['op'];

type Operand = unknown;

interface Definition {
  /** Whether an operand from a file is one for this operator. */
  readonly takes: (operand: Operand) => boolean;
  readonly holds: (observed: never, operand: never) => boolean;
  /** For people: `at least 10000`. */
  readonly words: (operand: never) => string;
}

/** One of each type's operators, with the types tied together where it is written down. */
function operator<V, O>(
  takes: (operand: unknown) => operand is O,
  holds: (observed: V, operand: O) => boolean,
  words: (operand: O) => string,
): Definition {
  return { takes, holds: holds as Definition['holds'], words: words as Definition['words'] };
}

const isNothing = (operand: unknown): operand is undefined => operand === undefined;
const isBoolean = (operand: unknown): operand is boolean => typeof operand === 'boolean';
const isInteger = (operand: unknown): operand is number => Number.isSafeInteger(operand);
const isText = (operand: unknown): operand is string => typeof operand === 'string';
const isTexts = (operand: unknown): operand is readonly string[] =>
  Array.isArray(operand) && operand.every(isText) && new Set(operand).size === operand.length;
const isSomeTexts = (operand: unknown): operand is readonly string[] => isTexts(operand) && operand.length > 0;
const isIntegers = (operand: unknown): operand is readonly number[] =>
  Array.isArray(operand) && operand.length > 0 && operand.every(isInteger);
const isRange = (operand: unknown): operand is readonly [number, number] =>
  isIntegers(operand) && operand.length === 2 && (operand[0] as number) <= (operand[1] as number);
const isVersion = (operand: unknown): operand is string => isText(operand) && /^\d+(\.\d+)*$/.test(operand);

/** The largest that st_mode can hold. */
const MAX_MODE = 0o177777;

const list = (values: readonly (string | number)[]): string => values.join(', ');
const texts = (values: readonly string[]): string => list(values.map((value) => value || '(nothing)'));
const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value) => b.includes(value));

const OPERATORS: Readonly<Record<FactType, Readonly<Partial<Record<Operator, Definition>>>>> = {
  boolean: {
    is: operator<boolean, boolean>(
      isBoolean,
      (observed, operand) => observed === operand,
      (operand) => (operand ? 'yes' : 'no'),
    ),
  },
  integer: {
    equals: operator<number, number>(isInteger, (observed, operand) => observed === operand, String),
    'at-least': operator<number, number>(
      isInteger,
      (observed, operand) => observed >= operand,
      (operand) => `at least ${operand}`,
    ),
    'at-most': operator<number, number>(
      isInteger,
      (observed, operand) => observed <= operand,
      (operand) => `at most ${operand}`,
    ),
    between: operator<number, readonly [number, number]>(
      isRange,
      (observed, [low, high]) => observed >= low && observed <= high,
      ([low, high]) => `from ${low} to ${high}`,
    ),
    'one-of': operator<number, readonly number[]>(
      isIntegers,
      (observed, operand) => operand.includes(observed),
      (operand) => `one of ${list(operand)}`,
    ),
    'none-of': operator<number, readonly number[]>(
      isIntegers,
      (observed, operand) => !operand.includes(observed),
      (operand) => `none of ${list(operand)}`,
    ),
    'bits-within': operator<number, number>(
      isInteger,
      // Bit operators see 32 bits: what has more is no mode.
      (observed, operand) => observed >= 0 && observed <= MAX_MODE && (observed & ~operand) === 0,
      (operand) => `mode ${modeText(operand)} or stricter`,
    ),
    'bits-contain': operator<number, number>(
      isInteger,
      (observed, operand) => observed >= 0 && observed <= MAX_MODE && (observed & operand) === operand,
      (operand) => `mask ${modeText(operand)} or more`,
    ),
  },
  text: {
    equals: operator<string, string>(
      isText,
      (observed, operand) => observed === operand,
      (operand) => operand || 'nothing',
    ),
    'one-of': operator<string, readonly string[]>(
      isSomeTexts,
      (observed, operand) => operand.includes(observed),
      (operand) => `one of ${texts(operand)}`,
    ),
    'none-of': operator<string, readonly string[]>(
      isSomeTexts,
      (observed, operand) => !operand.includes(observed),
      (operand) => `none of ${texts(operand)}`,
    ),
    empty: operator<string, undefined>(
      isNothing,
      (observed) => observed === '',
      () => 'nothing',
    ),
    'not-empty': operator<string, undefined>(
      isNothing,
      (observed) => observed !== '',
      () => 'something',
    ),
    'version-at-least': operator<string, string>(
      isVersion,
      (observed, operand) => compareVersions(observed, operand) >= 0,
      (operand) => `version ${operand} or newer`,
    ),
  },
  set: {
    empty: operator<readonly string[], undefined>(
      isNothing,
      (observed) => observed.length === 0,
      () => 'none',
    ),
    'not-empty': operator<readonly string[], undefined>(
      isNothing,
      (observed) => observed.length > 0,
      () => 'at least one',
    ),
    equals: operator<readonly string[], readonly string[]>(
      isTexts,
      sameSet,
      (operand) => `exactly ${list(operand) || 'none'}`,
    ),
    within: operator<readonly string[], readonly string[]>(
      isSomeTexts,
      (observed, operand) => observed.every((value) => operand.includes(value)),
      (operand) => `none but ${list(operand)}`,
    ),
    contains: operator<readonly string[], readonly string[]>(
      isSomeTexts,
      (observed, operand) => operand.every((value) => observed.includes(value)),
      (operand) => `at least ${list(operand)}`,
    ),
    'contains-one-of': operator<readonly string[], readonly string[]>(
      isSomeTexts,
      (observed, operand) => operand.some((value) => observed.includes(value)),
      (operand) => `at least one of ${list(operand)}`,
    ),
    excludes: operator<readonly string[], readonly string[]>(
      isSomeTexts,
      (observed, operand) => !operand.some((value) => observed.includes(value)),
      (operand) => `none of ${list(operand)}`,
    ),
  },
};

/** What is wrong with an expectation of a fact of this type; undefined when it can be judged. */
export function expectationProblem(type: FactType, op: string, value: unknown): string | undefined {
  const operators = OPERATORS[type];
  const definition = Object.hasOwn(operators, op) ? operators[op as Operator] : undefined;
  if (definition === undefined)
    return `a fact of type ${type} has no operator ${op}, only ${list(Object.keys(operators))}`;
  return definition.takes(value) ? undefined : `the operator ${op} does not take ${kindWords(value)}`;
}

function kindWords(value: unknown): string {
  if (value === undefined) return 'no value';
  if (Array.isArray(value)) return `the list ${JSON.stringify(value).slice(0, 80)}`;
  return `a ${typeof value === 'string' ? 'text' : typeof value}, ${JSON.stringify(value).slice(0, 80)}`;
}

/** Whether an observed value is as expected. The expectation was checked when it was loaded. */
export function holds(type: FactType, expectation: Expectation, observed: FactValue): boolean {
  return definitionOf(type, expectation).holds(observed as never, operandOf(expectation) as never);
}

/** An expectation for people. */
export function expectationWords(type: FactType, expectation: Expectation): string {
  return definitionOf(type, expectation).words(operandOf(expectation) as never);
}

function definitionOf(type: FactType, { op }: Expectation): Definition {
  const definition = OPERATORS[type][op];
  // Loading refuses it: reaching this is a bug, and a bug must not be a pass.
  if (definition === undefined) throw new Error(`no operator ${op} for ${type}`);
  return definition;
}

function operandOf(expectation: Expectation): unknown {
  return 'value' in expectation ? expectation.value : undefined;
}

export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** A version that has no number at its beginning is older than any. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) =>
    (/^v?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '-1').split('.').map(Number),
  );
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
