import type { Anchored } from '../../anchor/index.ts';
import type { AuditAnchor } from '../../audit/index.ts';
import type { PeerInfo } from '../../p2p/index.ts';
import { unary } from '../method.ts';
import {
  anything,
  count,
  exact,
  hash,
  list,
  nothing,
  nullable,
  oneOf,
  optional,
  peerId,
  shape,
  text,
} from '../shape.ts';
import { type ServiceState, serviceStates } from '../state.ts';

/** The gateway's own limit of a JSON-RPC body is a MiB unless the owner raises it. */
const MAX_RPC_BYTES = 16 * 1024 * 1024;
const MAX_RPC_ANSWER_BYTES = 64 * 1024 * 1024;
const JOIN_TIMEOUT_MS = 120_000;

type HeadNumbers = Readonly<Record<'unsafe' | 'safe' | 'finalized', number>>;

export interface RollupState {
  readonly services: readonly ServiceState[];
  readonly heads: HeadNumbers | null;
  readonly peers: number | null;
  readonly anchored: Anchored | null;
}

export interface NetworkState {
  readonly addresses: string[];
  readonly membership: string;
}

export const state = unary<null, RollupState>({
  name: 'state',
  input: shape(nothing),
  output: shape(
    exact({
      services: serviceStates,
      heads: nullable(exact({ unsafe: count, safe: count, finalized: count })),
      peers: nullable(count),
      anchored: nullable(
        exact({
          records: count,
          auditSize: count,
          auditRoot: nullable(hash),
          safeBlock: nullable(text(80)),
          pending: count,
          waiting: optional(text(4096)),
        }),
      ),
    }),
  ),
});

/** `answer` is absent when the body held notifications only. */
export const rpc = unary<{ body: unknown }, { answer?: unknown }>({
  name: 'rpc',
  input: shape(exact({ body: anything })),
  output: shape(exact({ answer: optional(anything) })),
  maxInputBytes: MAX_RPC_BYTES,
  maxOutputBytes: MAX_RPC_ANSWER_BYTES,
});

export const peers = unary<null, PeerInfo[]>({
  name: 'peers',
  input: shape(nothing),
  output: shape(
    list(exact({ peerId, address: text(512), direction: oneOf('inbound', 'outbound'), since: text(64) }), 10_000),
  ),
  maxOutputBytes: MAX_RPC_BYTES,
});

export const network = unary<null, NetworkState>({
  name: 'network',
  input: shape(nothing),
  output: shape(exact({ addresses: list(text(512), 256), membership: text(64) })),
});

export const join = unary<null, { membership: string; transaction?: string }>({
  name: 'join',
  input: shape(nothing),
  output: shape(exact({ membership: text(64), transaction: optional(text(128)) })),
  timeoutMs: JOIN_TIMEOUT_MS,
});

export const anchors = unary<null, AuditAnchor[]>({
  name: 'anchors',
  input: shape(nothing),
  output: shape(list(exact({ size: count, root: hash, where: text(256), at: optional(count) }), 1024)),
});
