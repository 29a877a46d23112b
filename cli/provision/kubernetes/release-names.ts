import { CLUSTER_ROLES, type ClusterRole } from './release-labels.ts';

const CHART = 'nectar-byon';
/** As the chart cuts it, so that suffixes and labels have room. */
const MAX_NAME_CHARS = 40;

/** Which release of which namespace. */
export interface ReleaseName {
  readonly namespace: string;
  readonly release: string;
}

/** What the chart calls the objects of a release (`nectar.fullname`). */
export function fullName({ release }: Pick<ReleaseName, 'release'>): string {
  const name = release.includes('nectar') ? release : `${release}-${CHART}`;
  return name.slice(0, MAX_NAME_CHARS).replace(/-+$/, '');
}

/** The node's name in the certificates of its crossings (`nectar.instance`). */
export function instanceOf(name: ReleaseName): string {
  return `${fullName(name)}.${name.namespace}`;
}

export interface SecretNames {
  readonly rootKey: string;
  readonly identity: string;
  readonly gatewayTls: string;
  readonly crossings: Readonly<Record<ClusterRole, string>>;
}

/** Other names than those that the chart makes itself, so that neither takes the other's for its own. */
export function secretNames(name: Pick<ReleaseName, 'release'>): SecretNames {
  const full = fullName(name);
  const crossings = Object.fromEntries(CLUSTER_ROLES.map((role) => [role, `${full}-crossing-${role}`]));
  return {
    rootKey: `${full}-root-key`,
    identity: `${full}-identity`,
    gatewayTls: `${full}-api-certificate`,
    crossings: crossings as Record<ClusterRole, string>,
  };
}

/** Under which the API is called inside of the cluster. */
export function gatewayNames(name: ReleaseName): string[] {
  const service = `${fullName(name)}-gateway`;
  return [service, `${service}.${name.namespace}`, `${service}.${name.namespace}.svc`];
}
