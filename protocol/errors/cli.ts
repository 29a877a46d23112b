import { define, EXIT } from './definition.ts';

/** Errors of the operator's commands and of the launcher (the CLI_INSTALL_ and CLI_RUNTIME_ ones, raised by scripts/launch.mjs). */
export const CLI_ERRORS = {
  CLI_USAGE: define<{ problem: string }>({
    message: ({ problem }) => problem,
    remedy: 'Run the command with `--help`: it lists every argument and option, with examples.',
    http: 400,
    exit: EXIT.usage,
  }),
  CLI_INTERNAL: define<{ problem: string }>({
    message: ({ problem }) => `unexpected error: ${problem}`,
    remedy: 'A bug: run the command again with NECTAR_DEBUG=1, which shows where it happened, and report that.',
    http: 500,
    exit: EXIT.bug,
  }),
  CLI_INTERRUPTED: define<{ signal: string }>({
    message: ({ signal }) => `interrupted by ${signal}`,
    remedy: 'Nothing is left half done: run the command again when you want to.',
    http: 499,
    exit: EXIT.interrupted,
  }),
  CLI_DECLINED: define<{ action: string }>({
    message: ({ action }) => `${action} was not confirmed`,
    remedy: 'Nothing was changed. Answer the question, or pass `--yes` where no one can be asked.',
    http: 400,
    exit: EXIT.usage,
  }),
  CLI_HOME_MISSING: define<{ home: string }>({
    message: ({ home }) => `there is no node in ${home}`,
    remedy: 'Make one with `nectar-byon init`, or name its folder with `--home DIR` or NECTAR_HOME.',
    http: 404,
    exit: EXIT.usage,
  }),
  CLI_HOME_EXISTS: define<{ home: string }>({
    message: ({ home }) => `${home} already holds a node or other files`,
    remedy:
      'Start that node with `nectar-byon up`, or choose an empty folder with `--home DIR`. Nothing was overwritten.',
    http: 409,
    exit: EXIT.usage,
  }),
  CLI_HOME_UNWRITABLE: define<{ home: string; reason: string }>({
    message: ({ home, reason }) => `the folder ${home} cannot be made or written (${reason})`,
    remedy: 'Choose a folder that you own with `--home DIR`, or have its owner grant you write permission.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_PREFLIGHT_REFUSED: define<{ checks: readonly string[] }>({
    message: ({ checks }) => `this machine is not fit for a node: ${checks.join('; ')}`,
    remedy: 'Put right what the preflight table marks as a failure, then run `nectar-byon init` again.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_TARGET_UNAVAILABLE: define<{ target: string }>({
    message: ({ target }) => `the target ${target} is not available in this version`,
    remedy: 'Use `--target process`.',
    http: 501,
    exit: EXIT.usage,
  }),
  CLI_ENGINE_UNREACHABLE: define<{ engine: string; reason: string }>({
    message: ({ engine, reason }) => `the container engine at ${engine} does not answer (${reason})`,
    remedy:
      'Start Docker or Podman, be in its group or run with sudo, or name its socket with `--engine PATH` or DOCKER_HOST.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  CLI_ENGINE_TOO_OLD: define<{ engine: string; apiVersion: string; minimum: string }>({
    message: ({ engine, apiVersion, minimum }) =>
      `the container engine at ${engine} speaks API ${apiVersion}; ${minimum} is the least`,
    remedy: 'Install Docker Engine 20.10 or newer, or Podman 4 or newer.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_ENGINE_REFUSED: define<{ engine: string; doing: string; status: number; reason: string }>({
    message: ({ engine, doing, status, reason }) =>
      `the container engine at ${engine} refused ${doing}: ${status} ${reason}`,
    remedy: 'The engine gives its reason. Put that right and run the command again: it goes on where it stopped.',
    http: 502,
    exit: EXIT.config,
  }),
  CLI_ENGINE_PORT_TAKEN: define<{ reason: string }>({
    message: ({ reason }) => `a port of the node is taken: ${reason}`,
    remedy: 'Stop what listens there, or choose another port at `init` with `--port` or `--p2p-port`.',
    http: 409,
    exit: EXIT.config,
  }),
  CLI_ENGINE_NAME_TAKEN: define<{ kind: string; name: string }>({
    message: ({ kind, name }) => `the engine has a ${kind} ${name} that is not of this node`,
    remedy: 'It was not touched. Remove or rename it yourself if it is yours, then run the command again.',
    http: 409,
    exit: EXIT.config,
  }),
  CLI_IMAGE_MISSING: define<{ image: string; engine: string }>({
    message: ({ image, engine }) => `the engine at ${engine} has no image ${image}`,
    remedy:
      'Assemble the images with `node scripts/images.ts build`, or load them from a file with `nectar-byon bundle load FILE`.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_CONTAINER_ENDED: define<{ container: string; exitCode: number; reason: string }>({
    message: ({ container, exitCode, reason }) =>
      `the container ${container} ended with exit code ${exitCode}: ${reason}`,
    remedy: 'The last lines of `nectar-byon logs` hold the whole story. Nothing stored was lost.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_TARGET_FILE_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is invalid: ${problems.join('; ')}`,
    remedy: 'Restore the file from a backup, or correct what it says; `nectar-byon up` then converges to it.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_KEY_FILE_OWNER: define<{ path: string; uid: number; reason: string }>({
    message: ({ path, uid, reason }) =>
      `the key file ${path} cannot be given to the user ${uid} of the store container (${reason})`,
    remedy: 'Put it on a file system with owners, or mount that one with this uid and a umask of 0077.',
    http: 500,
    exit: EXIT.key,
  }),
  CLI_NODE_STOPPED: define<{ home: string }>({
    message: ({ home }) => `the node in ${home} is not running`,
    remedy: 'Start it with `nectar-byon up`.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  CLI_NODE_UNREACHABLE: define<{ gateway: string; reason: string }>({
    message: ({ gateway, reason }) => `the node at ${gateway} does not answer (${reason})`,
    remedy: 'See `nectar-byon status` and `nectar-byon logs`; `nectar-byon down` and `up` start it afresh.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  CLI_NODE_START_FAILED: define<{ reason: string; log: string }>({
    message: ({ reason }) => `the node ended while it started: ${reason}`,
    remedy: 'The last lines of `nectar-byon logs` hold the whole story. Nothing stored was lost.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_NODE_START_TIMEOUT: define<{ seconds: number; waitingFor: string }>({
    message: ({ seconds, waitingFor }) => `the node was not ready after ${seconds} s: ${waitingFor}`,
    remedy: 'It keeps on trying in the background: see `nectar-byon status` and `nectar-byon logs`.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  CLI_NODE_STOP_FAILED: define<{ pid: number }>({
    message: ({ pid }) => `process ${pid} of the node does not end`,
    remedy: 'Look at the process; it may hang on a disk that does not answer.',
    http: 500,
    exit: EXIT.unreachable,
  }),
  CLI_TOKEN_UNREADABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the access token file ${path} is unreadable (${reason})`,
    remedy: 'Run as the user that made the node, or make another token with `nectar-byon token create`.',
    http: 401,
    exit: EXIT.key,
  }),
  CLI_GATEWAY_PROBLEM: define<{ status: number; code: string; detail: string }>({
    message: ({ status, code, detail }) => `the node answered ${status} ${code}: ${detail}`,
    remedy: 'The node runs another version than this command, or something else answers on its port.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  CLI_GATEWAY_ANSWER_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `the node's answer is invalid: ${problem}`,
    remedy: 'The node runs another version than this command, or something else answers on its port.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  CLI_FILE_UNREADABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} cannot be read (${reason})`,
    remedy: 'Check the path and its permissions.',
    http: 400,
    exit: EXIT.usage,
  }),
  CLI_FILE_CHANGED: define<{ path: string }>({
    message: ({ path }) => `${path} changed while it was sent`,
    remedy: 'Nothing of it was stored. Put the file again when nothing writes to it.',
    http: 409,
    exit: EXIT.usage,
  }),
  CLI_OUTPUT_EXISTS: define<{ path: string }>({
    message: ({ path }) => `${path} already exists`,
    remedy: 'Choose another name, or overwrite it with `--force`.',
    http: 409,
    exit: EXIT.usage,
  }),
  CLI_OUTPUT_UNWRITABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} cannot be written (${reason})`,
    remedy: 'Choose a place that exists and that you may write to.',
    http: 400,
    exit: EXIT.usage,
  }),
  CLI_TRANSFER_TRUNCATED: define<{ expected: number; received: number }>({
    message: ({ expected, received }) => `the answer ended after ${received} of ${expected} bytes`,
    remedy:
      'Nothing was written. The node stops where bytes do not authenticate: see `nectar-byon logs`, then try again.',
    http: 502,
    exit: EXIT.checksFailed,
  }),
  CLI_PASSPHRASE_MISSING: define<Record<string, never>>({
    message: () => 'a passphrase is needed and no one can be asked for it',
    remedy:
      'Run on a terminal, or name a file that holds it with `--passphrase-file PATH`, or pipe it in (`--passphrase-file -`).',
    http: 400,
    exit: EXIT.key,
  }),
  CLI_PASSPHRASE_WEAK: define<{ minimum: number }>({
    message: ({ minimum }) => `the passphrase has fewer than ${minimum} characters`,
    remedy: 'Choose a longer one: four or more random words are strong and easy to type.',
    http: 400,
    exit: EXIT.key,
  }),
  CLI_AUDIT_VIOLATED: define<{ integrity: string; completeness: string }>({
    message: ({ integrity, completeness }) =>
      `the audit log is not intact: integrity ${integrity}, completeness ${completeness}`,
    remedy: 'Keep the home and its disk as they are, and compare with an older checkpoint or the anchors on the chain.',
    http: 409,
    exit: EXIT.checksFailed,
  }),
  CLI_DOCTOR_FOUND: define<{ failures: readonly string[] }>({
    message: ({ failures }) =>
      `the doctor found ${failures.length === 1 ? 'a problem' : 'problems'}: ${failures.join('; ')}`,
    remedy: 'Each line of the table says what to do about it.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  CLI_DEVNET_MISSING: define<{ devnet: string }>({
    message: ({ devnet }) => `there is no devnet in ${devnet}`,
    remedy:
      'Make and start one with `nectar-byon devnet up`, or name its folder with `--devnet DIR` or NECTAR_DEVNET_HOME.',
    http: 404,
    exit: EXIT.usage,
  }),
  CLI_DEVNET_FAILED: define<{ part: string; reason: string }>({
    message: ({ part, reason }) => `the devnet's ${part} did not start: ${reason}`,
    remedy:
      'The logs folder of the devnet holds the whole story; `nectar-byon devnet up` tries again and keeps its state.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_DEVNET_PEER_UNKNOWN: define<{ peer: string }>({
    message: ({ peer }) => `no node with the peer id ${peer} has applied to this devnet`,
    remedy: 'List the members with `nectar-byon network peers`.',
    http: 404,
    exit: EXIT.usage,
  }),
  CLI_JOIN_TIMEOUT: define<{ seconds: number; waitingFor: string }>({
    message: ({ seconds, waitingFor }) => `the node was not admitted to the network within ${seconds} s: ${waitingFor}`,
    remedy:
      'The node runs and serves you all the same. See `nectar-byon network status`; `nectar-byon network join` tries again.',
    http: 504,
    exit: EXIT.unreachable,
  }),
  CLI_INSTALL_NPM_MISSING: define<Record<string, never>>({
    message: () => 'npm is not on the PATH',
    remedy: 'Install npm (it comes with Node.js), then run this again.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_INSTALL_OFFLINE: define<Record<string, never>>({
    message: () => 'the package registry does not answer',
    remedy: 'Connect this machine to the network, or set a proxy or mirror with `npm config set`, then run this again.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  CLI_INSTALL_FAILED: define<Record<string, never>>({
    message: () => 'npm ci ended with an error',
    remedy: 'Read what npm says; nothing was started. Run this again to retry.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_INSTALL_BROKEN: define<Record<string, never>>({
    message: () => 'the clone is incomplete or cannot be written',
    remedy: 'Check that you may write to the clone, then run this again; or clone it again.',
    http: 500,
    exit: EXIT.config,
  }),
  CLI_RUNTIME_MISSING: define<Record<string, never>>({
    message: () => 'no Node that runs TypeScript as it stands',
    remedy: 'Install Node.js 24.7 or newer and put it first in the PATH.',
    http: 500,
    exit: EXIT.config,
  }),
};
