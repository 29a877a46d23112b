import { define, EXIT } from './definition.ts';

/** Errors of the node as a whole: lifecycle, home folder, machine. */
export const NODE_ERRORS = {
  NODE_NOT_READY: define<{ service: string; reason: string }>({
    message: ({ service, reason }) => `${service} is not ready: ${reason}`,
    remedy: 'Wait until `nectar-byon status` shows the node ready; `/readyz` names each service that is not.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  NODE_HOME_IN_USE: define<{ home: string }>({
    message: ({ home }) => `another process already runs the node in ${home}`,
    remedy: 'The node is already up. Use `nectar-byon status`, or `nectar-byon down` first.',
    http: 409,
    exit: EXIT.config,
  }),
  NODE_DISK_FULL: define<{ path: string }>({
    message: ({ path }) => `no space left on the device that holds ${path}`,
    remedy:
      'Free space or grow the volume. Nothing acknowledged was lost; the request that met the full disk was not stored.',
    http: 507,
    exit: EXIT.config,
  }),
  NODE_VERSION_SKEW: define<{ service: string; ours: number; theirs: number }>({
    message: ({ service, ours, theirs }) =>
      `${service} speaks version ${theirs} of the protocol between roles, this role version ${ours}`,
    remedy: 'Run every role from the same release: `nectar-byon upgrade` replaces all of them.',
    http: 503,
    exit: EXIT.config,
  }),
  NODE_CONNECTION_LOST: define<{ service: string; operation: string }>({
    message: ({ service, operation }) => `the connection to ${service} broke during ${operation}`,
    remedy:
      'The role stopped or was killed in the middle. Whether a change was made is not known: look before you repeat it, or repeat it with the same Idempotency-Key.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  NODE_MESSAGE_INVALID: define<{ service: string; operation: string; problem: string }>({
    message: ({ service, operation, problem }) => `${service} sent what is no message of ${operation}: ${problem}`,
    remedy:
      'A role does not keep to the protocol between roles: it is damaged or taken over. Stop the node and check its image.',
    http: 502,
    exit: EXIT.checksFailed,
  }),
  NODE_SOCKET_UNUSABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the socket ${path} cannot be used: ${reason}`,
    remedy: 'Name a short folder that the role may write with NECTAR_SOCKETS; a socket path holds at most 107 bytes.',
    http: 500,
    exit: EXIT.config,
  }),
  NODE_KEYS_MISMATCH: define<{ what: string }>({
    message: ({ what }) => `the ${what} that was handed over is not the one of this node`,
    remedy:
      'The volumes of two nodes are mixed up, or another process answers in place of the store: compare the node ids.',
    http: 500,
    exit: EXIT.key,
  }),
  NODE_ROLE_UNHEALTHY: define<{ role: string; reason: string }>({
    message: ({ role, reason }) => `${role} is not usable: ${reason}`,
    remedy:
      "What an engine's health check is told. The reason names the service; `--live` asks only whether the process answers.",
    http: 503,
    exit: EXIT.bug,
  }),
  NODE_INTERNAL: define<{ reference: string }>({
    message: ({ reference }) => `internal error, reference ${reference}`,
    remedy: 'A bug: the node log holds the details under this reference. Please report it.',
    http: 500,
    exit: EXIT.bug,
  }),
};
