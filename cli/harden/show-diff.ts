import { diffReports } from '../../hardening/report/diff.ts';
import { isAtLeast } from '../../hardening/report/report.ts';
import { renderDiff } from '../../hardening/report/terminal/diff.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { readReport } from './judge.ts';
import { screenOf } from './screen.ts';

/** `harden diff`: what changed. @throws NectarError HARDENING_FAILED when a check fails that did not */
export async function showDiff(
  before: string,
  after: string,
  { terminal, output }: Pick<Call<object>, 'terminal' | 'output'>,
): Promise<void> {
  const [earlier, later] = [await readReport(terminal, before), await readReport(terminal, after)];
  const diff = diffReports(earlier, later);
  output.result(diff, () => renderDiff(diff, screenOf({ terminal, output })));
  const { threshold } = later.profile;
  const failed = diff.newFailures.filter(({ severity }) => isAtLeast(severity, threshold)).map(({ check }) => check);
  if (failed.length > 0) throw new NectarError('HARDENING_FAILED', { failed, threshold });
}
