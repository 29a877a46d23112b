import type { Document } from '../document.ts';
import type { KubeObject } from './manifests.ts';
import { type PodTemplate, selects } from './pods.ts';

const EVERYWHERE = ['0.0.0.0/0', '::/0'];

export type Direction = 'Ingress' | 'Egress';

/** What the policies of a namespace do to its pods: a pod is denied what no policy allows as soon as one selects it. */
export interface Reach {
  /** Whether any policy selects it at all. */
  isSelected(pod: PodTemplate): boolean;
  isDeniedByDefault(pod: PodTemplate, direction: Direction): boolean;
  /** Not denied by default, or allowed to and from anywhere on any port. */
  isOpen(pod: PodTemplate, direction: Direction): boolean;
}

export function reachOf(policies: readonly KubeObject[]): Reach {
  const specs = policies.map(({ document }) => document.in('spec'));
  const selecting = (pod: PodTemplate): Document[] =>
    specs.filter((spec) => selects(spec.in('podSelector'), pod.labels));
  const isDeniedByDefault = (pod: PodTemplate, direction: Direction): boolean =>
    selecting(pod).some((spec) => directionsOf(spec).includes(direction));
  return {
    isSelected: (pod) => selecting(pod).length > 0,
    isDeniedByDefault,
    isOpen: (pod, direction) =>
      !isDeniedByDefault(pod, direction) ||
      selecting(pod).some((spec) => rulesOf(spec, direction).some((rule) => allowsAll(rule, direction))),
  };
}

/** Without a list: the way in always, the way out where there are rules for it. */
function directionsOf(spec: Document): string[] {
  const named = spec.in('policyTypes').texts();
  if (named.length > 0) return named;
  return spec.in('egress').items().length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

function rulesOf(spec: Document, direction: Direction): Document[] {
  return spec.in(direction === 'Ingress' ? 'ingress' : 'egress').items();
}

function allowsAll(rule: Document, direction: Direction): boolean {
  if (rule.in('ports').items().length > 0) return false;
  const peers = rule.in(direction === 'Ingress' ? 'from' : 'to').items();
  return peers.length === 0 || peers.some((peer) => EVERYWHERE.includes(peer.in('ipBlock', 'cidr').textOr('')));
}
