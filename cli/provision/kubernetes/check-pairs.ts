import { NectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { withNode } from '../../node-client.ts';
import type { Check } from '../../preflight.ts';
import { formatDuration } from '../../render/quantities.ts';

const METRICS_MS = 10_000;
const LEFT = /^nectar_crossing_certificate_left_seconds\{([^}]*)\} (\S+)$/gm;
const WHOLE = /^nectar_crossing_certificate_lifetime_seconds\{([^}]*)\} (\S+)$/gm;
/** The same share as that of the alarm: what renews by itself has done so long before. */
const POOR_SHARE = 0.1;
const ADVICE = 'docs/runbook.md: "Certificates between the roles of a cluster end"';

/** How long the certificates hold by which the roles know one another, as the node tells it. Of a node that tells nothing, nothing. */
export async function checkPairs(call: Call<unknown>): Promise<Check[]> {
  try {
    return gradePairs(await withNode(call, (client) => client.text('/v1/metrics', { timeoutMs: METRICS_MS })));
  } catch (error) {
    // That it does not answer is said by who asks how it is.
    if (!(error instanceof NectarError)) throw error;
    return [];
  }
}

/** One check for all: the certificate that ends first decides. Pods of the same role count by the worse one. */
export function gradePairs(metrics: string): Check[] {
  const whole = new Map([...metrics.matchAll(WHOLE)].map(([, labels = '', value]) => [labels, Number(value)]));
  const pairs = [...metrics.matchAll(LEFT)]
    .map(([, labels = '', value]) => ({ labels, left: Number(value), whole: whole.get(labels) ?? 0 }))
    .filter(({ left }) => Number.isFinite(left));
  const [first] = pairs.toSorted((a, b) => a.left - b.left);
  if (first === undefined) return [];
  const name = 'certificates between roles';
  const role = /role="(\w+)"/.exec(first.labels)?.[1] ?? 'a role';
  if (first.left <= 0) return [{ name, value: `that of ${role} has ended`, grade: 'bad', advice: ADVICE }];
  const value = `good for ${formatDuration(first.left * 1000)} (${role})`;
  if (first.left < first.whole * POOR_SHARE) return [{ name, value, grade: 'poor', advice: ADVICE }];
  return [{ name, value, grade: 'good' }];
}
