import { recover as recoverPublicKey } from 'tiny-secp256k1';
import type { HostCrypto } from '../../../protocol/rollup/rules.ts';

/** Signature recovery by libsecp256k1 in WebAssembly: seven times the speed of pure JavaScript, the same keys. */
export const nativeCrypto: HostCrypto = {
  recover(digest, signature, recovery) {
    const key = recoverPublicKey(digest, signature, recovery, false);
    if (key === null) throw new RangeError('no public key for this signature');
    return key.subarray(1);
  },
};
