import type { Document } from '../document.ts';
import type { MachineFiles } from './machine-files.ts';

/** What an engine told of itself, and the machine to look at for the rest. */
export interface EngineAnswers {
  readonly engine: 'docker' | 'podman';
  readonly info: Document;
  readonly version: Document;
  /** Of the default network; undefined where there is none. */
  readonly bridge: Document | undefined;
  readonly socketPath: string | undefined;
  readonly machine: MachineFiles;
}
