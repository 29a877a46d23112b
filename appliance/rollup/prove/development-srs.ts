/**
 * A structured reference string of a development network, as native bb reads it. Whoever knows its secret can prove anything, so
 * the secret is drawn here and not kept; a public network takes the string of a ceremony instead (docs/design/0035).
 */
import { normalizeZ } from '@noble/curves/abstract/curve.js';
import { bn254 } from '@noble/curves/bn254.js';

/** As many powers as the circuit has rows. */
export const SRS_POINTS = 16_384;

export interface Srs {
  /** G, tG, t^2 G, ...: 64 bytes each, x and y big-endian. */
  readonly g1: Uint8Array;
  /** tH: x.c0, x.c1, y.c0, y.c1, 32 bytes each. */
  readonly g2: Uint8Array;
}

const WINDOW_BITS = 12;
const BATCH = 2048;
/** So many random bytes that their rest by the modulus is even. */
const SECRET_BYTES = 48;

/** @param random must be of cryptographic quality */
export function createDevelopmentSrs(random: (bytes: number) => Uint8Array): Srs {
  const { Fr } = bn254.fields;
  const { Point } = bn254.G1;
  const base = Point.BASE;
  base.precompute(WINDOW_BITS);
  const secret = Fr.create(BigInt(`0x${Buffer.from(random(SECRET_BYTES)).toString('hex')}`));
  const g1 = Buffer.alloc(SRS_POINTS * 64);
  let power = Fr.ONE;
  for (let from = 0; from < SRS_POINTS; from += BATCH) {
    const points = Array.from({ length: Math.min(BATCH, SRS_POINTS - from) }, () => {
      const point = base.multiplyUnsafe(power);
      power = Fr.mul(power, secret);
      return point;
    });
    for (const [index, point] of normalizeZ(Point, points).entries()) {
      const { x, y } = point.toAffine();
      g1.write(word(x) + word(y), (from + index) * 64, 'hex');
    }
  }
  const { x, y } = bn254.G2.Point.BASE.multiply(secret).toAffine();
  return { g1, g2: Buffer.from([x.c0, x.c1, y.c0, y.c1].map(word).join(''), 'hex') };
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}
