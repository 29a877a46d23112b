import type { Result } from '../report.ts';
import { decisiveEvidence, evidenceWords, forTarget, headline } from '../words.ts';
import { type Identity, objectiveId } from './identity.ts';
import { oscalMarkup, oscalText, PROPERTY_NAMESPACE, property, some } from './text.ts';

/** More subjects than these are counted, not listed. */
const MAX_EVIDENCE = 256;

/** What was seen for one check, whatever came of it: a check that nobody could judge has an observation and no finding. */
export function observation(result: Result, identity: Identity, collected: string): object {
  const { check, title, verdict, mode, evidence, reason, fact, expected } = result;
  const kind = fact?.split('.')[0] ?? 'node';
  const listed = evidence.slice(0, MAX_EVIDENCE);
  return {
    uuid: identity.observation(check),
    title: oscalMarkup(title),
    description: oscalMarkup(observationWords(result)),
    props: [
      property('check', check),
      property('verdict', verdict),
      property('severity', result.severity),
      ...(fact === undefined ? [] : [property('fact', fact), property('expected', expected ?? '')]),
      ...(evidence.length > listed.length ? [property('subjects', String(evidence.length))] : []),
    ],
    methods: [mode === 'manual' ? 'EXAMINE' : 'TEST'],
    types: [verdict === 'fail' || verdict === 'waived' ? 'finding' : 'control-objective'],
    origins: [origin(identity)],
    ...some(
      'subjects',
      listed.map(({ subject }) => ({
        'subject-uuid': identity.subject(kind, subject),
        type: 'inventory-item',
        title: oscalMarkup(subject),
      })),
    ),
    ...some(
      'relevant-evidence',
      listed.map((one) => ({
        description: oscalMarkup(`${one.subject}: ${evidenceWords(fact, one)}`),
        props: [property('holds', one.holds ? 'yes' : 'no')],
      })),
    ),
    collected,
    ...(reason === undefined ? {} : { remarks: oscalMarkup(reason) }),
  };
}

function observationWords(result: Result): string {
  const { verdict, about, expected, reason } = result;
  if (verdict === 'manual') return 'Nothing was looked at: a person must look.';
  if (verdict === 'not-applicable') return `There is nothing to judge: ${reason ?? ''}`;
  const wanted = `${about ?? ''} Expected: ${expected ?? ''}.`;
  return verdict === 'error' ? `It could not be seen. ${wanted}` : wanted;
}

/** Only what was judged is a finding: OSCAL's are satisfied or not, and neither is true of what nobody saw. */
export function findings(results: readonly Result[], identity: Identity): object[] {
  return results
    .filter(({ verdict }) => verdict === 'pass' || verdict === 'fail' || verdict === 'waived')
    .map((result) => finding(result, identity));
}

function finding(result: Result, identity: Identity): object {
  const { check, rationale, verdict, waiver } = result;
  const satisfied = verdict === 'pass';
  return {
    uuid: identity.finding(check),
    title: oscalMarkup(headline(result)),
    description: oscalMarkup(rationale),
    props: [property('verdict', verdict)],
    origins: [origin(identity)],
    target: {
      type: 'objective-id',
      'target-id': objectiveId(result),
      status: {
        state: satisfied ? 'satisfied' : 'not-satisfied',
        reason: satisfied ? 'pass' : 'fail',
        ...(verdict === 'waived' && waiver !== undefined
          ? { remarks: oscalMarkup(`Waived by ${waiver.owner} until ${waiver.until}.`) }
          : {}),
      },
    },
    'related-observations': [{ 'observation-uuid': identity.observation(check) }],
    ...(satisfied ? {} : { 'related-risks': [{ 'risk-uuid': identity.risk(check) }] }),
  };
}

/** A risk for each failure, open, or with its deviation approved where it is waived. */
export function risks(results: readonly Result[], identity: Identity, target: string): object[] {
  return results
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'waived')
    .map((result) => risk(result, identity, target));
}

function risk(result: Result, identity: Identity, target: string): object {
  const { check, title, rationale, severity, remediation, verdict } = result;
  const bad = decisiveEvidence(result).slice(0, MAX_EVIDENCE);
  return {
    uuid: identity.risk(check),
    title: oscalMarkup(headline(result)),
    description: oscalMarkup(bad.map((one) => `${one.subject}: ${evidenceWords(result.fact, one)}`).join('; ')),
    statement: oscalMarkup(rationale),
    status: verdict === 'waived' ? 'deviation-approved' : 'open',
    origins: [origin(identity)],
    characterizations: [
      {
        origin: origin(identity),
        facets: [{ name: 'severity', system: PROPERTY_NAMESPACE, value: severity }],
      },
    ],
    ...(verdict === 'waived' ? waiverParts(result, identity) : {}),
    remediations: [
      {
        uuid: identity.remedy(check),
        lifecycle: 'recommendation',
        title: oscalMarkup(`To do: ${title}`),
        description: oscalMarkup(forTarget(remediation, target)),
      },
    ],
    'related-observations': [{ 'observation-uuid': identity.observation(check) }],
  };
}

function waiverParts({ check, waiver }: Result, identity: Identity): object {
  if (waiver === undefined) return {};
  const { owner, reason, since, until, auditLeaf } = waiver;
  const entry = {
    uuid: identity.waiver(check),
    title: oscalMarkup('Deviation approved'),
    description: oscalMarkup(reason),
    start: since,
    end: `${until}T23:59:59Z`,
    props: [
      property('owner', oscalText(owner)),
      ...(auditLeaf === undefined ? [] : [property('audit-leaf', String(auditLeaf))]),
    ],
    'logged-by': [{ 'party-uuid': identity.party(owner) }],
    'status-change': 'deviation-approved',
  };
  return { deadline: entry.end, 'risk-log': { entries: [entry] } };
}

function origin(identity: Identity): object {
  return { actors: [{ type: 'tool', 'actor-uuid': identity.tool }] };
}
