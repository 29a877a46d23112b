import type { KeyInfo } from '../../keys/index.ts';
import { unary, upload } from '../method.ts';
import { bytes, exact, flag, list, nothing, oneOf, shape, text } from '../shape.ts';

/** A passphrase is short; the gateway bounds it too. */
export const MAX_PASSPHRASE_BYTES = 64 * 1024;
/** The signing input of a token (RFC 7515, 5.1). */
const MAX_SIGNING_INPUT_BYTES = 4096;
const UNLOCK_ROTATE_TIMEOUT_MS = 120_000;

export const keyState = unary<null, 'locked' | 'unlocked'>({
  name: 'key-state',
  input: shape(nothing),
  output: shape(oneOf('locked', 'unlocked')),
});

/** The passphrase goes as bytes, which can be wiped, not as text, which cannot. */
export const unlock = upload<{ provider: 'passphrase' | 'file' }, null>({
  name: 'unlock',
  input: shape(exact({ provider: oneOf('passphrase', 'file') })),
  output: shape(nothing),
});

export const listKeys = unary<null, readonly KeyInfo[]>({
  name: 'list-keys',
  input: shape(nothing),
  output: shape(list(exact({ id: text(64), createdAt: text(64), current: flag, provider: text(256) }), 100_000)),
  maxOutputBytes: 16 * 1024 * 1024,
});

export const rotateKeys = unary<null, { from: string; to: string }>({
  name: 'rotate-keys',
  input: shape(nothing),
  output: shape(exact({ from: text(64), to: text(64) })),
  timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
});

export const signToken = unary<{ input: Uint8Array }, { signature: Uint8Array }>({
  name: 'sign-token',
  input: shape(exact({ input: bytes(MAX_SIGNING_INPUT_BYTES) })),
  output: shape(exact({ signature: bytes(64) })),
});
