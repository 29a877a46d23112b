import { randomBytes as nodeRandomBytes } from 'node:crypto';
import type { NodeConfig } from './config/index.ts';
import type { Service } from './service.ts';
import type { Logger, Metrics } from './telemetry/index.ts';

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

export interface NodeOptions {
  readonly home: string;
  readonly version: string;
  readonly config: NodeConfig;
}

/** A role on its own meets the others at the sockets of this folder. */
export interface RoleOptions extends NodeOptions {
  readonly sockets: string;
}

export const now = (): number => Date.now();
export const today = (): Date => new Date();
export const randomBytes = (length: number): Uint8Array => new Uint8Array(nodeRandomBytes(length));
