export { type ReplicationConfig, replicationConfig } from './config.ts';
export type { ReplicationDeps } from './needs.ts';
export { createReplication, type Replication } from './replication.ts';
