import type { CopyStatement, KeyInfo, ProviderInfo } from '../../keys/index.ts';
import { unary, upload } from '../method.ts';
import {
  anything,
  bytes,
  count,
  either,
  exact,
  flag,
  hash,
  list,
  nothing,
  oneOf,
  optional,
  pattern,
  shape,
  text,
} from '../shape.ts';

/** A passphrase is short; the gateway bounds it too. */
export const MAX_PASSPHRASE_BYTES = 64 * 1024;
/** The signing input of a token (RFC 7515, 5.1). */
const MAX_SIGNING_INPUT_BYTES = 4096;
const UNLOCK_ROTATE_TIMEOUT_MS = 120_000;
const MAX_PROVIDERS = 1024;
const providerName = pattern('^[a-z][a-z0-9-]{0,31}$', 32);
const rotated = exact({ from: text(64), to: text(64), generation: count });

export const keyState = unary<null, 'locked' | 'unlocked'>({
  name: 'key-state',
  input: shape(nothing),
  output: shape(oneOf('locked', 'unlocked')),
});

/** The passphrase goes as bytes, which can be wiped, not as text, which cannot. The name is the registry's to know. */
export const unlock = upload<{ provider: string }, null>({
  name: 'unlock',
  input: shape(exact({ provider: providerName })),
  output: shape(nothing),
});

export const listKeys = unary<null, readonly KeyInfo[]>({
  name: 'list-keys',
  input: shape(nothing),
  output: shape(
    list(
      exact({ id: text(64), createdAt: text(64), current: flag, provider: text(256), destroyedAt: optional(text(64)) }),
      100_000,
    ),
  ),
  maxOutputBytes: 16 * 1024 * 1024,
});

export const listProviders = unary<null, readonly ProviderInfo[]>({
  name: 'list-providers',
  input: shape(nothing),
  output: shape(
    list(
      exact({ id: text(64), provider: providerName, title: text(128), attended: flag, createdAt: text(64) }),
      MAX_PROVIDERS,
    ),
  ),
});

export const rotateKeys = unary<null, { from: string; to: string; generation: number }>({
  name: 'rotate-keys',
  input: shape(nothing),
  output: shape(rotated),
  timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
});

export const retireKeys = unary<null, { destroyed: string[]; generation: number }>({
  name: 'retire-keys',
  input: shape(nothing),
  output: shape(exact({ destroyed: list(text(64), 100_000), generation: count })),
  maxOutputBytes: 16 * 1024 * 1024,
  timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
});

type ChangedProvider = { id: string; generation: number };
const changedProvider = shape<ChangedProvider>(exact({ id: text(64), generation: count }));

/** With `id` in its place. Settings are held to the provider's own schema by the keys; the secret goes as bytes. */
export const enrollProvider = upload<
  { provider: string; settings: Readonly<Record<string, unknown>>; id?: string },
  ChangedProvider
>({
  name: 'enroll-provider',
  input: shape(exact({ provider: providerName, settings: anything, id: optional(text(64)) })),
  output: changedProvider,
});

export const removeProvider = unary<{ id: string }, ChangedProvider>({
  name: 'remove-provider',
  input: shape(exact({ id: text(64) })),
  output: changedProvider,
  timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
});

export const resolveKeys = unary<null, { from: string; to: string; generation: number }>({
  name: 'resolve-keys',
  input: shape(nothing),
  output: shape(rotated),
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
