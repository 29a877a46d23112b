import type { SeededRandom } from '../protocol/storage/seeded-random.ts';

/** Draws that a simulation takes of its random numbers. */
export interface Chance {
  below(limit: number): number;
  is(probability: number): boolean;
  /** Weibull: of a mean and a shape. */
  weibull(mean: number, shape: number): number;
  /** Log-normal: of a median and the sigma of the logarithm. */
  logNormal(median: number, sigma: number): number;
  /** So many of a list, each set as likely. */
  some<T>(list: readonly T[], count: number): T[];
}

export function createChance({ unit, below }: SeededRandom): Chance {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
  return {
    below,
    is: (probability) => unit() < probability,
    weibull: (mean, shape) => (mean / gamma(1 + 1 / shape)) * (-Math.log(1 - unit())) ** (1 / shape),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    some(list, count) {
      const rest = [...list];
      return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(below(rest.length), 1)[0] as never);
    },
  };
}

/** Stirling's series, for arguments from 1 to 3: exact to a millionth. */
function gamma(x: number): number {
  if (x < 8) return gamma(x + 1) / x;
  return (
    Math.sqrt((2 * Math.PI) / x) * (x / Math.E) ** x * (1 + 1 / (12 * x) + 1 / (288 * x * x) - 139 / (51840 * x ** 3))
  );
}
