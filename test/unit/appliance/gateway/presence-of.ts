import type { RecordId } from '../../../../protocol/brand.ts';

/** What a store says of a record with this newest version. */
export function presenceOf(recordId: RecordId, version: number | undefined) {
  return version === undefined
    ? ({ recordId, state: 'absent' } as const)
    : ({ recordId, state: 'present', version } as const);
}
