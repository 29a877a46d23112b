import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';
import { renderTable } from './table.ts';

const STYLES = { good: 'green', poor: 'yellow', bad: 'red' } as const;

/** A table of checks: what, the number, the verdict, what to do. */
export function renderChecks(checks: readonly Check[], { style }: Pick<Output, 'style'>): string {
  return renderTable(
    [{ title: 'CHECK' }, { title: 'FOUND' }, { title: 'VERDICT' }, { title: 'ADVICE' }],
    checks.map(({ name, value, grade, advice }) => [name, value, style(STYLES[grade], grade), advice ?? '']),
  );
}
