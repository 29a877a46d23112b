import { bls12_381 } from '@noble/curves/bls12-381.js';

const { G1, G2, fields, pairing } = bls12_381;

/** [tau] on G2 of Ethereum's KZG ceremony (consensus-specs, trusted_setup_4096.json, second point of g2_monomial). */
const TAU_G2 =
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2';

function bare(hex: string): string {
  return hex.startsWith('0x') ? hex.slice(2) : hex;
}

/** A scalar of the BLS12-381 scalar field; throws when it is not below the modulus (EIP-4844). */
function parseScalar(hex: string): bigint {
  const value = BigInt(`0x${bare(hex)}`);
  if (value >= fields.Fr.ORDER) throw new RangeError('scalar not below the modulus');
  return value;
}

function parseG1(hex: string): typeof G1.Point.BASE {
  const point = G1.Point.fromHex(bare(hex));
  point.assertValidity();
  return point;
}

/**
 * `verifyPointEvaluation` as @ethereumjs/evm wants it: what the precompile must refuse is thrown under the name that c-kzg uses.
 */
export function verifyPointEvaluationForEvm(commitment: string, z: string, y: string, proof: string): boolean {
  try {
    return verifyPointEvaluation(commitment, z, y, proof);
  } catch (cause) {
    throw new Error('C_KZG_BADARGS', { cause });
  }
}

/**
 * EIP-4844 `verify_kzg_proof`: whether the polynomial that `commitment` (48 bytes) commits to has value `y` (32 bytes, big
 * endian) at `z` (32 bytes). All in hex. Throws on a point that is not on the curve or a scalar out of the field.
 */
export function verifyPointEvaluation(commitment: string, z: string, y: string, proof: string): boolean {
  const zero = G2.Point.ZERO;
  const xMinusZ = G2.Point.fromHex(TAU_G2).subtract(multiply(G2.Point.BASE, parseScalar(z), zero));
  const pMinusY = parseG1(commitment).subtract(multiply(G1.Point.BASE, parseScalar(y), G1.Point.ZERO));
  const quotient = parseG1(proof);
  // e(P - y, -G2) * e(proof, X - z) == 1; a pairing with the point at infinity is 1.
  const left = pMinusY.equals(G1.Point.ZERO) ? fields.Fp12.ONE : pairing(pMinusY, G2.Point.BASE.negate());
  const trivial = quotient.equals(G1.Point.ZERO) || xMinusZ.equals(zero);
  const right = trivial ? fields.Fp12.ONE : pairing(quotient, xMinusZ);
  return fields.Fp12.eql(fields.Fp12.mul(left, right), fields.Fp12.ONE);
}

/** Scalar multiplication that allows zero, which the curve library refuses. */
function multiply<P extends { multiply(scalar: bigint): P }>(point: P, scalar: bigint, zero: P): P {
  return scalar === 0n ? zero : point.multiply(scalar);
}
