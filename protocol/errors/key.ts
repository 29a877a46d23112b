import { define } from './definition.ts';

/** Errors of the secret boundary: root key, its providers, the key hierarchy. */
export const KEY_ERRORS = {
  KEY_LOCKED: define<Record<string, never>>({
    message: () => 'the node is locked',
  }),
  KEY_PASSPHRASE_WRONG: define<Record<string, never>>({
    message: () => 'the passphrase does not open the root key',
  }),
  KEY_PASSPHRASE_WEAK: define<{ minimumBytes: number }>({
    message: ({ minimumBytes }) => `the passphrase is shorter than ${minimumBytes} bytes`,
  }),
  KEY_UNLOCK_BUSY: define<{ waiting: number }>({
    message: ({ waiting }) => `${waiting} unlock attempts already wait`,
  }),
  KEY_PROVIDER_UNAVAILABLE: define<{ provider: string }>({
    message: ({ provider }) => `no ${provider} is enrolled for the root key`,
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
  KEY_UNWRAP_INVALID: define<{ kekId: string }>({
    message: ({ kekId }) => `a wrapped data key does not authenticate under ${kekId}`,
  }),
  KEY_KEK_UNKNOWN: define<{ kekId: string }>({
    message: ({ kekId }) => `the key store names no key-encryption key ${kekId}`,
  }),
  KEY_IDENTITY_NAME_INVALID: define<{ name: string }>({
    message: ({ name }) => `${JSON.stringify(name)} is no name for a sealed identity`,
  }),
  KEY_IDENTITY_MISSING: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} is not there`,
  }),
  KEY_IDENTITY_INVALID: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} does not authenticate`,
  }),
};
