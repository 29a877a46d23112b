import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import { configPath, parseText, readConfigFile, resolveConfig } from './load.ts';
import { configOptions, getAt, setAt } from './options.ts';
import { nodeConfigSchema } from './schema.ts';

/** What a change of the configuration file did; `undefined`: the file says nothing of the option, and the default holds. */
export interface ConfigChange {
  readonly option: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Sets one option in the configuration file of a home, or takes it out (`text` undefined). The file is written only when the whole is
 * valid then; what else is in it stays.
 *
 * @throws NectarError CONFIG_VALUE_INVALID, CONFIG_FILE_INVALID, CONFIG_FILE_MISSING, NODE_DISK_FULL
 */
export async function changeConfig(home: string, option: string, text: string | undefined): Promise<ConfigChange> {
  const path = configPath(home);
  const known = configOptions(nodeConfigSchema).find((each) => each.path === option);
  if (known === undefined) {
    throw new NectarError('CONFIG_VALUE_INVALID', {
      option,
      expected: 'the name of an option: `nectar-byon config print` lists them',
    });
  }
  const document = readConfigFile(path);
  const before = getAt(document, option);
  const after = text === undefined ? undefined : parseText(text, known.schema.type, option);
  const changed = structuredClone(document);
  if (after === undefined) removeAt(changed, option);
  else setAt(changed, option, after);
  resolveConfig(changed, { path });
  await replaceFile(path, `${JSON.stringify(changed, undefined, 2)}\n`, 0o600);
  return { option, before, after };
}

function removeAt(root: Record<string, unknown>, path: string): void {
  const steps = path.split('.');
  const last = steps.pop() ?? path;
  const parent = steps.length === 0 ? root : getAt(root, steps.join('.'));
  if (typeof parent === 'object' && parent !== null) delete (parent as Record<string, unknown>)[last];
}
