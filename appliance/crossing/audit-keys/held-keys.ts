import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { continuesBodySecret, isBodySecret } from '../../../protocol/envelope/body-secret.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { CHECKPOINT_KEY_BYTES } from './contract.ts';

/** The audit role's keys, in memory only: handed over by the store after each start of either. */
export interface HeldKeys {
  /** Takes both keys, or the same again; wipes the bytes. @throws NectarError NODE_KEYS_MISMATCH */
  accept(handed: Uint8Array): void;
  /** @throws NectarError KEY_LOCKED before keys were handed over */
  derive(purpose: 'audit-body'): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
  readonly publicKey: Uint8Array;
  whenHeld(signal: AbortSignal): Promise<void>;
  isHeld(): boolean;
  wipe(): void;
}

/** `publicKey`: of the node's checkpoint key, from its public identity: a key of somebody else is refused. */
export function createHeldKeys(publicKey: Uint8Array): HeldKeys {
  let held: { readonly body: Uint8Array; readonly checkpoint: KeyObject } | undefined;
  const waiting = new Set<() => void>();

  function open(): { readonly body: Uint8Array; readonly checkpoint: KeyObject } {
    if (held === undefined) throw new NectarError('KEY_LOCKED', {});
    return held;
  }

  return {
    publicKey,
    accept(handed) {
      const split = Math.max(0, handed.length - CHECKPOINT_KEY_BYTES);
      const body = Uint8Array.from(handed.subarray(0, split));
      const checkpoint = openCheckpointKey(handed.subarray(split), publicKey);
      handed.fill(0);
      // One log has one secret: another would make what is in it unreadable. One that came after it is taken at the next start of the log.
      if (!isBodySecret(body) || (held !== undefined && !continuesBodySecret(body, held.body))) {
        body.fill(0);
        throw new NectarError('NODE_KEYS_MISMATCH', { what: 'audit body key' });
      }
      if (held !== undefined) body.fill(0);
      held ??= { body, checkpoint };
      for (const wake of waiting) wake();
      waiting.clear();
    },
    derive: () => new Uint8Array(open().body),
    sign: (bytes) => sign(null, bytes, open().checkpoint),
    isHeld: () => held !== undefined,
    whenHeld(signal) {
      if (held !== undefined) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
    wipe() {
      held?.body.fill(0);
      held = undefined;
    },
  };
}

function openCheckpointKey(der: Uint8Array, publicKey: Uint8Array): KeyObject {
  try {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    if (x === Buffer.from(publicKey).toString('base64url')) return key;
  } catch (cause) {
    throw new NectarError('NODE_KEYS_MISMATCH', { what: 'checkpoint key' }, { cause });
  }
  throw new NectarError('NODE_KEYS_MISMATCH', { what: 'checkpoint key' });
}
