import { stringify } from 'yaml';

const LINE_CHARS = 120;

/** As people write it: without references from one place to another, and without folding what must stay whole. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: LINE_CHARS });
}
