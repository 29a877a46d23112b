import type { Static } from 'typebox';
import type { AuditEntry, AuditVerdict } from '../../audit/index.ts';
import { call, contract, newest, OPTIONAL_SIGNAL, STREAM, TIMEOUT } from '../contract.ts';
import {
  accessContext,
  count,
  exact,
  exactly,
  flag,
  hash,
  leafHash,
  list,
  nullable,
  number,
  oneOf,
  optional,
  rootHash,
  shown,
  text,
  texts,
} from '../shape.ts';
import { serviceStates } from '../state.ts';

/** A thousand entries, each with a body of at most 64 KiB, and what JSON adds. */
const MAX_ENTRIES_BYTES = 96 * 1024 * 1024;
const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ANCHORS = 1024;
/** A patient's records that one question names, 35 bytes of JSON each. */
const MAX_RECORDS = 10_000;
const MAX_QUERY_BYTES = 512 * 1024;
const MAX_LOGGED_TOKENS = 4_096;
/** 128 of reports and backups, 512 waivers. */
const MAX_LOGGED_NOTES = 640;

const head = exact({ size: count, root: rootHash, where: text(256) });
const externalHead = exact({ size: count, root: rootHash, where: text(256), at: count, epoch: optional(count) });
const epoch = exact({
  number: count,
  start: count,
  origin: text(256),
  at: count,
  cause: oneOf('restore', 'resolve'),
  from: count,
  outside: optional(head),
  lost: optional(count),
});
/** Restores of one log: each is a decision of a person. */
const epochs = list(epoch, 10_000);
const conflict = exact({
  code: oneOf('AUDIT_TRUNCATED', 'AUDIT_FORKED'),
  head: externalHead,
  size: count,
  root: rootHash,
  at: count,
  reason: text(1024),
});
const standing = exact({
  size: count,
  root: rootHash,
  epochs,
  external: nullable(externalHead),
  conflict: nullable(conflict),
  chain: oneOf('waiting', 'held', 'silent'),
  nextErasure: optional(text(64)),
});
const auditState = exact({ services: serviceStates, standing: nullable(standing) });
export type AuditState = Static<typeof auditState>;

const outcome = oneOf('success', 'failure');
const leaf = exact({ v: exactly(1), time: text(64), type: text(64), outcome, bodyHash: hash });
const entry = exact({ index: count, leafHash, leaf, body: optional(shown<AuditEntry['body']>()) });
const anchor = exact({ size: count, root: rootHash, where: text(256), at: optional(count) });
const told = list(exact({ note: text(64 * 1024), where: text(256), at: count }), 16);
const filter = exact({
  record: optional(text(256)),
  patient: optional(text(256)),
  actor: optional(text(256)),
  since: optional(text(64)),
  until: optional(text(64)),
  type: optional(text(64)),
  outcome: optional(outcome),
  disclosures: optional(exactly(true)),
});
const records = optional(list(text(64), MAX_RECORDS));
const query = exact({ filter, records, limit: count, after: optional(count), cursor: optional(text(64)) });
const page = exact({
  entries: list(entry, 1_000),
  cursor: optional(text(64)),
  from: count,
  to: count,
  undecided: count,
});
const exported = exact({ filter, records, bodies: flag, allLeaves: flag, anchors: list(anchor, MAX_ANCHORS) });
const proof = exact({
  v: exactly(1),
  kind: exactly('nectar-audit-proof'),
  index: count,
  size: count,
  leaf: text(4096),
  path: list(hash, 64),
  checkpoint: text(64 * 1024),
  vkey: text(512),
  salt: optional(text(128)),
  body: optional(text(512 * 1024)),
});
const loggedToken = exact({
  id: text(64),
  subject: text(1024),
  name: optional(text(1024)),
  scope: text(1024),
  pathHash: optional(text(64)),
  createdAt: text(64),
  expiresAt: text(64),
  revokedAt: optional(text(64)),
  certificate: optional(text(512)),
});
const loggedNote = exact({
  index: count,
  type: text(64),
  time: text(64),
  outcome: oneOf('success', 'failure'),
  detail: texts,
});
const verdict = exact({
  integrity: oneOf('ok', 'violated'),
  completeness: oneOf('ok', 'violated', 'unknown'),
  size: count,
  root: rootHash,
  findings: list(shown<AuditVerdict['findings'][number]>(), 1_000),
  bodies: exact({ opened: count, erased: count }),
  epochs,
});

/** What only the gateway may ask of the log: what it says. */
export const auditRead = contract('audit', {
  state: call({ args: [TIMEOUT], returns: auditState, maxOutputBytes: MAX_ENTRY_BYTES }),
  entry: call({ args: [number, accessContext], returns: entry, maxOutputBytes: MAX_ENTRY_BYTES }),
  query: call({
    args: [query, accessContext, OPTIONAL_SIGNAL],
    returns: page,
    maxInputBytes: MAX_QUERY_BYTES,
    maxOutputBytes: MAX_ENTRIES_BYTES,
  }),
  export: call({
    args: [exported, accessContext, OPTIONAL_SIGNAL],
    returns: STREAM,
    maxInputBytes: MAX_QUERY_BYTES,
  }),
  prove: call({ args: [number, optional(accessContext)], returns: proof, maxOutputBytes: MAX_ENTRY_BYTES }),
  resolve: call({
    args: [exact({ context: accessContext, told: optional(told) })],
    returns: epoch,
    maxInputBytes: 2 * MAX_ENTRY_BYTES,
  }),
  loggedTokens: call({
    args: [],
    returns: list(loggedToken, MAX_LOGGED_TOKENS),
    maxOutputBytes: 16 * 1024 * 1024,
  }),
  loggedNotes: call({ args: [], returns: list(loggedNote, MAX_LOGGED_NOTES), maxOutputBytes: 4 * 1024 * 1024 }),
  verify: call({
    args: [list(anchor, MAX_ANCHORS), newest(exact({ leaves: count, total: count })), OPTIONAL_SIGNAL],
    returns: verdict,
    maxOutputBytes: MAX_ENTRY_BYTES,
  }),
});
