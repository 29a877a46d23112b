import { call, contract, secret } from '../contract.ts';
import {
  bytes,
  count,
  done,
  either,
  exact,
  flag,
  hash,
  list,
  oneOf,
  optional,
  pattern,
  settings,
  text,
} from '../shape.ts';

/** A passphrase is short; the gateway bounds it too. */
const MAX_PASSPHRASE_BYTES = 64 * 1024;
/** The signing input of a token (RFC 7515, 5.1). */
const MAX_SIGNING_INPUT_BYTES = 4096;
const UNLOCK_ROTATE_TIMEOUT_MS = 120_000;
const MAX_PROVIDERS = 1024;
const MAX_PURPOSES = 16;
const MAX_KEYS = 100_000;
const MAX_LIST_BYTES = 16 * 1024 * 1024;

const providerName = pattern('^[a-z][a-z0-9-]{0,31}$', 32);
const rotated = exact({ from: text(64), to: text(64), generation: count });
const changed = exact({ id: text(64), generation: count });
/** Settings are held to the provider's own schema by the keys; the secret goes as bytes. */
const enrolment = exact({ provider: providerName, settings });
const key = exact({
  id: text(64),
  createdAt: text(64),
  current: flag,
  provider: text(256),
  destroyedAt: optional(text(64)),
});
const provider = exact({
  id: text(64),
  provider: providerName,
  title: text(128),
  attended: flag,
  createdAt: text(64),
});

const purpose = exact({
  purpose: oneOf('index', 'audit-body', 'identity', 'rollup-db', 'backup'),
  state: oneOf('first', 'kept', 'pending', 'replaced', 'added'),
});

/** What the gateway may ask of the keys: no key comes across. */
export const keys = contract('keys', {
  state: call({ args: [], returns: oneOf('locked', 'unlocked') }),
  /** A passphrase goes as bytes, which can be wiped, not as text, which cannot. The name is the registry's to know. */
  unlock: call({ args: [providerName, secret(MAX_PASSPHRASE_BYTES)], returns: done }),
  list: call({ args: [], returns: list(key, MAX_KEYS), maxOutputBytes: MAX_LIST_BYTES }),
  providers: call({ args: [], returns: list(provider, MAX_PROVIDERS) }),
  purposes: call({ args: [], returns: list(purpose, MAX_PURPOSES) }),
  rotate: call({ args: [], returns: rotated, timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS }),
  retire: call({
    args: [optional(text(64))],
    returns: exact({ destroyed: list(text(64), MAX_KEYS), generation: count }),
    maxOutputBytes: MAX_LIST_BYTES,
    timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
  }),
  enroll: call({ args: [enrolment, secret(MAX_PASSPHRASE_BYTES)], returns: changed }),
  change: call({ args: [text(64), enrolment, secret(MAX_PASSPHRASE_BYTES)], returns: changed }),
  remove: call({ args: [text(64)], returns: changed, timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS }),
  /** The passphrase of what is attended; no bytes where there is none. */
  replaceRoot: call({
    args: [exact({ without: list(text(64), MAX_PROVIDERS) }), secret(MAX_PASSPHRASE_BYTES)],
    returns: exact({ providers: list(text(64), MAX_PROVIDERS), generation: count }),
    timeoutMs: UNLOCK_ROTATE_TIMEOUT_MS,
  }),
  resolve: call({ args: [], returns: rotated }),
  signToken: call({ args: [bytes(MAX_SIGNING_INPUT_BYTES)], returns: bytes(64) }),
});

const instant = pattern('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$', 24);
const repository = pattern('^[0-9a-f]{32}$', 32);

/** The fields of a statement, not its bytes: the keys spell it out, so that nothing else can be signed this way. */
const copyStatement = either(
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
);

/** What backups need of the keys. */
export const backupKeys = contract('backups', {
  sign: call({ args: [copyStatement], returns: bytes(64) }),
  /** The one key that comes across: it seals the metadata of a backup repository, and opens no record and no log entry. */
  repositoryKey: call({ args: [repository], returns: bytes(32) }),
});
