export { type WitnessConfig, witnessConfig } from './config.ts';
export type { WitnessDeps, WitnessedLog, WitnessOptions } from './needs.ts';
export { type CosignedHead, createWitness, type Witness } from './witness.ts';
