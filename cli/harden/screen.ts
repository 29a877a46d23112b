import type { Screen } from '../../hardening/report/terminal/text.ts';
import type { Call } from '../call.ts';

const PIPE_COLUMNS = 100;

/** The terminal as the report sees it. */
export function screenOf({ terminal, output }: Pick<Call<unknown>, 'terminal' | 'output'>): Screen {
  return { columns: terminal.stdout.columns ?? PIPE_COLUMNS, style: output.style };
}
