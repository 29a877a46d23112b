import { fitnessSentence } from '../fitness.ts';
import { postureWords } from '../posture.ts';
import type { Report } from '../report.ts';
import { findings, observation, risks } from './findings.ts';
import { type Identity, identityOf } from './identity.ts';
import { localObjective, planResource, reviewedControls } from './plan.ts';
import { oscalMarkup, oscalText, property, some } from './text.ts';

const OSCAL_VERSION = '1.2.3';

/** The report as OSCAL assessment results (NIST), the same report always as the same bytes. */
export function renderOscal(report: Report): string {
  const identity = identityOf(report);
  const { results, node, createdAt } = report;
  const document = {
    'assessment-results': {
      uuid: identity.document,
      metadata: {
        title: oscalMarkup(`Hardening report of node ${node.id}`),
        'last-modified': createdAt,
        version: createdAt,
        'oscal-version': OSCAL_VERSION,
        ...some('parties', parties(report, identity)),
      },
      'import-ap': { href: `#${identity.plan}` },
      ...(results.length === 0
        ? {}
        : {
            'local-definitions': {
              'objectives-and-methods': results.map((result) => localObjective(result, node.target)),
            },
          }),
      results: [assessmentResult(report, identity)],
      'back-matter': { resources: [planResource(report, identity)] },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function assessmentResult(report: Report, identity: Identity): object {
  const { results, node, profile, fitness, posture, score, digests, createdAt, collectedAt } = report;
  return {
    uuid: identity.result,
    title: oscalMarkup(`Profile ${profile.name} on node ${node.id}`),
    description: oscalMarkup(`${profile.title}. ${profile.about}`),
    start: collectedAt,
    end: createdAt,
    props: [
      property('fit-for-patient-data', fitness.fit ? 'yes' : 'no'),
      property('fitness', fitnessSentence(fitness)),
      ...posture.map((one) => property(`posture-${one.side}`, postureWords(one))),
      property('score', String(score.value)),
      property('score-points', `${score.earned} of ${score.possible}`),
      property('threshold', profile.threshold),
      property('facts-sha256', digests.facts),
      property('benchmark-sha256', digests.benchmark),
    ],
    'local-definitions': localDefinitions(report, identity),
    'reviewed-controls': reviewedControls(report),
    ...(report.collections.length === 0 ? {} : { 'assessment-log': { entries: looks(report, identity) } }),
    ...some(
      'observations',
      results.map((result) => observation(result, identity, collectedAt)),
    ),
    ...some('risks', risks(results, identity, node.target)),
    ...some('findings', findings(results, identity)),
  };
}

/** The node, everything on it that evidence names, and the program that looked. */
function localDefinitions(report: Report, identity: Identity): object {
  const { tool, node } = report;
  return {
    components: [
      component(
        identity.node,
        'this-system',
        `Node ${node.id}`,
        `A node on the network ${node.network}, target ${node.target}.`,
      ),
    ],
    ...some('inventory-items', inventoryItems(report, identity)),
    'assessment-assets': {
      components: [
        component(identity.tool, 'software', `${tool.name} ${tool.version}`, 'Collected the facts and judged them.'),
      ],
      'assessment-platforms': [
        {
          uuid: identity.platform,
          title: oscalMarkup(`Machine of node ${node.id}`),
          'uses-components': [{ 'component-uuid': identity.tool }],
        },
      ],
    },
  };
}

function component(uuid: string, type: string, title: string, description: string): object {
  return {
    uuid,
    type,
    title: oscalMarkup(title),
    description: oscalMarkup(description),
    status: { state: 'operational' },
  };
}

function inventoryItems({ results }: Report, identity: Identity): object[] {
  const subjects = results.flatMap(({ fact, evidence }) =>
    evidence.map(({ subject }) => ({ kind: fact?.split('.')[0] ?? 'node', subject })),
  );
  const items = new Map(subjects.map(({ kind, subject }) => [identity.subject(kind, subject), { kind, subject }]));
  return [...items].map(([uuid, { kind, subject }]) => ({
    uuid,
    description: oscalMarkup(`${kind} ${subject}`),
    props: [property('kind', kind), property('name', subject)],
    'implemented-components': [{ 'component-uuid': identity.node }],
  }));
}

/** Who looked, with which privilege, and what became of it. */
function looks({ collections, collectedAt }: Report, identity: Identity): object[] {
  return collections.map(({ collector, privilege, outcome, reason }, index) => ({
    uuid: identity.look(collector, index),
    title: oscalMarkup(`Look of ${collector}: ${outcome}`),
    description: oscalMarkup(reason ?? 'It saw what it needed to see.'),
    start: collectedAt,
    props: [property('privilege', privilege), property('outcome', outcome)],
  }));
}

/** Owners of waivers in force: the persons who answer for a risk. */
function parties({ results }: Report, identity: Identity): object[] {
  const owners = results.flatMap(({ verdict, waiver }) =>
    verdict === 'waived' && waiver !== undefined ? [waiver.owner] : [],
  );
  return [...new Set(owners)].map((owner) => ({ uuid: identity.party(owner), type: 'person', name: oscalText(owner) }));
}
