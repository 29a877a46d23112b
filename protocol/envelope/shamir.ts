/**
 * Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial of AES (x^8 + x^4 + x^3 + x + 1), as the audited npm package
 * shamir-secret-sharing does it: its shares combine here, and ours there. A share is the secret's length of y values, then x.
 *
 * Fewer than `threshold` shares say nothing of the secret, and a wrong share is not noticed: whoever combines checks what comes out.
 */
const AES_POLYNOMIAL = 0x11b;
const FIELD = 256;

/**
 * Splits a secret into `shares` of which any `threshold` give it back. 2 <= threshold <= shares <= 255. `random`: secret.length *
 * (threshold - 1) fresh random bytes, the coefficients; the caller wipes them.
 */
export function splitSecret(
  secret: Uint8Array,
  { shares, threshold, random }: { readonly shares: number; readonly threshold: number; readonly random: Uint8Array },
): Uint8Array[] {
  if (threshold < 2 || threshold > shares || shares >= FIELD)
    throw new RangeError('not 2 <= threshold <= shares < 256');
  const degree = threshold - 1;
  if (secret.length === 0 || random.length !== secret.length * degree)
    throw new RangeError('wrong number of random bytes');
  return Array.from({ length: shares }, (_, index) => {
    const x = index + 1;
    const share = new Uint8Array(secret.length + 1);
    for (let at = 0; at < secret.length; at++) {
      let y = 0;
      for (let power = degree - 1; power >= 0; power--) y = multiply(y ^ (random[at * degree + power] ?? 0), x);
      share[at] = y ^ (secret[at] ?? 0);
    }
    share[secret.length] = x;
    return share;
  });
}

/** The secret of `shares`, by interpolation at 0; undefined when they do not fit together (lengths, or one twice). */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array | undefined {
  const length = (shares[0]?.length ?? 0) - 1;
  const xs = shares.map((share) => share.at(-1) ?? 0);
  if (shares.length < 2 || length < 1 || xs.includes(0) || new Set(xs).size !== xs.length) return undefined;
  if (shares.some((share) => share.length !== length + 1)) return undefined;
  const secret = new Uint8Array(length);
  for (const [i, share] of shares.entries()) {
    const weight = xs.reduce(
      (product, x, j) => (i === j ? product : multiply(product, quotient(x, x ^ (xs[i] ?? 0)))),
      1,
    );
    for (let at = 0; at < length; at++) secret[at] = (secret[at] ?? 0) ^ multiply(weight, share[at] ?? 0);
  }
  return secret;
}

/** Without a table and without a branch on a secret: what it takes does not depend on it. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = a;
  for (let bit = 0; bit < 8; bit++) {
    product ^= factor & -((b >> bit) & 1);
    factor = (factor << 1) ^ (AES_POLYNOMIAL & -(factor >> 7));
  }
  return product & 0xff;
}

/** b^254 is the inverse of b. */
function quotient(a: number, b: number): number {
  let inverse = 1;
  for (let power = 0; power < FIELD - 2; power++) inverse = multiply(inverse, b);
  return multiply(a, inverse);
}
