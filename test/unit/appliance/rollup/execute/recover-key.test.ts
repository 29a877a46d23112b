import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  loadHostCrypto,
  loadNativeRecovery,
  recoverPortably,
} from '../../../../../appliance/rollup/execute/recover-key.ts';
import { bytesToHex, hexToBytes } from '../../../../../protocol/rollup/bytes.ts';

const ORDER = secp256k1.Point.CURVE().n;
const PRIME = secp256k1.Point.CURVE().p;
const word = (value: bigint): string => value.toString(16).padStart(64, '0');
const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const recoverNatively = await loadNativeRecovery();

/** By noble, in pure ECMAScript: what the other two must say. */
function recoverByNoble(digest: Uint8Array, rs: Uint8Array, yParity: 0 | 1): string | undefined {
  try {
    const key = secp256k1.recoverPublicKey(Uint8Array.of(yParity, ...rs), digest, { prehash: false });
    return bytesToHex(secp256k1.Point.fromBytes(key).toBytes(false).subarray(1));
  } catch {
    return undefined;
  }
}

/** r, s and digests at the edges, and signatures of nobody. */
function* cases(): Generator<{ digest: Uint8Array; rs: Uint8Array; yParity: 0 | 1 }> {
  const key = hexToBytes(`0x${word(7n)}`);
  const digests = [hash('message'), new Uint8Array(32), hexToBytes(`0x${word(ORDER)}`), new Uint8Array(32).fill(255)];
  const edges = [
    0n,
    1n,
    2n,
    ORDER / 2n,
    ORDER / 2n + 1n,
    ORDER - 1n,
    ORDER,
    ORDER + 1n,
    PRIME - ORDER,
    PRIME,
    2n ** 256n - 1n,
  ];
  for (const digest of digests) {
    const [recovery, ...signed] = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
    const rs = Uint8Array.from(signed);
    for (const yParity of [0, 1] as const) {
      yield { digest, rs, yParity };
      const s = BigInt(bytesToHex(rs.subarray(32)));
      yield { digest, rs: hexToBytes(`0x${bytesToHex(rs.subarray(0, 32)).slice(2)}${word(ORDER - s)}`), yParity };
      for (const r of edges)
        for (const other of edges) yield { digest, rs: hexToBytes(`0x${word(r)}${word(other)}`), yParity };
    }
    assert.ok(recovery === 0 || recovery === 1);
  }
  for (let i = 0; i < 100; i += 1) {
    const rs = Uint8Array.from([...hash(`r ${i}`), ...hash(`s ${i}`)]);
    yield { digest: hash(`digest ${i}`), rs, yParity: i % 2 === 0 ? 0 : 1 };
  }
}

test('both ways to recover a signer give the same key, or none, for odd signatures too', (context) => {
  if (recoverNatively === undefined) context.diagnostic('no build of the addon for this processor');
  let [count, found] = [0, 0];
  for (const { digest, rs, yParity } of cases()) {
    const expected = recoverByNoble(digest, rs, yParity);
    const portable = recoverPortably(digest, rs, yParity);
    const name = `${bytesToHex(digest)} ${bytesToHex(rs)} ${yParity}`;
    assert.equal(portable && bytesToHex(portable), expected, name);
    if (recoverNatively !== undefined) {
      const native = recoverNatively(digest, rs, yParity);
      assert.equal(native && bytesToHex(native), expected, name);
    }
    count += 1;
    if (expected !== undefined) found += 1;
  }
  assert.ok(found > 50 && found < count, `${found} of ${count}`);
});

test('the recovery of the thread that serves gives the same key, and throws where there is none', async () => {
  const { recover } = await loadHostCrypto();
  for (const { digest, rs, yParity } of cases()) {
    const expected = recoverPortably(digest, rs, yParity);
    if (expected === undefined) assert.throws(() => recover?.(digest, rs, yParity));
    else assert.equal(bytesToHex(recover?.(digest, rs, yParity) ?? new Uint8Array()), bytesToHex(expected));
  }
});
