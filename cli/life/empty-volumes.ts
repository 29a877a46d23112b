/** What a node can do without: records that have replicas or none, the log, the state that is derived from L1 again. */
export const CAN_START_EMPTY = ['store', 'audit', 'rollup'] as const;
export type EmptyVolume = (typeof CAN_START_EMPTY)[number];
