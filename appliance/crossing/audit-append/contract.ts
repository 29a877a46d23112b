import { call, contract } from '../contract.ts';
import {
  accessContext,
  count,
  done,
  either,
  exact,
  facts,
  flag,
  hash,
  leafHash,
  list,
  oneOf,
  optional,
  rootHash,
  text,
} from '../shape.ts';

const checkpointShape = exact({ origin: text(256), size: count, root: rootHash, note: text(64 * 1024) });

const event = exact({
  type: text(64),
  outcome: oneOf('success', 'failure'),
  context: accessContext,
  recordId: optional(text(256)),
  patients: optional(list(text(256), 64)),
  version: optional(count),
  detail: optional(facts),
});

/** A tree head of the log that somebody outside has: with the log's own signature, or on the word of whoever read the chain. */
const witnessedHead = either(
  exact({
    size: count,
    root: rootHash,
    where: text(256),
    at: count,
    epoch: optional(count),
    provisional: optional(flag),
  }),
  exact({ note: text(64 * 1024), where: text(256), at: count }),
);

/** What gateway, store and rollup may ask of the log: to add to it, and how far it is. None of it reads an entry. */
export const auditAppend = contract('append', {
  append: call({ args: [event], returns: exact({ index: count, leafHash }) }),
  treeHead: call({ args: [], returns: exact({ size: count, root: rootHash }) }),
  latest: call({
    args: [],
    returns: exact({ size: count, index: optional(count), tokens: optional(count), keys: optional(count) }),
  }),
  /** Hashes that lead from an older size of the log to its newest checkpoint: what a witness asks for. */
  consistency: call({
    args: [count],
    returns: exact({ from: count, checkpoint: checkpointShape, path: list(hash, 64) }),
  }),
  checkpoint: call({ args: [], returns: checkpointShape }),
  witnessed: call({ args: [witnessedHead], returns: done, maxInputBytes: 256 * 1024 }),
  chainHeard: call({ args: [], returns: done }),
});
