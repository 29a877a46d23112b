import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { NectarError } from '../../protocol/errors.ts';

/** Guesses that it must stand, as a power of ten: at 64 MiB and three passes a guess, 100 graphics cards need a year for 10^11. */
const MINIMUM_LOG10 = 10;
/** The estimate is quadratic; what is longer is as strong as its beginning. */
const MAX_CHARACTERS = 256;

let estimator: Promise<ZxcvbnFactory> | undefined;

/**
 * How many guesses a passphrase stands, as a power of ten, by what guessers try first: common passwords, keyboard rows, dates, words
 * with digits for letters. Not by its length or its kinds of characters, which `password1234` has enough of.
 */
async function guessesLog10(passphrase: Uint8Array): Promise<number> {
  const text = Buffer.from(passphrase).toString('utf8').slice(0, MAX_CHARACTERS);
  estimator ??= loadEstimator();
  return (await estimator).check(text, ['nectar', 'byon', 'clinic', 'hospital']).guessesLog10;
}

/** @throws NectarError KEY_PASSPHRASE_WEAK */
export async function requireStrongPassphrase(passphrase: Uint8Array): Promise<void> {
  const log10 = await guessesLog10(passphrase);
  if (log10 < MINIMUM_LOG10)
    throw new NectarError('KEY_PASSPHRASE_WEAK', { guessesLog10: Math.floor(log10), minimumLog10: MINIMUM_LOG10 });
}

/** The dictionaries are half a megabyte, needed when a passphrase is chosen and at no other time. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, { dictionary, adjacencyGraphs }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new Factory({ dictionary, graphs: adjacencyGraphs });
}
