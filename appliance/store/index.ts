export { type StoreConfig, storeConfig } from './config.ts';
export type { StoreOptions } from './core.ts';
export type * from './interfaces.ts';
export type * from './needs.ts';
export type * from './rekey-state.ts';
export type * from './replicas.ts';
export { createStore } from './store.ts';
