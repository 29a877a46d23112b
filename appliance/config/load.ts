import { readFileSync, statSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { decodeEditedText } from '../edited-text.ts';
import { homePaths } from './home-paths.ts';
import { configOptions, getAt, setAt } from './options.ts';
import { type NodeConfig, nodeConfigSchema, type SequencerHomeConfig, sequencerHomeSchema } from './schema.ts';

/** A config file larger than this is not ours. */
const MAX_CONFIG_BYTES = 1024 * 1024;

export type ConfigSource = 'default' | 'file' | 'env' | 'flag';

export interface LoadOptions {
  readonly home: string;
  /** Usually process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Dotted path -> value, from the command line. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

export interface LoadedConfig<C = NodeConfig> {
  readonly config: C;
  /** Where each option's value came from, by dotted path. */
  readonly sources: ReadonlyMap<string, ConfigSource>;
}

/** Compiled when first asked for: most commands read no configuration, and this would be a third of their start. */
const validator = (schema: TSchema): (() => ValidateFunction) => {
  let compiled: ValidateFunction | undefined;
  return () => (compiled ??= new Ajv({ allErrors: true, useDefaults: true, strict: true }).compile(schema));
};
const nodeValidator = validator(nodeConfigSchema);
const sequencerHomeValidator = validator(sequencerHomeSchema);

export function configPath(home: string): string {
  return homePaths(home).config;
}

/**
 * The effective configuration of a node: default < file < env < flag (house-style 15).
 *
 * @throws NectarError CONFIG_FILE_MISSING, CONFIG_FILE_INVALID, CONFIG_VALUE_INVALID
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const path = configPath(options.home);
  return resolveConfig(readConfigFile(path), { ...options, path });
}

/** The same for the home of `run sequencer`. */
export function loadSequencerConfig(options: LoadOptions): LoadedConfig<SequencerHomeConfig> {
  const path = configPath(options.home);
  const { merged, sources } = layer(sequencerHomeSchema, readConfigFile(path), options);
  const validate = sequencerHomeValidator();
  if (!validate(merged)) throw invalid(path, validate.errors);
  return { config: merged as SequencerHomeConfig, sources };
}

/** Layers env and flags over an already parsed file, validates the whole, and fills the defaults. */
export function resolveConfig(
  file: Record<string, unknown>,
  options: Omit<LoadOptions, 'home'> & { path: string },
): LoadedConfig {
  const { merged, sources } = layer(nodeConfigSchema, file, options);
  const validate = nodeValidator();
  if (!validate(merged)) throw invalid(options.path, validate.errors);
  return { config: merged as NodeConfig, sources };
}

function layer(
  schema: TSchema,
  file: Record<string, unknown>,
  { env, flags }: Pick<LoadOptions, 'env' | 'flags'>,
): { merged: Record<string, unknown>; sources: Map<string, ConfigSource> } {
  const merged = structuredClone(file);
  const sources = new Map<string, ConfigSource>();
  for (const option of configOptions(schema)) {
    sources.set(option.path, getAt(file, option.path) === undefined ? 'default' : 'file');
    const fromEnv = env?.[option.env];
    if (fromEnv !== undefined && fromEnv !== '') {
      setAt(merged, option.path, parseText(fromEnv, option.schema.type, option.env));
      sources.set(option.path, 'env');
    }
    const fromFlag = flags?.[option.path];
    if (fromFlag !== undefined) {
      setAt(merged, option.path, fromFlag);
      sources.set(option.path, 'flag');
    }
  }
  return { merged, sources };
}

function invalid(path: string, errors: ErrorObject[] | null | undefined): NectarError {
  return new NectarError('CONFIG_FILE_INVALID', { path, problems: describeAll(errors ?? []) });
}

/**
 * The document in a configuration file, as it is written there: nothing is checked or filled in.
 *
 * @throws NectarError CONFIG_FILE_MISSING, CONFIG_FILE_INVALID
 */
export function readConfigFile(path: string): Record<string, unknown> {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > MAX_CONFIG_BYTES) {
      throw new NectarError('CONFIG_FILE_INVALID', { path, problems: [`larger than ${MAX_CONFIG_BYTES} bytes`] });
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof NectarError) throw error;
    throw new NectarError('CONFIG_FILE_MISSING', { path }, { cause: error });
  }
  const text = decodeEditedText(bytes);
  if (text === undefined) throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not UTF-8 text'] });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not valid JSON'] }, { cause: error });
  }
  throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not a JSON object'] });
}

/** An environment variable is text: numbers and booleans are read strictly, arrays are comma-separated. */
export function parseText(text: string, type: string | undefined, option: string): unknown {
  if (type === 'integer' || type === 'number') {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value))
      throw new NectarError('CONFIG_VALUE_INVALID', { option, expected: type });
    return value;
  }
  if (type === 'boolean') {
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw new NectarError('CONFIG_VALUE_INVALID', { option, expected: 'true or false' });
  }
  if (type === 'array')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  return text;
}

function describeAll(errors: readonly ErrorObject[]): string[] {
  return errors.map((error) => {
    const where = error.instancePath.slice(1).replaceAll('/', '.') || 'the file';
    const extra = (error.params as { additionalProperty?: string }).additionalProperty;
    return extra === undefined
      ? `${where} ${error.message ?? 'is invalid'}`
      : `${where} has an unknown option ${extra}`;
  });
}
