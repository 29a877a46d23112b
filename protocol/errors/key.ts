import { define } from './definition.ts';

/** Errors of the secret boundary: root key, its providers, the key hierarchy. */
export const KEY_ERRORS = {
  KEY_LOCKED: define<Record<string, never>>({
    message: () => 'the node is locked',
  }),
  KEY_PASSPHRASE_WRONG: define<Record<string, never>>({
    message: () => 'the passphrase does not open the root key',
  }),
  KEY_PASSPHRASE_WEAK: define<{ guessesLog10: number; minimumLog10: number }>({
    message: ({ guessesLog10, minimumLog10 }) =>
      `the passphrase is guessed within about 10^${guessesLog10} attempts; it must stand 10^${minimumLog10}`,
  }),
  KEY_PASSPHRASE_INVALID: define<Record<string, never>>({
    message: () => 'the passphrase is not one line of UTF-8 text',
  }),
  KEY_UNLOCK_BUSY: define<{ waiting: number }>({
    message: ({ waiting }) => `${waiting} unlock attempts already wait`,
  }),
  KEY_PROVIDER_UNAVAILABLE: define<{ provider: string }>({
    message: ({ provider }) => `no ${provider} is enrolled for the root key`,
  }),
  KEY_PROVIDER_UNKNOWN: define<{ provider: string; known: readonly string[] }>({
    message: ({ provider, known }) =>
      `there is no provider ${JSON.stringify(provider)}: it is one of ${known.join(', ')}`,
  }),
  KEY_PROVIDER_UNSUPPORTED: define<{ provider: string }>({
    message: ({ provider }) => `${provider} needs to start a program, which this process may not`,
  }),
  KEY_PROVIDER_ABSENT: define<{ id: string }>({
    message: ({ id }) => `no provider of the id ${JSON.stringify(id)} is enrolled`,
  }),
  KEY_PROVIDER_LAST: define<{ id: string }>({
    message: ({ id }) => `without ${id} no provider that works now opens the node`,
  }),
  KEY_ROOT_PROVIDER_CLOSED: define<{ id: string; reason: string }>({
    message: ({ id, reason }) => `${id} cannot be given the new root key: ${reason}`,
  }),
  KEY_ROOT_DERIVED: define<{ keks: readonly string[] }>({
    message: ({ keks }) => `${keks.join(', ')} of an early version derive from the root key and end with it`,
  }),
  KEY_ROOT_UNSETTLED: define<Record<string, never>>({
    message: () => 'the root key was just replaced, and the identities are not all sealed anew yet',
  }),
  KEY_ROOT_INDEX_PENDING: define<Record<string, never>>({
    message: () => 'the index is still sealed by the previous root key: the next start seals it anew',
  }),
  KEY_ROOT_REKEYING: define<{ state: string }>({
    message: ({ state }) => `a rekey of the records is ${state}: it would end under a key of the old root key`,
  }),
  KEY_PROVIDERS_FULL: define<{ max: number }>({
    message: ({ max }) => `${max} providers are enrolled already`,
  }),
  KEY_ENROLMENT_INVALID: define<{ provider: string; expected: readonly string[] }>({
    message: ({ provider, expected }) =>
      `the settings of ${provider} are not of its shape (${expected.join(', ') || 'it takes none'})`,
  }),
  KEY_STORE_BEHIND: define<{ generation: number; stated: number }>({
    message: ({ generation, stated }) =>
      `keys.json is an older copy: its generation is ${generation}, the audit log states ${stated}`,
  }),
  KEY_STORE_AHEAD: define<{ generation: number; stated: number }>({
    message: ({ generation, stated }) =>
      `keys.json is newer than the audit log can explain: its generation is ${generation}, the log states ${stated}`,
  }),
  KEY_STORE_AGREES: define<Record<string, never>>({
    message: () => 'keys.json is the one that the audit log states: there is nothing to resolve',
  }),
  KEY_STORE_MISSING: define<{ path: string }>({
    message: ({ path }) => `there is no key store at ${path}`,
  }),
  KEY_STORE_EXISTS: define<{ path: string }>({
    message: ({ path }) => `a key store already exists at ${path}`,
  }),
  KEY_STORE_INVALID: define<{ path: string; problem: string }>({
    message: ({ path, problem }) => `the key store ${path} is damaged: ${problem}`,
  }),
  KEY_FILE_UNNAMED: define<Record<string, never>>({
    message: () => 'a key file opens the root key, and its path is not known here',
  }),
  KEY_FILE_MISSING: define<{ path: string }>({
    message: ({ path }) => `the key file ${path} is not there`,
  }),
  KEY_FILE_INVALID: define<{ path: string; bytes: number; expectedBytes: number }>({
    message: ({ path, bytes, expectedBytes }) =>
      `the key file ${path} holds ${bytes} bytes instead of ${expectedBytes}`,
  }),
  KEY_FILE_WRONG: define<{ path: string }>({
    message: ({ path }) => `the key file ${path} does not open this node's root key`,
  }),
  KEY_FILE_INSIDE_HOME: define<{ path: string; home: string }>({
    message: ({ path, home }) => `the key file ${path} lies inside the home ${home} that it opens`,
  }),
  KEY_FILE_PERMISSIONS: define<{ path: string; mode: string }>({
    message: ({ path, mode }) => `the key file ${path} is not its owner's alone (mode ${mode})`,
  }),
  KEY_TOOL_FAILED: define<{ provider: string; program: string; reason: string; said: string }>({
    message: ({ provider, program, reason, said }) =>
      `${program} does not open the node by ${provider} (${reason}): ${said}`,
  }),
  KEY_PROGRAM_UNSAFE: define<{ program: string; problem: string }>({
    message: ({ program, problem }) => `${program} is not run: ${problem}`,
  }),
  KEY_CREDENTIAL_MISSING: define<{ name: string; where: string }>({
    message: ({ name, where }) => `systemd gives this process no credential ${JSON.stringify(name)} (${where})`,
  }),
  KEY_SECRET_SHORT: define<{ provider: string; source: string; bytes: number; minimumBytes: number }>({
    message: ({ source, bytes, minimumBytes }) =>
      `${source} gives ${bytes} bytes; a secret has ${minimumBytes} or more`,
  }),
  KEY_SECRET_WRONG: define<{ provider: string; source: string }>({
    message: ({ provider, source }) => `what ${source} gives (${provider}) does not open this node's root key`,
  }),
  KEY_OFFICER_INVALID: define<{ fingerprint: string; problem: string }>({
    message: ({ fingerprint, problem }) => `the key of the recovery officer ${fingerprint} cannot be used: ${problem}`,
  }),
  KEY_SHARE_INVALID: define<{ source: string; problem: string }>({
    message: ({ source, problem }) => `${source} is not a usable share: ${problem}`,
  }),
  KEY_SHARES_MISSING: define<{ given: number; threshold: number }>({
    message: ({ given, threshold }) => `${given} of the ${threshold} shares that it takes`,
  }),
  KEY_SHARES_WRONG: define<Record<string, never>>({
    message: () => "the shares do not open this node's keys.json",
  }),
  KEY_UNWRAP_INVALID: define<{ kekId: string }>({
    message: ({ kekId }) => `a wrapped data key does not authenticate under ${kekId}`,
  }),
  KEY_KEK_UNKNOWN: define<{ kekId: string }>({
    message: ({ kekId }) => `the key store names no key-encryption key ${kekId}`,
  }),
  KEY_KEK_DESTROYED: define<{ kekId: string }>({
    message: ({ kekId }) => `the key-encryption key ${kekId} was destroyed`,
  }),
  KEY_IDENTITY_NAME_INVALID: define<{ name: string }>({
    message: ({ name }) => `${JSON.stringify(name)} is not a valid name of a sealed identity`,
  }),
  KEY_IDENTITY_MISSING: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} is not there`,
  }),
  KEY_IDENTITY_INVALID: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} does not authenticate`,
  }),
};
