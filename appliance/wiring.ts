import { randomBytes as nodeRandomBytes } from 'node:crypto';
import type { CrossingsConfig, FirstStart, NodeConfig } from './config/index.ts';
import type { Service } from './service.ts';
import type { Logger, LogLevels, Metrics, NodeLogLevels } from './telemetry/index.ts';

/** The services of one process, in two phases: alive (perhaps locked), then usable. */
export interface Wiring {
  readonly alive: readonly Service[];
  readonly usable: readonly Service[];
  /** The gateway's URL where the process has one; valid once `alive` has started. */
  url(): string | undefined;
  /** Resolves when the second phase may start: the root key is open. */
  whenUsable(signal: AbortSignal): Promise<void>;
  /** After the last service has started, before the first one stops: what the audit log says of the process itself. */
  onStarted(): Promise<void>;
  onStopping(): Promise<void>;
}

export interface WireDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Of a process whose gateway can change how it logs. */
export interface RoleDeps extends WireDeps {
  readonly levels: LogLevels;
}

/** Of a node in one process. */
export interface NodeDeps extends WireDeps {
  readonly logLevels: NodeLogLevels;
}

export interface NodeOptions {
  readonly home: string;
  readonly version: string;
  readonly config: NodeConfig;
}

/** The roles of a node in one process. */
export interface AllOptions extends NodeOptions {
  /** Folder of the sockets: this machine asks there how the node is. */
  readonly sockets: string;
}

/** A role on its own meets the others at crossings; it tells its health at a socket of this folder. */
export interface RoleOptions extends AllOptions {
  readonly crossings: CrossingsConfig;
  /** Of the store: what it does on an empty volume. */
  readonly firstStart: FirstStart;
  /** Aborted when the process is to end. */
  readonly signal: AbortSignal;
}

export const now = (): number => Date.now();
export const today = (): Date => new Date();

/** Salts, nonces and ids are drawn this many bytes at a time: a call into OpenSSL's generator costs as much as hashing 4 KiB. */
const POOL_BYTES = 4096;
const MAX_POOLED_BYTES = 64;
const pool = { bytes: new Uint8Array(0), next: 0 };

/** Fresh random bytes; what was handed out is wiped from the pool, so no key is in memory twice. */
export function randomBytes(length: number): Uint8Array {
  if (length > MAX_POOLED_BYTES) return new Uint8Array(nodeRandomBytes(length));
  if (pool.next + length > pool.bytes.length) {
    pool.bytes = new Uint8Array(nodeRandomBytes(POOL_BYTES));
    pool.next = 0;
  }
  const drawn = pool.bytes.slice(pool.next, pool.next + length);
  pool.bytes.fill(0, pool.next, pool.next + length);
  pool.next += length;
  return drawn;
}
/** Where systemd puts the credentials of this unit, decrypted; undefined outside of one. */
export const credentials = (): string | undefined => process.env.CREDENTIALS_DIRECTORY;
