export {
  type ConfigSource,
  configPath,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  resolveConfig,
} from './load.ts';
export { type ConfigOption, configOptions, envName } from './options.ts';
export { type PrintedOption, printConfig } from './print.ts';
export { type NodeConfig, nodeConfigSchema } from './schema.ts';
