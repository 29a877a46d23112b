import { EXIT } from '../../appliance/exit-code.ts';
import type { NODE_ERRORS } from '../../protocol/errors/node.ts';
import type { Guidance } from './guidance.ts';

export const NODE_GUIDANCE: Record<keyof typeof NODE_ERRORS, Guidance> = {
  NODE_NOT_READY: {
    exit: EXIT.unreachable,
    remedy: 'Wait until `nectar-byon status` shows the node ready; `/readyz` names each service that is not.',
  },
  NODE_HOME_IN_USE: {
    exit: EXIT.config,
    remedy: 'The node is already up. Use `nectar-byon status`, or `nectar-byon down` first.',
  },
  NODE_LOCK_HELD: {
    exit: EXIT.config,
    remedy:
      'Another command is at work there: let it end, or end the process that is named, and try again. A lock of a process that is gone is free.',
  },
  NODE_LOG_TARGET_UNKNOWN: {
    exit: EXIT.usage,
    remedy:
      'Name one of those, or none for the whole node. A role that is down names no components: `nectar-byon status` says which.',
  },
  NODE_DISK_FULL: {
    exit: EXIT.config,
    remedy:
      'Free space or grow the volume. Nothing acknowledged was lost; the request that met the full disk was not stored.',
  },
  NODE_VERSION_SKEW: {
    exit: EXIT.config,
    remedy: 'Run every role from the same release: `nectar-byon upgrade` replaces all of them.',
  },
  NODE_CONNECTION_LOST: {
    exit: EXIT.unreachable,
    remedy:
      'The role stopped or was killed in the middle. Whether a change was made is not known: look before you repeat it, or repeat it with the same Idempotency-Key.',
  },
  NODE_MESSAGE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'A role does not keep to the protocol between roles: it is damaged or taken over. Stop the node and check its image.',
  },
  NODE_SOCKET_UNUSABLE: {
    exit: EXIT.config,
    remedy:
      'Name a short folder that the role may write with NECTAR_SOCKETS; a socket path holds at most 107 bytes. Where it is an address: another process listens there, see NECTAR_CROSSING_LISTEN.',
  },
  NODE_CROSSING_CERTIFICATE: {
    exit: EXIT.config,
    remedy:
      'Put a current tls.crt, tls.key and ca.crt of this role there (cert-manager does, or `nectar-byon crossings issue`): they are read within seconds, without a restart.',
  },
  NODE_CROSSING_UNTRUSTED: {
    exit: EXIT.config,
    remedy:
      'Compare both sides: the same ca.crt, certificates of this node (`<role>.<instance>.nectar.internal`, that name alone), none expired. While an authority is replaced, ca.crt holds both.',
  },
  NODE_CROSSING_REFUSED: {
    exit: EXIT.config,
    remedy:
      'A role asked for what is not its own: its certificate is in wrong hands, or two roles have been mixed up. Stop that role, and issue new certificates under a new authority.',
  },
  NODE_KEYS_MISMATCH: {
    exit: EXIT.key,
    remedy:
      'The volumes of two nodes are mixed up, or another process answers in place of the store: compare the node ids.',
  },
  NODE_SHELF_CHANGED: {
    exit: EXIT.config,
    remedy: 'Two changes met. Look at what is there now, and repeat yours if it is still wanted.',
  },
  NODE_SHELF_TEXT_INVALID: {
    exit: EXIT.config,
    remedy: 'The file of this name in the folder `gateway` of the store is damaged: put back a copy of a backup.',
  },
  NODE_IDENTITY_MISSING: {
    exit: EXIT.config,
    remedy:
      'Mount keys made by `nectar-byon init --target kubernetes --emit DIR` at NECTAR_ADOPT, or set NECTAR_FIRST_START=make with a root key file.',
  },
  NODE_IDENTITY_DIFFERENT: {
    exit: EXIT.key,
    remedy:
      'Volumes or Secrets of two nodes are mixed up. Nothing was changed: mount the ones that belong together, or empty volumes for a new node.',
  },
  NODE_IDENTITY_INVALID: {
    exit: EXIT.key,
    remedy: 'The keys to be adopted are incomplete or damaged: take the folder that `init --emit` wrote, unchanged.',
  },
  NODE_VOLUME_LOST: {
    exit: EXIT.key,
    remedy:
      "Restore the store's volume from a backup. Only for a node that is to be given up: empty the volumes of all roles, and start anew.",
  },
  VOLUME_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      'Put the volume back where it was. If it is the right one and only its `volume.json` is damaged or gone: `nectar-byon up --own-volume VOLUME` writes it anew and touches no data. Else take the node from a backup: `nectar-byon restore BACKUP --over`. Only where both are lost: `nectar-byon up --start-empty VOLUME` (in a cluster: the value `identity.startEmpty=audit:MARK` of the chart, with the mark named above) begins without what was in it, on record. No data was changed.',
  },
  VOLUME_MARKS_INVALID: {
    exit: EXIT.config,
    remedy: 'The file was altered. Put it back as it was, from a copy of the folder.',
  },
  NODE_ROLE_UNHEALTHY: {
    exit: EXIT.bug,
    remedy:
      "An engine's health check gets this answer. The reason names the service; `--live` asks only whether the process answers.",
  },
  NODE_INTERNAL: {
    exit: EXIT.bug,
    remedy: 'A bug: the node log holds the details under this reference. Please report it.',
  },
};
