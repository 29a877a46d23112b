/** The files of a structured reference string, held against what the network's descriptor pins. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { SRS_POINTS } from './development-srs.ts';

/** What native bb reads. */
export const SRS_FILES = { g1: 'bn254_g1.dat', g2: 'bn254_g2.dat' } as const;
const G1_BYTES = SRS_POINTS * 64;
const G2_BYTES = 128;

/** What a network says of its string. */
export interface PinnedSrs {
  /** SHA-256 over bn254_g1.dat (16,384 points) and bn254_g2.dat, 0x and hex, as in the descriptor. */
  readonly sha256: Hex;
  /** Made by one machine, which may have kept the secret: for development networks alone. */
  readonly isDevelopment: boolean;
}

/** @returns the pin of a string */
export function pinSrs({ g1, g2 }: { readonly g1: Uint8Array; readonly g2: Uint8Array }): Hex {
  return `0x${createHash('sha256').update(g1).update(g2).digest('hex')}`;
}

/**
 * Checks that the folder holds exactly the string that the network pins: bb fetches what is missing from the internet, and proofs by
 * another string fail on L1. Throws ROLLUP_SRS_INVALID; a development string on any other network too.
 */
export function verifySrs(folder: string, { pinned, isDevnet }: { pinned: PinnedSrs; isDevnet: boolean }): void {
  if (pinned.isDevelopment && !isDevnet) {
    const reason =
      'it is a development string, by which its maker can prove false steps, and this is no development network';
    throw new NectarError('ROLLUP_SRS_INVALID', { reason });
  }
  const g1 = readPart(join(folder, SRS_FILES.g1), G1_BYTES);
  const g2 = readPart(join(folder, SRS_FILES.g2), G2_BYTES);
  const actual = pinSrs({ g1, g2 });
  if (actual !== pinned.sha256)
    throw new NectarError('ROLLUP_SRS_INVALID', { reason: `its SHA-256 is ${actual}, the network's ${pinned.sha256}` });
}

function readPart(path: string, bytes: number): Uint8Array {
  let content: Uint8Array;
  try {
    content = readFileSync(path);
  } catch (cause) {
    throw new NectarError('ROLLUP_SRS_INVALID', { reason: `${path} cannot be read` }, { cause });
  }
  if (content.length !== bytes)
    throw new NectarError('ROLLUP_SRS_INVALID', { reason: `${path} has ${content.length} bytes, not ${bytes}` });
  return content;
}
