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
    remedy:
      'Choose four or more words at random: they are strong and easy to type. A password with a digit at its end is not.',
  },
  KEY_PASSPHRASE_INVALID: {
    exit: EXIT.usage,
    remedy: 'Type it, or write it into the file as plain UTF-8 text on one line.',
  },
  KEY_UNLOCK_BUSY: {
    exit: EXIT.locked,
    remedy: 'Wait a minute and try again; many wrong attempts in a row slow the node down on purpose.',
  },
  KEY_PROVIDER_UNAVAILABLE: {
    exit: EXIT.key,
    remedy: 'Unlock with a provider that `nectar-byon keys list` names.',
  },
  KEY_PROVIDER_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'Name one of those; `nectar-byon keys enroll --help` describes them.',
  },
  KEY_PROVIDER_UNSUPPORTED: {
    exit: EXIT.usage,
    remedy:
      'The store of a node in containers starts no programs: use a key file (a mounted secret) or a passphrase there. As a process (--target process) a node takes every provider.',
  },
  KEY_PROVIDER_ABSENT: {
    exit: EXIT.usage,
    remedy: '`nectar-byon keys list` shows the ids.',
  },
  KEY_PROVIDER_LAST: {
    exit: EXIT.usage,
    remedy: 'Enrol another provider first, or bring an enrolled one back (its file, device or token is not there now).',
  },
  KEY_ROOT_PROVIDER_CLOSED: {
    exit: EXIT.key,
    remedy:
      'Nothing was changed. Bring it back (its file, device or token), or give its passphrase; or let it go with `--without ID`, and enrol it anew afterwards.',
  },
  KEY_ROOT_DERIVED: {
    exit: EXIT.usage,
    remedy: 'Run `nectar-byon keys rotate` and `nectar-byon keys retire` first: they take those keys from the list.',
  },
  KEY_ROOT_UNSETTLED: {
    exit: EXIT.key,
    remedy:
      'The node seals them within seconds: try again. If it stays so, `nectar-byon logs` says which identity stands in the way.',
  },
  KEY_ROOT_INDEX_PENDING: {
    exit: EXIT.key,
    remedy:
      'Start the node anew (`nectar-byon down`, `nectar-byon up`), then try again. If it stays so, `nectar-byon logs` says what stands in the way: a full disk, or a damaged index, which `nectar-byon fsck` mends.',
  },
  KEY_ROOT_REKEYING: {
    exit: EXIT.usage,
    remedy: 'Let it come to its end first: `nectar-byon keys rekey` goes on with it.',
  },
  KEY_PROVIDERS_FULL: {
    exit: EXIT.usage,
    remedy: 'Remove one that is not used any more: `nectar-byon keys remove ID`.',
  },
  KEY_ENROLMENT_INVALID: {
    exit: EXIT.usage,
    remedy: '`nectar-byon keys enroll PROVIDER --help` names what it takes.',
  },
  KEY_STORE_BEHIND: {
    exit: EXIT.key,
    remedy:
      'Somebody put an older keys.json back, or a restore did. Put the newest keys.json in place, and start again if the node was started with the older one. If it is lost: a node that ran when it was put back still has the newest in memory, and `nectar-byon keys resolve` writes that; one that was started with the older copy accepts it by `keys resolve`, on record: what newer keys wrapped stays closed, and providers removed since are enrolled again.',
  },
  KEY_STORE_AHEAD: {
    exit: EXIT.key,
    remedy:
      'The log was put back to an older copy (`nectar-byon audit verify`), or keys.json comes from another machine with the same root key. No record is opened or written. When you know why, `nectar-byon keys resolve` accepts it, on record.',
  },
  KEY_STORE_AGREES: {
    exit: EXIT.usage,
    remedy: 'Nothing to do.',
  },
  KEY_STORE_MISSING: {
    exit: EXIT.config,
    remedy:
      'It was lost, or somebody took it away. A node that runs has it in memory: `nectar-byon keys resolve` writes it anew, before it is stopped. Otherwise put keys.json back from a backup: without it nothing opens. A folder that never was a node is made one by `nectar-byon init`.',
  },
  KEY_STORE_EXISTS: {
    exit: EXIT.config,
    remedy: 'A node is never overwritten, so nothing was changed. Choose another folder with `--home`.',
  },
  KEY_STORE_INVALID: {
    exit: EXIT.key,
    remedy:
      'It was altered or cut off; no data was touched. A node that runs has it in memory: `nectar-byon keys resolve` writes it anew, before it is stopped. Otherwise restore keys.json from a backup.',
  },
  KEY_FILE_UNNAMED: {
    exit: EXIT.key,
    remedy: 'Name it with `--key-file FILE`, or give a passphrase with `--passphrase-file FILE` where one is enrolled.',
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
  KEY_TOOL_FAILED: {
    exit: EXIT.key,
    remedy:
      'Try the program by hand as the user that runs the node. `ENOENT`: it is not installed (tpm2-tools, opensc). A TPM that refuses has seen the machine boot otherwise (firmware, Secure Boot): unlock by another provider, then `nectar-byon keys change ID`.',
  },
  KEY_PROGRAM_UNSAFE: {
    exit: EXIT.key,
    remedy:
      'It must be named by its whole path, belong to root or to the user that runs the node, and be writable by nobody else.',
  },
  KEY_CREDENTIAL_MISSING: {
    exit: EXIT.key,
    remedy:
      'Put LoadCredentialEncrypted=NAME:FILE into the unit that runs `nectar-byon run all`, and start the node by it: `nectar-byon up` gives a node no credentials.',
  },
  KEY_SECRET_SHORT: {
    exit: EXIT.key,
    remedy:
      'Make a random one: `head -c 32 /dev/urandom | base64`. It is used as it is: no passphrase of a person is long enough.',
  },
  KEY_SECRET_WRONG: {
    exit: EXIT.key,
    remedy:
      'It gives another secret than when it was enrolled. Unlock by another provider, then `nectar-byon keys change ID`.',
  },
  KEY_OFFICER_INVALID: {
    exit: EXIT.usage,
    remedy: 'Ask the officer for a public key that is in force and can encrypt: `gpg --armor --export NAME`.',
  },
  KEY_SHARE_INVALID: {
    exit: EXIT.key,
    remedy: 'Each officer decrypts their own message of the kit (`gpg --decrypt`), and gives what comes out as it is.',
  },
  KEY_SHARES_MISSING: {
    exit: EXIT.key,
    remedy: 'Ask further officers; name each decrypted share with --share.',
  },
  KEY_SHARES_WRONG: {
    exit: EXIT.key,
    remedy:
      'They are of another node, or keys.json is damaged: look at the node id in a share, and restore keys.json from a backup.',
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
  KEY_KEK_DESTROYED: {
    exit: EXIT.key,
    remedy:
      'The index entry is older than the destruction (`nectar-byon keys retire`): an old index was put back, or a backup of another time. Restore the index that belongs to keys.json.',
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
