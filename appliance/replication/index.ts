export { type ReplicationConfig, replicationConfig } from './config.ts';
export { createReplication, type Replication, type ReplicationDeps } from './replication.ts';
