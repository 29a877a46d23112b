import { parseAllDocuments } from 'yaml';
import { type Document, openDocument } from '../../../hardening/collectors/document.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Helm } from './helm.ts';
import type { Kubectl } from './kubectl.ts';
import type { ReleaseName } from './release-names.ts';
import { claimName } from './volume-pods.ts';

const ROLES_TEMPLATE = 'templates/roles.yaml';
/** Where it is, the chart leaves users to the cluster. */
const OPENSHIFT = 'security.openshift.io/v1';
const MAX_DOCUMENTS = 64;

export interface RenderSets {
  readonly release: string;
  readonly chart: string;
  /** Files. */
  readonly values: readonly string[];
}

/** The StatefulSets that the chart would install, of a release that is not there yet. */
export async function renderSets(
  kubectl: Kubectl,
  helm: Helm,
  { release, chart, values }: RenderSets,
): Promise<Document[]> {
  const versions = (await kubectl.run(['api-versions'])).split('\n');
  const text = await helm.run([
    ...['template', release, chart, `--show-only=${ROLES_TEMPLATE}`],
    ...values.map((file) => `--values=${file}`),
    ...(versions.includes(OPENSHIFT) ? [`--api-versions=${OPENSHIFT}`] : []),
  ]);
  const documents = parseAllDocuments(text);
  if (documents.length > MAX_DOCUMENTS || documents.some(({ errors }) => errors.length > 0))
    throw new NectarError('CLUSTER_ANSWER_INVALID', { doing: 'helm template', problem: 'no YAML' });
  return documents
    .map((document) => openDocument(document.toJS(), 'roles'))
    .filter((document) => document.in('kind').textOr('') === 'StatefulSet');
}

/** The claim of a set's one pod, made before it: a StatefulSet takes the one that has its name. */
export function claimOf(set: Document, { namespace }: Pick<ReleaseName, 'namespace'>): object {
  const [template = openDocument(undefined, 'volumeClaimTemplates')] = set.in('spec', 'volumeClaimTemplates').items();
  const [labels, annotations] = [template.in('metadata', 'labels'), template.in('metadata', 'annotations')];
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    metadata: {
      ...{ name: claimName(set), namespace, labels: labels.raw() },
      ...(!annotations.isAbsent && { annotations: annotations.raw() }),
    },
    spec: template.in('spec').raw(),
  };
}
