import { patientsOf } from '../../protocol/merkle/audit-filter.ts';

/** The patients whom a record's labels name, as its audit events state them; the labels may be others tomorrow. */
export function recordPatients(labels: readonly string[]): { patients?: readonly string[] } {
  const patients = patientsOf(labels);
  return patients.length === 0 ? {} : { patients };
}
