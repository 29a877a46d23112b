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
  NODE_ROLE_UNAVAILABLE: define<{ role: string }>({
    message: ({ role }) => `role ${role} does not run on its own in this version`,
    remedy: 'Run every role in one process with `nectar-byon run all`.',
    http: 501,
    exit: EXIT.usage,
  }),
  NODE_INTERNAL: define<{ reference: string }>({
    message: ({ reference }) => `internal error, reference ${reference}`,
    remedy: 'A bug: the node log holds the details under this reference. Please report it.',
    http: 500,
    exit: EXIT.bug,
  }),
};
