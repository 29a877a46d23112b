import { BODY, call, contract, items, opened, SIGNAL } from '../contract.ts';
import { count, exact, list, nullable, oneOf, text } from '../shape.ts';

const MAX_NAMES = 10_000;
const MAX_NAMES_BYTES = 2 * 1024 * 1024;
/** A removal of so many files, each with a sync of its folder. */
const REMOVAL_TIMEOUT_MS = 600_000;

/** Part of a status that others wait for; a large repository is counted once, at its first use. */
const STANDING_TIMEOUT_MS = 5_000;

const owner = text(1024);
const name = text(128);
const names = list(name, MAX_NAMES);
const kept = exact({ name, bytes: count });
const removed = exact({ objects: count, bytes: count });
const repository = exact({
  owner,
  repository: text(64),
  nodeId: text(64),
  createdAt: text(64),
  checkpointKey: text(512),
  generation: count,
  snapshotAt: text(64),
  bytes: count,
});

/** What the gateway may ask of the backup repositories that are kept for others. */
export const custody = contract('custody', {
  list: call({ args: [owner, oneOf('objects/', 'keys/', 'snapshots/')], returns: items(kept) }),
  read: call({ args: [owner, name], returns: opened(exact({ bytes: count })), freesPieces: true }),
  put: call({ args: [owner, name, BODY, SIGNAL], returns: kept, freesPieces: true }),
  supersede: call({
    args: [owner, names],
    returns: removed,
    maxInputBytes: MAX_NAMES_BYTES,
    timeoutMs: REMOVAL_TIMEOUT_MS,
  }),
  prune: call({
    args: [owner, names],
    returns: removed,
    maxInputBytes: MAX_NAMES_BYTES,
    timeoutMs: REMOVAL_TIMEOUT_MS,
  }),
  repositories: call({ args: [], returns: list(repository, 10_000), timeoutMs: REMOVAL_TIMEOUT_MS }),
  standing: call({
    args: [],
    timeoutMs: STANDING_TIMEOUT_MS,
    returns: exact({
      ...{ repositories: count, bytes: count, fullestBytes: count, quotaBytes: count, refused: count },
      oldestAt: nullable(text(64)),
    }),
  }),
  destroy: call({ args: [owner], returns: removed, timeoutMs: REMOVAL_TIMEOUT_MS }),
});
