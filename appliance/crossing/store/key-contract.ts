import type { CopyStatement, KeyInfo } from '../../keys/index.ts';
import { unary, upload } from '../method.ts';
import { bytes, count, either, exact, flag, hash, list, nothing, oneOf, pattern, shape, text } from '../shape.ts';

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

const instant = pattern('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$', 24);
const repository = pattern('^[0-9a-f]{32}$', 32);

/** The fields of a statement, not its bytes: the keys spell it out, so that nothing else can be signed this way. */
export const signCopy = unary<CopyStatement, { signature: Uint8Array }>({
  name: 'sign-copy',
  input: shape(
    either(
      exact({ kind: oneOf('file'), createdAt: instant, entries: count, bytes: count, manifestSha256: hash }),
      exact({
        kind: oneOf('snapshot'),
        repository,
        generation: count,
        createdAt: instant,
        leaves: count,
        checkpointSize: count,
        checkpointRoot: hash,
        manifestSha256: hash,
        tableSha256: hash,
        previous: hash,
      }),
    ),
  ),
  output: shape(exact({ signature: bytes(64) })),
});

/** The one key that comes across: it seals the metadata of a backup repository, and opens no record and no log entry. */
export const repositoryKey = unary<{ repository: string }, { key: Uint8Array }>({
  name: 'repository-key',
  input: shape(exact({ repository })),
  output: shape(exact({ key: bytes(32) })),
});
