import type { AuditProof } from '../../../protocol/merkle/audit-proof.ts';
import type {
  AccessContext,
  AuditAnchor,
  AuditEntry,
  AuditExportRequest,
  AuditPage,
  AuditQuery,
  AuditStanding,
  AuditVerdict,
  DeclaredEpoch,
  LoggedToken,
  ResolveRequest,
} from '../../audit/index.ts';
import { download, feed, unary } from '../method.ts';
import {
  accessContext,
  anything,
  count,
  exact,
  flag,
  hash,
  list,
  nothing,
  nullable,
  number,
  oneOf,
  optional,
  shape,
  text,
} from '../shape.ts';
import { type ServiceState, serviceStates } from '../state.ts';

/** A thousand entries, each with a body of at most 64 KiB, and what JSON adds. */
const MAX_ENTRIES_BYTES = 96 * 1024 * 1024;
const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ANCHORS = 1024;
/** A patient's records that one question names, 35 bytes of JSON each. */
const MAX_RECORDS = 10_000;
const MAX_QUERY_BYTES = 512 * 1024;
const MAX_LOGGED_TOKENS = 4_096;

export interface AuditState {
  readonly services: readonly ServiceState[];
  readonly standing: AuditStanding | null;
}

const externalHead = exact({ size: count, root: hash, where: text(256), at: count, epoch: optional(count) });
const declaredEpoch = exact({
  ...{ number: count, start: count, origin: text(256), at: count, from: count },
  cause: oneOf('restore', 'resolve'),
  outside: optional(exact({ size: count, root: hash, where: text(256) })),
  lost: optional(count),
});
/** Restores of one log: each is a decision of a person. */
const declaredEpochs = list(declaredEpoch, 10_000);
const standing = exact({
  size: count,
  root: hash,
  epochs: declaredEpochs,
  external: nullable(externalHead),
  conflict: nullable(
    exact({
      code: oneOf('AUDIT_TRUNCATED', 'AUDIT_FORKED'),
      head: externalHead,
      ...{ size: count, root: hash, at: count, reason: text(1024) },
    }),
  ),
});

const leaf = exact({ v: count, time: text(64), type: text(64), outcome: text(16), bodyHash: hash });
const entryShape = exact({ index: count, leafHash: hash, leaf, body: optional(anything) });

export const state = unary<null, AuditState>({
  name: 'state',
  input: shape(nothing),
  output: shape(exact({ services: serviceStates, standing: nullable(standing) })),
  maxOutputBytes: MAX_ENTRY_BYTES,
});

export const entry = unary<{ index: number; context: AccessContext }, AuditEntry>({
  name: 'entry',
  input: shape(exact({ index: number, context: accessContext })),
  output: shape(entryShape),
  maxOutputBytes: MAX_ENTRY_BYTES,
});

const anchor = exact({ size: count, root: hash, where: text(256), at: optional(count) });
const filter = exact({
  record: optional(text(256)),
  patient: optional(text(256)),
  actor: optional(text(256)),
  since: optional(text(64)),
  until: optional(text(64)),
  type: optional(text(64)),
  outcome: optional(oneOf('success', 'failure')),
  disclosures: optional(flag),
});

export const query = unary<{ query: AuditQuery; context: AccessContext }, AuditPage>({
  name: 'query',
  input: shape(
    exact({
      query: exact({
        filter,
        records: optional(list(text(64), MAX_RECORDS)),
        limit: count,
        after: optional(count),
        cursor: optional(text(64)),
      }),
      context: accessContext,
    }),
  ),
  output: shape(
    exact({
      entries: list(entryShape, 1_000),
      cursor: optional(text(64)),
      from: count,
      to: count,
      undecided: count,
    }),
  ),
  maxInputBytes: MAX_QUERY_BYTES,
  maxOutputBytes: MAX_ENTRIES_BYTES,
});

export const exportEntries = download<{ request: AuditExportRequest; context: AccessContext }, null>({
  name: 'export',
  input: shape(
    exact({
      request: exact({
        filter,
        records: optional(list(text(64), MAX_RECORDS)),
        bodies: flag,
        allLeaves: flag,
        anchors: list(anchor, MAX_ANCHORS),
      }),
      context: accessContext,
    }),
  ),
  head: shape(nothing),
  maxInputBytes: MAX_QUERY_BYTES,
});

export const prove = unary<{ index: number; context?: AccessContext }, AuditProof>({
  name: 'prove',
  input: shape(exact({ index: number, context: optional(accessContext) })),
  output: shape(
    exact({
      v: count,
      kind: text(64),
      index: count,
      size: count,
      leaf: text(4096),
      path: list(hash, 64),
      checkpoint: text(64 * 1024),
      vkey: text(512),
      salt: optional(text(128)),
      body: optional(text(512 * 1024)),
    }),
  ),
  maxOutputBytes: MAX_ENTRY_BYTES,
});

export const loggedTokens = unary<null, readonly LoggedToken[]>({
  name: 'logged-tokens',
  input: shape(nothing),
  output: shape(
    list(
      exact({
        id: text(64),
        subject: text(1024),
        name: optional(text(1024)),
        scope: text(1024),
        createdAt: text(64),
        expiresAt: text(64),
        revokedAt: optional(text(64)),
      }),
      MAX_LOGGED_TOKENS,
    ),
  ),
  maxOutputBytes: 16 * 1024 * 1024,
});

const verdict = oneOf('ok', 'violated');

export const verify = feed<{ anchors: readonly AuditAnchor[] }, { leaves: number; total: number }, AuditVerdict>({
  name: 'verify',
  input: shape(exact({ anchors: list(anchor, MAX_ANCHORS) })),
  item: shape(exact({ leaves: count, total: count })),
  output: shape(
    exact({
      integrity: verdict,
      completeness: oneOf('ok', 'violated', 'unknown'),
      size: count,
      root: hash,
      findings: list(anything, 1_000),
      bodies: exact({ opened: count, erased: count }),
      epochs: declaredEpochs,
    }),
  ),
  maxOutputBytes: MAX_ENTRY_BYTES,
});

export const resolve = unary<ResolveRequest, DeclaredEpoch>({
  name: 'resolve',
  input: shape(
    exact({
      context: accessContext,
      told: optional(list(exact({ note: text(64 * 1024), where: text(256), at: count }), 16)),
    }),
  ),
  output: shape(declaredEpoch),
  maxInputBytes: 2 * 1024 * 1024,
});
