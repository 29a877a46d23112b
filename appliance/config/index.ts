export { type ConfigChange, changeConfig } from './change.ts';
export { type CrossingsConfig, crossingsConfig } from './crossings.ts';
export { type FirstStart, firstStartOf } from './first-start.ts';
export { type HomePaths, homePaths, type LockedRole, socketsFolder } from './home-paths.ts';
export {
  encodeIdentityFile,
  findIdentityFile,
  type PublicIdentity,
  parseIdentity,
  readDescriptor,
  readDevnetKey,
  readPublicIdentity,
} from './identity.ts';
export {
  type ConfigSource,
  configPath,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  loadSequencerConfig,
  readConfigFile,
  resolveConfig,
} from './load.ts';
export { configOptions } from './options.ts';
export { type PrintedOption, printConfig } from './print.ts';
export { type NodeConfig, nodeConfigSchema, type SequencerHomeConfig } from './schema.ts';
