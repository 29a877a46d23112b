import type { Report, Result } from '../report.ts';
import { expectedWords, forTarget } from '../words.ts';
import { controlId, type Identity, objectiveId } from './identity.ts';
import { oscalMarkup, oscalText, property } from './text.ts';

/**
 * Where the plan of an assessment is imported. Nobody wrote one in OSCAL: what was planned is the profile of checks, and it is said
 * so, with the digest by which anyone can tell that it is the same.
 */
export function planResource({ profile, digests, tool }: Report, identity: Identity): object {
  return {
    uuid: identity.plan,
    title: oscalMarkup(`Profile ${profile.name}: ${profile.title}`),
    description: oscalMarkup(
      `${profile.about} There is no assessment plan in OSCAL. The plan was this profile of the checks that come with ${tool.name} ${tool.version}; the digest is of the files with those checks.`,
    ),
    props: [
      property('profile', profile.name),
      property('threshold', profile.threshold),
      property('benchmark-sha256', digests.benchmark),
    ],
  };
}

/** A check as a control of this assessment with one objective, and how it was judged; what standards it bears on are properties. */
export function localObjective(result: Result, target: string): object {
  const { mode, rationale, see, refs, severity } = result;
  return {
    'control-id': controlId(result),
    description: oscalMarkup(rationale),
    props: [
      property('target', result.target),
      property('severity', severity),
      ...refs.map(({ standard, version, clause, title }) => ({
        ...property('reference', `${standard} ${version} ${clause}`),
        remarks: oscalMarkup(title),
      })),
    ],
    parts: [
      {
        id: objectiveId(result),
        name: 'assessment-objective',
        prose: oscalMarkup(`${result.title}. ${expectedWords(result)}`),
      },
      {
        id: `${controlId(result)}_method`,
        name: 'assessment-method',
        props: [{ name: 'method', value: mode === 'manual' ? 'EXAMINE' : 'TEST' }],
        prose: oscalMarkup(`See for yourself: ${forTarget(see, target)}`),
      },
    ],
  };
}

/** Checks that nothing was seen of are reviewed all the same; their observations say what came of it. */
export function reviewedControls({ results, profile }: Report): object {
  const controls = results.map((result) => ({ 'control-id': controlId(result) }));
  return {
    description: oscalMarkup(`Controls are the checks of the profile ${oscalText(profile.name)}.`),
    'control-selections': [controls.length === 0 ? { 'include-all': {} } : { 'include-controls': controls }],
  };
}
