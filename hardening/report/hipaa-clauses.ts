import type { Verdict } from '../finding.ts';
import type { Result } from './report.ts';

/** A standard, or an implementation specification of one: 45 CFR Part 164, Subpart C, as in force. */
export interface Clause {
  readonly id: string;
  readonly title: string;
  /**
   * A standard must be met. A specification is required, or addressable: assess it, implement it where reasonable and appropriate,
   * else write down why and do what is equivalent (164.306(d)(3)). Addressable is not optional.
   */
  readonly rule: 'standard' | 'required' | 'addressable';
}

const standard = (id: string, title: string): Clause => ({ id: `164.${id}`, title, rule: 'standard' });
const required = (id: string, title: string): Clause => ({ id: `164.${id}`, title, rule: 'required' });
const addressable = (id: string, title: string): Clause => ({ id: `164.${id}`, title, rule: 'addressable' });

/** Technical safeguards, all of them: what a node is for. */
export const TECHNICAL_CLAUSES: readonly Clause[] = [
  standard('312(a)(1)', 'Access control'),
  required('312(a)(2)(i)', 'Unique user identification'),
  required('312(a)(2)(ii)', 'Emergency access procedure'),
  addressable('312(a)(2)(iii)', 'Automatic logoff'),
  addressable('312(a)(2)(iv)', 'Encryption and decryption'),
  standard('312(b)', 'Audit controls'),
  standard('312(c)(1)', 'Integrity'),
  addressable('312(c)(2)', 'Mechanism to authenticate electronic protected health information'),
  standard('312(d)', 'Person or entity authentication'),
  standard('312(e)(1)', 'Transmission security'),
  addressable('312(e)(2)(i)', 'Integrity controls'),
  addressable('312(e)(2)(ii)', 'Encryption'),
];

/** Administrative, physical, organisational: duties of the owner, to some of which a node contributes evidence. */
export const FURTHER_CLAUSES: readonly Clause[] = [
  standard('308(a)(1)(i)', 'Security management process'),
  required('308(a)(1)(ii)(A)', 'Risk analysis'),
  required('308(a)(1)(ii)(B)', 'Risk management'),
  required('308(a)(1)(ii)(C)', 'Sanction policy'),
  required('308(a)(1)(ii)(D)', 'Information system activity review'),
  standard('308(a)(2)', 'Assigned security responsibility'),
  standard('308(a)(3)(i)', 'Workforce security'),
  addressable('308(a)(3)(ii)(A)', 'Authorization and/or supervision'),
  addressable('308(a)(3)(ii)(B)', 'Workforce clearance procedure'),
  addressable('308(a)(3)(ii)(C)', 'Termination procedures'),
  standard('308(a)(4)(i)', 'Information access management'),
  required('308(a)(4)(ii)(A)', 'Isolating health care clearinghouse functions'),
  addressable('308(a)(4)(ii)(B)', 'Access authorization'),
  addressable('308(a)(4)(ii)(C)', 'Access establishment and modification'),
  standard('308(a)(5)(i)', 'Security awareness and training'),
  addressable('308(a)(5)(ii)(A)', 'Security reminders'),
  addressable('308(a)(5)(ii)(B)', 'Protection from malicious software'),
  addressable('308(a)(5)(ii)(C)', 'Log-in monitoring'),
  addressable('308(a)(5)(ii)(D)', 'Password management'),
  standard('308(a)(6)(i)', 'Security incident procedures'),
  required('308(a)(6)(ii)', 'Response and reporting'),
  standard('308(a)(7)(i)', 'Contingency plan'),
  required('308(a)(7)(ii)(A)', 'Data backup plan'),
  required('308(a)(7)(ii)(B)', 'Disaster recovery plan'),
  required('308(a)(7)(ii)(C)', 'Emergency mode operation plan'),
  addressable('308(a)(7)(ii)(D)', 'Testing and revision procedures'),
  addressable('308(a)(7)(ii)(E)', 'Applications and data criticality analysis'),
  standard('308(a)(8)', 'Evaluation'),
  standard('308(b)(1)', 'Business associate contracts and other arrangements'),
  required('308(b)(3)', 'Written contract or other arrangement'),
  standard('310(a)(1)', 'Facility access controls'),
  addressable('310(a)(2)(i)', 'Contingency operations'),
  addressable('310(a)(2)(ii)', 'Facility security plan'),
  addressable('310(a)(2)(iii)', 'Access control and validation procedures'),
  addressable('310(a)(2)(iv)', 'Maintenance records'),
  standard('310(b)', 'Workstation use'),
  standard('310(c)', 'Workstation security'),
  standard('310(d)(1)', 'Device and media controls'),
  required('310(d)(2)(i)', 'Disposal'),
  required('310(d)(2)(ii)', 'Media re-use'),
  addressable('310(d)(2)(iii)', 'Accountability'),
  addressable('310(d)(2)(iv)', 'Data backup and storage'),
  standard('314(a)(1)', 'Business associate contracts or other arrangements'),
  required('314(a)(2)(i)', 'Business associate contracts'),
  required('314(a)(2)(ii)', 'Other arrangements'),
  required('314(a)(2)(iii)', 'Business associate contracts with subcontractors'),
  standard('314(b)(1)', 'Requirements for group health plans'),
  required('314(b)(2)', 'Group health plan documents'),
  standard('316(a)', 'Policies and procedures'),
  standard('316(b)(1)', 'Documentation'),
  required('316(b)(2)(i)', 'Time limit'),
  required('316(b)(2)(ii)', 'Availability'),
  required('316(b)(2)(iii)', 'Updates'),
];

/** What the node's evidence says of a clause: the worst verdict of any check; what passed counts before what nobody looked at. */
export interface ClauseEvidence {
  readonly clause: Clause;
  readonly verdict: Verdict | 'none';
  /** From the worst. */
  readonly results: readonly Result[];
}

const WORST_FIRST: readonly Verdict[] = ['fail', 'error', 'waived', 'pass', 'manual', 'not-applicable'];

export function evidenceOf(clause: Clause, results: readonly Result[]): ClauseEvidence {
  const own = results.filter(({ refs }) => refs.some((ref) => isOf(ref, clause)));
  const sorted = own.toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict));
  return { clause, verdict: sorted[0]?.verdict ?? 'none', results: sorted };
}

function isOf({ standard: name, clause: text }: Result['refs'][number], { id }: Clause): boolean {
  return /HIPAA|45 CFR/i.test(name) && text.replaceAll(/^(45 CFR )?(\u00a7 ?)?/gi, '') === id;
}
