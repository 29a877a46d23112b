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
const ADVICE =
  'where init made its Secrets `nectar-byon tls renew --emit FOLDER`; else docs/runbook.md: "Certificates between the roles of a cluster end"';
const API_ADVICE =
  'where init made its Secrets `nectar-byon tls renew --emit FOLDER`; else docs/runbook.md: "A certificate ends"';
const API_START = /^nectar_gateway_certificate_start_seconds(?:\{[^}]*\})? (\S+)$/m;
const API_END = /^nectar_gateway_certificate_end_seconds(?:\{[^}]*\})? (\S+)$/m;
/** As the alarm has it: late is the last fortnight, unless it is one that is renewed by itself, and has a third of its life left. */
const API_POOR_S = 14 * 86_400;
const API_POOR_SHARE = 0.34;

/** How long the certificates of the API and between the roles hold, as the node tells it. Of a node that tells nothing, nothing. */
export async function checkPairs(call: Call<unknown>): Promise<Check[]> {
  try {
    const metrics = await withNode(call, (client) => client.text('/v1/metrics', { timeoutMs: METRICS_MS }));
    return [...gradeApi(metrics, call.terminal.now()), ...gradePairs(metrics)];
  } catch (error) {
    // That it does not answer is said by who asks how it is.
    if (!(error instanceof NectarError)) throw error;
    return [];
  }
}

/** That of the gateway which answered. */
export function gradeApi(metrics: string, now: number): Check[] {
  const [start, end] = [API_START, API_END].map((line) => Number(line.exec(metrics)?.[1] ?? 0));
  if (start === undefined || end === undefined || !(end > 0)) return [];
  const name = 'certificate of the API';
  const left = end - now / 1000;
  if (left <= 0) return [{ name, value: 'it has ended', grade: 'bad', advice: API_ADVICE }];
  if (start > now / 1000)
    return [
      { name, value: `begins only at ${new Date(start * 1000).toISOString()}`, grade: 'bad', advice: API_ADVICE },
    ];
  const value = `good for ${formatDuration(left * 1000)}`;
  const isLate = left < API_POOR_S && left / (end - start) < API_POOR_SHARE;
  return [isLate ? { name, value, grade: 'poor', advice: API_ADVICE } : { name, value, grade: 'good' }];
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
