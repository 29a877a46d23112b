import type {
  Audit,
  AuditInput,
  FileGenerations,
  IssuedCheckpoint,
  SignedHead,
  WitnessedHead,
} from '../../audit/index.ts';
import { unary } from '../method.ts';
import {
  accessContext,
  count,
  either,
  exact,
  facts,
  flag,
  hash,
  list,
  nothing,
  oneOf,
  optional,
  shape,
  text,
} from '../shape.ts';

type Appended = Awaited<ReturnType<Audit['append']>>;
type TreeHead = ReturnType<Audit['treeHead']>;

export const checkpointShape = shape<IssuedCheckpoint>(
  exact({ origin: text(256), size: count, root: hash, note: text(64 * 1024) }),
);

/** Hashes that lead from an older size of the log to its newest checkpoint: what a witness asks for. */
export const consistency = unary<{ from: number }, Awaited<ReturnType<Audit['consistency']>>>({
  name: 'consistency',
  input: shape(exact({ from: count })),
  output: shape(exact({ from: count, checkpoint: checkpointShape.schema, path: list(hash, 64) })),
});

export const append = unary<AuditInput, Appended>({
  name: 'append',
  input: shape(
    exact({
      type: text(64),
      outcome: oneOf('success', 'failure'),
      context: accessContext,
      recordId: optional(text(256)),
      patients: optional(list(text(256), 64)),
      version: optional(count),
      detail: optional(facts),
    }),
  ),
  output: shape(exact({ index: count, leafHash: hash })),
});

export const treeHead = unary<null, TreeHead>({
  name: 'tree-head',
  input: shape(nothing),
  output: shape(exact({ size: count, root: hash })),
});

export const latest = unary<null, FileGenerations>({
  name: 'latest',
  input: shape(nothing),
  output: shape(exact({ size: count, index: optional(count), tokens: optional(count), keys: optional(count) })),
});

export const checkpoint = unary<null, IssuedCheckpoint>({
  name: 'checkpoint',
  input: shape(nothing),
  output: checkpointShape,
});

/** A tree head of the log that somebody outside has: with the log's own signature, or on the word of whoever read the chain. */
export const witnessed = unary<WitnessedHead | SignedHead, null>({
  name: 'witnessed',
  input: shape(
    either(
      exact({ size: count, root: hash, where: text(256), at: count, provisional: optional(flag) }),
      exact({ note: text(64 * 1024), where: text(256), at: count }),
    ),
  ),
  output: shape(nothing),
  maxInputBytes: 256 * 1024,
});
