import { define, EXIT } from './definition.ts';

/** Errors of the secret boundary: root key, its providers, the key hierarchy. */
export const KEY_ERRORS = {
  KEY_LOCKED: define<Record<string, never>>({
    message: () => 'the node is locked',
    remedy: 'Unlock it with `nectar-byon unlock`, or enrol a key file so that it unlocks by itself.',
    http: 503,
    exit: EXIT.locked,
  }),
  KEY_PASSPHRASE_WRONG: define<Record<string, never>>({
    message: () => 'the passphrase does not open the root key',
    remedy: 'Type it again. Each wrong attempt makes the node wait longer before the next one.',
    http: 403,
    exit: EXIT.key,
  }),
  KEY_PASSPHRASE_WEAK: define<{ minimumBytes: number }>({
    message: ({ minimumBytes }) => `the passphrase is shorter than ${minimumBytes} bytes`,
    remedy: 'Choose a longer passphrase: four random words are good.',
    http: 400,
    exit: EXIT.usage,
  }),
  KEY_PASSPHRASE_INVALID: define<Record<string, never>>({
    message: () => 'the passphrase is not one line of UTF-8 text',
    remedy: 'Type it, or write it into the file as plain UTF-8 text on one line.',
    http: 400,
    exit: EXIT.usage,
  }),
  KEY_UNLOCK_BUSY: define<{ waiting: number }>({
    message: ({ waiting }) => `${waiting} unlock attempts already wait`,
    remedy: 'Wait a minute and try again; many wrong attempts in a row slow the node down on purpose.',
    http: 429,
    exit: EXIT.locked,
  }),
  KEY_PROVIDER_UNAVAILABLE: define<{ provider: string }>({
    message: ({ provider }) => `no ${provider} is enrolled for the root key`,
    remedy: 'Unlock with a provider that `nectar-byon keys list` names.',
    http: 409,
    exit: EXIT.key,
  }),
  KEY_PROVIDER_UNKNOWN: define<{ provider: string; known: readonly string[] }>({
    message: ({ provider, known }) => `there is no provider ${JSON.stringify(provider)}: it is one of ${known.join(', ')}`,
    remedy: 'Name one of those; `nectar-byon keys enroll --help` describes them.',
    http: 400,
    exit: EXIT.usage,
  }),
  KEY_PROVIDER_UNSUPPORTED: define<{ provider: string }>({
    message: ({ provider }) => `${provider} needs to start a program, which this process may not`,
    remedy:
      'The store of a node in containers starts no programs: use a key file (a mounted secret) or a passphrase there. As a process (--target process) a node takes every provider.',
    http: 409,
    exit: EXIT.usage,
  }),
  KEY_PROVIDER_ABSENT: define<{ id: string }>({
    message: ({ id }) => `no provider of the id ${JSON.stringify(id)} is enrolled`,
    remedy: '`nectar-byon keys list` shows the ids.',
    http: 404,
    exit: EXIT.usage,
  }),
  KEY_PROVIDER_LAST: define<{ id: string }>({
    message: ({ id }) => `without ${id} nothing that works now would open the node`,
    remedy: 'Enrol another provider first, or bring an enrolled one back (its file, device or token is not there now).',
    http: 409,
    exit: EXIT.usage,
  }),
  KEY_PROVIDERS_FULL: define<{ max: number }>({
    message: ({ max }) => `${max} providers are enrolled already`,
    remedy: 'Remove one that is not used any more: `nectar-byon keys remove ID`.',
    http: 409,
    exit: EXIT.usage,
  }),
  KEY_ENROLMENT_INVALID: define<{ provider: string; expected: readonly string[] }>({
    message: ({ provider, expected }) =>
      `the settings of ${provider} are not of its shape (${expected.join(', ') || 'it takes none'})`,
    remedy: '`nectar-byon keys enroll PROVIDER --help` names what it takes.',
    http: 400,
    exit: EXIT.usage,
  }),
  KEY_STORE_BEHIND: define<{ generation: number; stated: number }>({
    message: ({ generation, stated }) =>
      `keys.json is an older copy: its generation is ${generation}, the audit log states ${stated}`,
    remedy:
      'Somebody put an older keys.json back, or a restore did. No record is opened or written. Put the newest keys.json in place and start again; if it is lost, `nectar-byon keys resolve` accepts this one, on record: what newer keys wrapped stays closed, and providers removed since are enrolled again.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_STORE_AHEAD: define<{ generation: number; stated: number }>({
    message: ({ generation, stated }) =>
      `keys.json is newer than the audit log can explain: its generation is ${generation}, the log states ${stated}`,
    remedy:
      'The log was put back to an older copy (`nectar-byon audit verify`), or keys.json comes from another machine with the same root key. No record is opened or written. When you know why, `nectar-byon keys resolve` accepts it, on record.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_STORE_AGREES: define<Record<string, never>>({
    message: () => 'keys.json is the one that the audit log states: there is nothing to resolve',
    remedy: 'Nothing to do.',
    http: 409,
    exit: EXIT.usage,
  }),
  KEY_STORE_MISSING: define<{ path: string }>({
    message: ({ path }) => `there is no key store at ${path}`,
    remedy:
      'The home is not initialised: run `nectar-byon init`. If keys.json was lost, restore it from a backup: without it nothing opens.',
    http: 500,
    exit: EXIT.config,
  }),
  KEY_STORE_EXISTS: define<{ path: string }>({
    message: ({ path }) => `a key store already exists at ${path}`,
    remedy: 'A node is never overwritten. Choose another --home, or `nectar-byon destroy` the old node first.',
    http: 409,
    exit: EXIT.config,
  }),
  KEY_STORE_INVALID: define<{ path: string; problem: string }>({
    message: ({ path, problem }) => `the key store ${path} is damaged: ${problem}`,
    remedy: 'Restore keys.json from a backup. It was altered or cut off; no data was touched.',
    http: 500,
    exit: EXIT.key,
  }),
  KEY_FILE_MISSING: define<{ path: string }>({
    message: ({ path }) => `the key file ${path} is not there`,
    remedy: 'Mount or restore the key file, or unlock with another provider.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_FILE_INVALID: define<{ path: string; bytes: number; expectedBytes: number }>({
    message: ({ path, bytes, expectedBytes }) =>
      `the key file ${path} holds ${bytes} bytes instead of ${expectedBytes}`,
    remedy: 'The key file is cut off or is another file. Restore it from its backup.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_FILE_WRONG: define<{ path: string }>({
    message: ({ path }) => `the key file ${path} does not open this node's root key`,
    remedy: 'This key file belongs to another node, or keys.json was altered. Use the file made at init.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_FILE_INSIDE_HOME: define<{ path: string; home: string }>({
    message: ({ path, home }) => `the key file ${path} lies inside the home ${home} that it opens`,
    remedy:
      'Keep the key file on another volume or a secret mount: beside the data it protects nothing from a stolen disk.',
    http: 500,
    exit: EXIT.config,
  }),
  KEY_FILE_PERMISSIONS: define<{ path: string; mode: string }>({
    message: ({ path, mode }) => `the key file ${path} is not its owner's alone (mode ${mode})`,
    remedy: 'Give it to the user that runs the node, and to nobody else: chown and chmod 600.',
    http: 503,
    exit: EXIT.key,
  }),
  KEY_UNWRAP_INVALID: define<{ kekId: string }>({
    message: ({ kekId }) => `a wrapped data key does not authenticate under ${kekId}`,
    remedy:
      'The index entry was altered or belongs to another record. Run `nectar-byon doctor`, restore the index from a backup.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  KEY_KEK_UNKNOWN: define<{ kekId: string }>({
    message: ({ kekId }) => `the key store names no key-encryption key ${kekId}`,
    remedy: 'keys.json is older than the data. Restore the newer one.',
    http: 500,
    exit: EXIT.key,
  }),
  KEY_KEK_DESTROYED: define<{ kekId: string }>({
    message: ({ kekId }) => `the key-encryption key ${kekId} was destroyed`,
    remedy:
      'The index entry is older than the destruction (`nectar-byon keys retire`): an old index was put back, or a backup of another time. Restore the index that belongs to keys.json.',
    http: 500,
    exit: EXIT.key,
  }),
  KEY_IDENTITY_NAME_INVALID: define<{ name: string }>({
    message: ({ name }) => `${JSON.stringify(name)} is no name for a sealed identity`,
    remedy: 'A bug: names are lower-case letters, digits and hyphens, at most 64.',
    http: 500,
    exit: EXIT.bug,
  }),
  KEY_IDENTITY_MISSING: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} is not there`,
    remedy: 'Restore HOME/identity from a backup.',
    http: 500,
    exit: EXIT.key,
  }),
  KEY_IDENTITY_INVALID: define<{ name: string }>({
    message: ({ name }) => `the sealed identity ${name} does not authenticate`,
    remedy: 'The file was altered, or belongs to another node or name. Restore HOME/identity from a backup.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
};
