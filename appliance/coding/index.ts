export { type CodingThread, createCodingThread } from './coding-thread.ts';
export { nodeShardCrypto } from './shard-crypto.ts';
