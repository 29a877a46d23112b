import { define } from './definition.ts';

const VOLUME_LOSS: Readonly<Record<string, string>> = {
  gone: 'is gone',
  empty: 'is empty',
  replaced: 'is another one',
  unmarked: 'has no `volume.json` that can be read',
};

/** Errors of the node as a whole: lifecycle, home folder, machine. */
export const NODE_ERRORS = {
  NODE_NOT_READY: define<{ service: string; reason: string }>({
    message: ({ service, reason }) => `${service} is not ready: ${reason}`,
  }),
  NODE_HOME_IN_USE: define<{ home: string }>({
    message: ({ home }) => `another process already runs the node in ${home}`,
  }),
  NODE_LOCK_HELD: define<{ path: string; holder: string; seconds: number }>({
    message: ({ path, holder, seconds }) => `${path} has been held for more than ${seconds} s by: ${holder}`,
  }),
  NODE_LOG_TARGET_UNKNOWN: define<{ target: string; known: readonly string[] }>({
    message: ({ target, known }) => `no role or component ${target} writes a log here: ${known.join(', ')} do`,
  }),
  NODE_DISK_FULL: define<{ path: string }>({
    message: ({ path }) => `no space left on the device that holds ${path}`,
  }),
  NODE_VERSION_SKEW: define<{ service: string; ours: number; theirs: number }>({
    message: ({ service, ours, theirs }) =>
      `${service} speaks version ${theirs} of the protocol between roles, this role version ${ours}`,
  }),
  NODE_CONNECTION_LOST: define<{ service: string; operation: string }>({
    message: ({ service, operation }) => `the connection to ${service} broke during ${operation}`,
  }),
  NODE_MESSAGE_INVALID: define<{ service: string; operation: string; problem: string }>({
    message: ({ service, operation, problem }) => `${service} sent an invalid message of ${operation}: ${problem}`,
  }),
  NODE_SOCKET_UNUSABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the socket ${path} cannot be used: ${reason}`,
  }),
  NODE_CROSSING_CERTIFICATE: define<{ folder: string; reason: string }>({
    message: ({ folder, reason }) => `the crossing certificate in ${folder} ${reason}`,
  }),
  NODE_CROSSING_UNTRUSTED: define<{ service: string; reason: string }>({
    message: ({ service, reason }) => `${service} is not trusted at this crossing: ${reason}`,
  }),
  NODE_CROSSING_REFUSED: define<{ caller: string; crossing: string }>({
    message: ({ caller, crossing }) => `${caller} may not call ${crossing}`,
  }),
  NODE_KEYS_MISMATCH: define<{ what: string }>({
    message: ({ what }) => `the ${what} that was handed over is not the one of this node`,
  }),
  NODE_SHELF_CHANGED: define<{ name: string }>({
    message: ({ name }) => `another gateway has changed ${name} in the meantime`,
  }),
  NODE_SHELF_TEXT_INVALID: define<{ name: string; reason: string }>({
    message: ({ name, reason }) => `${name} cannot be kept for the gateways: ${reason}`,
  }),
  NODE_IDENTITY_MISSING: define<{ path: string }>({
    message: ({ path }) =>
      `there is no node yet: ${path} is empty, there is nothing to adopt, and NECTAR_FIRST_START is not "make"`,
  }),
  NODE_IDENTITY_DIFFERENT: define<{ where: string; known: string; found: string }>({
    message: ({ where, known, found }) => `${where} belongs to node ${known}, and the store's keys to node ${found}`,
  }),
  NODE_IDENTITY_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} is not the identity of a node: ${reason}`,
  }),
  NODE_VOLUME_LOST: define<{ path: string; where: string; nodeId: string }>({
    message: ({ path, where, nodeId }) =>
      `${path} is empty, but ${where} belongs to node ${nodeId}: a volume is lost, and no new node is made in its place`,
  }),
  VOLUME_MISSING: define<{ volume: string; place: string; loss: 'gone' | 'empty' | 'replaced' | 'unmarked' }>({
    message: ({ volume, place, loss }) =>
      `the ${volume} volume of the node is missing: ${place} ${VOLUME_LOSS[loss] ?? loss}, and it was filled before`,
  }),
  VOLUME_MARKS_INVALID: define<{ path: string }>({
    message: ({ path }) => `${path} does not say which volumes belong to the node`,
  }),
  NODE_ROLE_UNHEALTHY: define<{ role: string; reason: string }>({
    message: ({ role, reason }) => `${role} is not usable: ${reason}`,
  }),
  NODE_INTERNAL: define<{ reference: string }>({
    message: ({ reference }) => `internal error, reference ${reference}`,
  }),
};
