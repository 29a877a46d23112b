import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  configOptions,
  configPath,
  loadConfig,
  nodeConfigSchema,
  readConfigFile,
} from '../../../appliance/config/index.ts';
import type { NodeConfig } from '../../../appliance/config/schema.ts';
import type { NodeSettings } from '../../../hardening/collectors/node-settings.ts';
import { NectarError } from '../../../protocol/errors.ts';

export interface ReadSettings {
  readonly settings: NodeSettings;
  /** The same as `settings.effective`, for whoever composes; undefined where it is not valid. */
  readonly config: NodeConfig | undefined;
}

/** The configuration as it lies there, and as the node would understand it. */
export function readSettings(home: string, env: Readonly<Record<string, string | undefined>>): ReadSettings {
  const problems: string[] = [];
  const trying = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(
        error instanceof NectarError ? error.message : String((error as NodeJS.ErrnoException).code ?? error),
      );
      return undefined;
    }
  };
  const config = trying(() => loadConfig({ home, env }).config);
  const settings: NodeSettings = {
    file: trying(() => readConfigFile(configPath(home))),
    effective: config,
    problems,
    options: configOptions(nodeConfigSchema).map(({ path }) => path),
    descriptor: readIfThere(join(home, 'network.json')),
  };
  return { settings, config };
}

/** Of this machine's interfaces. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
