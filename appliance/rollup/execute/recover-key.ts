import type { HostCrypto } from '../../../protocol/rollup/rules.ts';
import { nativeCrypto } from './native-crypto.ts';

/** The public key (64 bytes) that made a signature of a digest; undefined when none did. `rs` is r and s, 32 bytes each. */
export type RecoverKey = (digest: Uint8Array, rs: Uint8Array, yParity: 0 | 1) => Uint8Array | undefined;

/** libsecp256k1 compiled for this processor: four times as fast as in WebAssembly. Undefined where the package has no build. */
export async function loadNativeRecovery(): Promise<RecoverKey | undefined> {
  try {
    const { default: addon } = await import('secp256k1/bindings.js');
    return orUndefined((digest, rs, yParity) => addon.ecdsaRecover(rs, yParity, digest, false).subarray(1));
  } catch {
    return undefined;
  }
}

/** libsecp256k1 in WebAssembly: the same answers everywhere. */
export const recoverPortably: RecoverKey = orUndefined((digest, rs, yParity) =>
  nativeCrypto.recover?.(digest, rs, yParity),
);

/** The fastest that this processor has: senders of what arrives are recovered on the thread that serves. */
export async function loadHostCrypto(): Promise<HostCrypto> {
  const recover = await loadNativeRecovery();
  if (recover === undefined) return nativeCrypto;
  return {
    recover(digest, signature, recovery) {
      const key = recover(digest, signature, recovery);
      if (key === undefined) throw new RangeError('no public key for this signature');
      return key;
    },
  };
}

function orUndefined(recover: RecoverKey): RecoverKey {
  return (digest, rs, yParity) => {
    try {
      return recover(digest, rs, yParity);
    } catch {
      return undefined;
    }
  };
}
