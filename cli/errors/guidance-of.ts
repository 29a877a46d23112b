import type { ErrorCode } from '../../protocol/errors.ts';
import { ANCHOR_GUIDANCE } from './anchor.ts';
import { AUDIT_GUIDANCE } from './audit.ts';
import { CLI_GUIDANCE } from './cli.ts';
import { CLUSTER_GUIDANCE } from './cluster.ts';
import { CODING_GUIDANCE } from './coding.ts';
import { CONFIG_GUIDANCE } from './config.ts';
import { CUSTODY_GUIDANCE } from './custody.ts';
import { DISPUTE_GUIDANCE } from './dispute.ts';
import { GATEWAY_GUIDANCE } from './gateway.ts';
import type { Guidance } from './guidance.ts';
import { HARDENING_GUIDANCE } from './hardening.ts';
import { KEY_GUIDANCE } from './key.ts';
import { LIFE_GUIDANCE } from './life.ts';
import { NETWORK_GUIDANCE } from './network.ts';
import { NODE_GUIDANCE } from './node.ts';
import { ROLLUP_GUIDANCE } from './rollup.ts';
import { STORE_GUIDANCE } from './store.ts';

/** A new code without guidance does not compile. */
const GUIDANCE: Record<ErrorCode, Guidance> = {
  ...NODE_GUIDANCE,
  ...CONFIG_GUIDANCE,
  ...KEY_GUIDANCE,
  ...STORE_GUIDANCE,
  ...AUDIT_GUIDANCE,
  ...ROLLUP_GUIDANCE,
  ...DISPUTE_GUIDANCE,
  ...ANCHOR_GUIDANCE,
  ...NETWORK_GUIDANCE,
  ...GATEWAY_GUIDANCE,
  ...CLI_GUIDANCE,
  ...CLUSTER_GUIDANCE,
  ...LIFE_GUIDANCE,
  ...CODING_GUIDANCE,
  ...CUSTODY_GUIDANCE,
  ...HARDENING_GUIDANCE,
};

export function guidanceOf(code: ErrorCode): Guidance {
  return GUIDANCE[code];
}
