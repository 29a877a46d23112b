import type { Output } from '../render/output.ts';
import { printable, renderFacts } from '../render/table.ts';
import type { ReportVerdict } from './verify-report.ts';

const STYLES = { ok: 'green', violated: 'red', unknown: 'yellow' } as const;

/** What `harden verify` shows: two verdicts, and on what each rests. */
export function renderVerdicts(
  { file, digest, signature, log }: ReportVerdict,
  { style }: Pick<Output, 'style'>,
): string {
  const paint = (verdict: keyof typeof STYLES): string => style(STYLES[verdict], verdict);
  const signed =
    signature.verdict === 'ok' ? `by ${signature.fingerprint} at ${signature.signedAt}` : printable(signature.reason);
  const logged =
    log.verdict === 'ok' ? `leaf ${log.leaf} of ${printable(log.origin)}, ${log.time}` : printable(log.reason);
  return renderFacts([
    ['file', printable(file)],
    ['sha-256', digest],
    ['signature', `${paint(signature.verdict)}: ${signed}`],
    ['audit log', `${paint(log.verdict)}: ${logged}`],
  ]);
}
