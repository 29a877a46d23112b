import { define } from './definition.ts';

/** Errors of the operator's commands and of the launcher (the CLI_INSTALL_ and CLI_RUNTIME_ ones, raised by scripts/launch.mjs). */
export const CLI_ERRORS = {
  CLI_USAGE: define<{ problem: string }>({
    message: ({ problem }) => problem,
  }),
  CLI_INTERNAL: define<{ problem: string }>({
    message: ({ problem }) => `unexpected error: ${problem}`,
  }),
  /** `left`: what stays, with the command that goes on; absent where nothing does. */
  CLI_INTERRUPTED: define<{ signal: string; left?: string }>({
    message: ({ signal, left }) => `interrupted by ${signal}${left === undefined ? '' : `: ${left}`}`,
  }),
  CLI_SERVICE_REFUSED: define<{ by: string; reason: string }>({
    message: ({ by, reason }) => `${by} refused the service: ${reason}`,
  }),
  CLI_DECLINED: define<{ action: string }>({
    message: ({ action }) => `${action} was not confirmed`,
  }),
  CLI_HOME_MISSING: define<{ home: string }>({
    message: ({ home }) => `there is no node in ${home}`,
  }),
  CLI_HOME_EXISTS: define<{ home: string }>({
    message: ({ home }) => `${home} already holds a node or other files`,
  }),
  CLI_HOME_UNWRITABLE: define<{ home: string; reason: string }>({
    message: ({ home, reason }) => `the folder ${home} cannot be made or written (${reason})`,
  }),
  CLI_PREFLIGHT_REFUSED: define<{ checks: readonly string[] }>({
    message: ({ checks }) => `this machine is not fit for a node: ${checks.join('; ')}`,
  }),
  CLI_ENGINE_UNREACHABLE: define<{ engine: string; reason: string }>({
    message: ({ engine, reason }) => `the container engine at ${engine} does not answer (${reason})`,
  }),
  CLI_ENGINE_TOO_OLD: define<{ engine: string; apiVersion: string; minimum: string }>({
    message: ({ engine, apiVersion, minimum }) =>
      `the container engine at ${engine} speaks API ${apiVersion}; ${minimum} or newer is needed`,
  }),
  CLI_ENGINE_REFUSED: define<{ engine: string; doing: string; status: number; reason: string }>({
    message: ({ engine, doing, status, reason }) =>
      `the container engine at ${engine} refused ${doing}: ${status} ${reason}`,
  }),
  CLI_ENGINE_PORT_TAKEN: define<{ reason: string }>({
    message: ({ reason }) => `a port of the node is taken: ${reason}`,
  }),
  CLI_ENGINE_NAME_TAKEN: define<{ kind: string; name: string }>({
    message: ({ kind, name }) => `the engine has a ${kind} ${name} that is not of this node`,
  }),
  CLI_IMAGE_MISSING: define<{ image: string; engine: string }>({
    message: ({ image, engine }) => `the engine at ${engine} has no image ${image}`,
  }),
  CLI_CONTAINER_ENDED: define<{ container: string; exitCode: number; reason: string }>({
    message: ({ container, exitCode, reason }) =>
      `the container ${container} ended with exit code ${exitCode}: ${reason}`,
  }),
  CLI_TARGET_FILE_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is invalid: ${problems.join('; ')}`,
  }),
  CLI_CROSSINGS_FOLDER_INVALID: define<{ folder: string; reason: string }>({
    message: ({ folder, reason }) => `${folder} holds no authority of this node's crossings: ${reason}`,
  }),
  CLI_SECRET_FILE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} is not the Secret that is needed: ${reason}`,
  }),
  CLI_KEY_FILE_OWNER: define<{ path: string; uid: number; reason: string }>({
    message: ({ path, uid, reason }) =>
      `the key file ${path} cannot be given to the user ${uid} of the store container (${reason})`,
  }),
  CLI_NODE_STOPPED: define<{ home: string }>({
    message: ({ home }) => `the node in ${home} is not running`,
  }),
  CLI_NODE_UNREACHABLE: define<{ gateway: string; reason: string }>({
    message: ({ gateway, reason }) => `the node at ${gateway} does not answer (${reason})`,
  }),
  CLI_NODE_START_FAILED: define<{ reason: string; log: string }>({
    message: ({ reason }) => `the node ended while it started: ${reason}`,
  }),
  CLI_NODE_START_TIMEOUT: define<{ seconds: number; waitingFor: string }>({
    message: ({ seconds, waitingFor }) => `the node was not ready after ${seconds} s: ${waitingFor}`,
  }),
  CLI_NODE_STOP_FAILED: define<{ pid: number }>({
    message: ({ pid }) => `process ${pid} of the node does not end`,
  }),
  CLI_TOKEN_UNREADABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path}, which the command line needs to reach the node, is unreadable (${reason})`,
  }),
  CLI_GATEWAY_PROBLEM: define<{ status: number; code: string; detail: string }>({
    message: ({ status, code, detail }) => `the node answered ${status} ${code}: ${detail}`,
  }),
  CLI_GATEWAY_ANSWER_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `the node's answer is invalid: ${problem}`,
  }),
  CLI_FILE_UNREADABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} cannot be read (${reason})`,
  }),
  CLI_DISK_REFUSED: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the disk refuses ${path} (${reason})`,
  }),
  CLI_FILE_CHANGED: define<{ path: string }>({
    message: ({ path }) => `${path} changed while it was sent`,
  }),
  CLI_INPUT_EMPTY: define<{ input: string }>({
    message: ({ input }) => `${input === '-' ? 'stdin' : input} gave no bytes`,
  }),
  CLI_COMMAND_FAILED: define<{ command: string; reason: string }>({
    message: ({ command, reason }) => `the command ${command} ${reason}`,
  }),
  CLI_PUT_INCOMPLETE: define<{ failed: number; total: number; files: readonly string[] }>({
    message: ({ failed, total, files }) =>
      `${failed} of ${total} files ${failed === 1 ? 'was' : 'were'} not stored: ${files.join(', ')}${files.length < failed ? `, and ${failed - files.length} more` : ''}`,
  }),
  CLI_OUTPUT_EXISTS: define<{ path: string }>({
    message: ({ path }) => `${path} already exists`,
  }),
  CLI_OUTPUT_UNWRITABLE: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} cannot be written (${reason})`,
  }),
  CLI_TRANSFER_TRUNCATED: define<{ expected: number; received: number }>({
    message: ({ expected, received }) => `the answer ended after ${received} of ${expected} bytes`,
  }),
  CLI_RECORD_UNKNOWN: define<{ digits: string }>({
    message: ({ digits }) => `no record has an id that begins with ${digits}`,
  }),
  CLI_RECORD_AMBIGUOUS: define<{ digits: string; records: readonly string[] }>({
    message: ({ digits, records }) => `several records begin with ${digits}: ${records.join(', ')}`,
  }),
  CLI_RECORD_CHANGED: define<{ version: number }>({
    message: ({ version }) => `version ${version} of the record changed after the transfer began`,
  }),
  CLI_DOWNLOAD_DAMAGED: define<{ path: string }>({
    message: ({ path }) => `${path} does not have the digest of what was stored`,
  }),
  CLI_PASSPHRASE_MISSING: define<Record<string, never>>({
    message: () => 'a passphrase is needed and no one can be asked for it',
  }),
  CLI_PASSPHRASE_WEAK: define<{ minimum: number }>({
    message: ({ minimum }) => `the passphrase has fewer than ${minimum} characters`,
  }),
  CLI_AUDIT_VIOLATED: define<{ integrity: string; completeness: string }>({
    message: ({ integrity, completeness }) =>
      `the audit log is not intact: integrity ${integrity}, completeness ${completeness}`,
  }),
  CLI_DOCTOR_FOUND: define<{ failures: readonly string[] }>({
    message: ({ failures }) =>
      `the doctor found ${failures.length === 1 ? 'a problem' : 'problems'}: ${failures.join('; ')}`,
  }),
  CLI_DEVNET_MISSING: define<{ devnet: string }>({
    message: ({ devnet }) => `there is no devnet in ${devnet}`,
  }),
  CLI_DEVNET_OUTDATED: define<{ devnet: string; at: string; problem: string }>({
    message: ({ devnet, at, problem }) =>
      `the devnet in ${devnet} was made by another version of this program (${at}: ${problem})`,
  }),
  CLI_DEVNET_FAILED: define<{ part: string; reason: string }>({
    message: ({ part, reason }) => `the devnet's ${part} did not start: ${reason}`,
  }),
  CLI_DEVNET_SILENT: define<{ part: string; url: string; seconds: number }>({
    message: ({ part, url, seconds }) => `the devnet's ${part} runs, and has not answered at ${url} for ${seconds} s`,
  }),
  CLI_DEVNET_PORT_TAKEN: define<{ part: string; port: number; holder?: string }>({
    message: ({ part, port, holder }) =>
      `port ${port} of the devnet's ${part} is taken by another program${holder === undefined ? '' : ` (${holder})`}`,
  }),
  CLI_DEVNET_PEER_UNKNOWN: define<{ peer: string }>({
    message: ({ peer }) => `no node with the peer id ${peer} has applied to this devnet`,
  }),
  CLI_JOIN_TIMEOUT: define<{ seconds: number; waitingFor: string }>({
    message: ({ seconds, waitingFor }) => `the node was not admitted to the network within ${seconds} s: ${waitingFor}`,
  }),
  CLI_INSTALL_NPM_MISSING: define<Record<string, never>>({
    message: () => 'npm is not on the PATH',
  }),
  CLI_INSTALL_OFFLINE: define<Record<string, never>>({
    message: () => 'the package registry does not answer',
  }),
  CLI_INSTALL_FAILED: define<Record<string, never>>({
    message: () => 'npm ci ended with an error',
  }),
  CLI_INSTALL_BROKEN: define<Record<string, never>>({
    message: () => 'the clone is incomplete or cannot be written',
  }),
  CLI_RUNTIME_MISSING: define<Record<string, never>>({
    message: () => 'no Node.js here runs TypeScript without a build',
  }),
};
