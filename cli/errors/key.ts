import { EXIT } from '../../appliance/exit-code.ts';
import type { KEY_ERRORS } from '../../protocol/errors/key.ts';
import type { Guidance } from './guidance.ts';

export const KEY_GUIDANCE: Record<keyof typeof KEY_ERRORS, Guidance> = {
  KEY_LOCKED: {
    exit: EXIT.locked,
    remedy: 'Unlock it with `nectar-byon unlock`, or enrol a key file so that it unlocks by itself.',
  },
  KEY_PASSPHRASE_WRONG: {
    exit: EXIT.key,
    remedy: 'Type it again. Each wrong attempt makes the node wait longer before the next one.',
  },
  KEY_PASSPHRASE_WEAK: {
    exit: EXIT.usage,
    remedy: 'Choose a longer passphrase: four random words are good.',
  },
  KEY_UNLOCK_BUSY: {
    exit: EXIT.locked,
    remedy: 'Wait a minute and try again; many wrong attempts in a row slow the node down on purpose.',
  },
  KEY_PROVIDER_UNAVAILABLE: {
    exit: EXIT.key,
    remedy: 'Unlock with a provider that `nectar-byon keys list` names.',
  },
  KEY_STORE_MISSING: {
    exit: EXIT.config,
    remedy:
      'The home is not initialised: run `nectar-byon init`. If keys.json was lost, restore it from a backup: without it nothing opens.',
  },
  KEY_STORE_EXISTS: {
    exit: EXIT.config,
    remedy: 'A node is never overwritten. Choose another --home, or `nectar-byon destroy` the old node first.',
  },
  KEY_STORE_INVALID: {
    exit: EXIT.key,
    remedy: 'Restore keys.json from a backup. It was altered or cut off; no data was touched.',
  },
  KEY_FILE_MISSING: {
    exit: EXIT.key,
    remedy: 'Mount or restore the key file, or unlock with another provider.',
  },
  KEY_FILE_INVALID: {
    exit: EXIT.key,
    remedy: 'The key file is cut off or is another file. Restore it from its backup.',
  },
  KEY_FILE_WRONG: {
    exit: EXIT.key,
    remedy: 'This key file belongs to another node, or keys.json was altered. Use the file made at init.',
  },
  KEY_FILE_INSIDE_HOME: {
    exit: EXIT.config,
    remedy:
      'Keep the key file on another volume or a secret mount: beside the data it protects nothing from a stolen disk.',
  },
  KEY_FILE_PERMISSIONS: {
    exit: EXIT.key,
    remedy: 'Give it to the user that runs the node, and to nobody else: chown and chmod 600.',
  },
  KEY_UNWRAP_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The index entry was altered or belongs to another record. Run `nectar-byon doctor`, restore the index from a backup.',
  },
  KEY_KEK_UNKNOWN: {
    exit: EXIT.key,
    remedy: 'keys.json is older than the data. Restore the newer one.',
  },
  KEY_IDENTITY_NAME_INVALID: {
    exit: EXIT.bug,
    remedy: 'A bug: names are lower-case letters, digits and hyphens, at most 64.',
  },
  KEY_IDENTITY_MISSING: {
    exit: EXIT.key,
    remedy: 'Restore HOME/identity from a backup.',
  },
  KEY_IDENTITY_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The file was altered, or belongs to another node or name. Restore HOME/identity from a backup.',
  },
};
