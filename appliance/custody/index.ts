export { type CustodyConfig, custodyConfig } from './config.ts';
export { type CustodyDependencies, type CustodyOptions, createCustody } from './custody.ts';
export type * from './interfaces.ts';
