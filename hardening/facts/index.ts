import type { FactType } from '../fact-type.ts';
import type { SubjectKind } from '../subject.ts';
import { CLUSTER_FACTS } from './cluster.ts';
import { CONTAINER_FACTS } from './container.ts';
import { IMAGE_FACTS } from './image.ts';
import { ENGINE_FACTS, HOST_FACTS, WORKLOAD_FACTS } from './machine.ts';
import { KEY_FACTS, NODE_FACTS } from './node.ts';
import { FILE_FACTS, LISTENER_FACTS, NETWORK_FACTS, VOLUME_FACTS } from './place.ts';
import { PROCESS_FACTS } from './process.ts';

/** Every fact that exists. What is not here can neither be collected nor asked for. */
export const FACTS = {
  ...NODE_FACTS,
  ...KEY_FACTS,
  ...HOST_FACTS,
  ...ENGINE_FACTS,
  ...IMAGE_FACTS,
  ...CONTAINER_FACTS,
  ...PROCESS_FACTS,
  ...VOLUME_FACTS,
  ...NETWORK_FACTS,
  ...LISTENER_FACTS,
  ...FILE_FACTS,
  ...WORKLOAD_FACTS,
  ...CLUSTER_FACTS,
} as const;

export type FactId = keyof typeof FACTS;
export type FactIdOf<K extends SubjectKind> = Extract<FactId, `${K}.${string}`>;

export function isFactId(id: string): id is FactId {
  return Object.hasOwn(FACTS, id);
}

export function factType(id: FactId): FactType {
  return FACTS[id].type;
}

export function factKind(id: FactId): SubjectKind {
  return id.slice(0, id.indexOf('.')) as SubjectKind;
}
