import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { PROVIDERS } from '../appliance/keys/index.ts';
import { NectarError } from '../protocol/errors.ts';

type Provider = (typeof PROVIDERS)[number];

/** A setting of a provider, as its schema says it. */
interface SettingSchema {
  readonly type?: string;
  readonly description?: string;
  /** A path on this machine. */
  readonly file?: boolean;
}

/** Adds an option for each setting of the providers; a list of words is what follows `--`, as it is. */
export function addSettingOptions(verb: Command, providers: readonly Provider[]): Command {
  const added = new Set<string>();
  for (const [name, { type, file, description = '' }] of providers.flatMap(settingsOf)) {
    if (type === 'array' || added.has(name)) continue;
    added.add(name);
    verb.addOption(new Option(`--${kebab(name)} <${file === true ? 'file' : 'value'}>`, description));
  }
  return verb;
}

/** The word list of a provider that takes one, for its usage line. */
export function operandsOf(provider: Provider): string {
  return settingsOf(provider).some(([, { type }]) => type === 'array') ? ' [words...]' : '';
}

/** What was given on the command line, as the provider's settings: paths made whole, since the node's folder is not ours. */
export function readSettings(
  provider: Provider,
  { options, words }: { readonly options: Readonly<Record<string, unknown>>; readonly words: readonly string[] },
): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, { type, file, description = '' }] of settingsOf(provider)) {
    const given = type === 'array' ? (words.length === 0 ? undefined : words) : options[name];
    if (given !== undefined) settings[name] = file === true ? resolve(String(given)) : given;
    else if (isRequired(provider, name)) {
      const what = type === 'array' ? 'after --' : `--${kebab(name)}`;
      throw new NectarError('CLI_USAGE', { problem: `name ${what}: ${description}` });
    }
  }
  return settings;
}

function settingsOf({ settings }: Provider): [string, SettingSchema][] {
  return Object.entries(settings) as [string, SettingSchema][];
}

/** Typebox marks the optional ones. */
function isRequired({ settings }: Provider, name: string): boolean {
  return (settings[name] as { '~optional'?: unknown } | undefined)?.['~optional'] === undefined;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
