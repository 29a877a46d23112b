import type { PrintedOption } from '../../../appliance/config/index.ts';
import type { NodeStatus } from '../../../appliance/gateway/node-schemas.ts';
import type { Check } from '../../preflight.ts';
import type { ContainerStatus } from '../../provision/docker/container-status.ts';
import type { EngineFacts } from '../../provision/docker/engine-facts.ts';
import type { PodState } from '../../provision/kubernetes/pod-states.ts';
import { keepKnownWords } from './allowed-text.ts';

/** Options whose text is one of a few words of ours. */
const PLAIN_OPTIONS = new Set(['log.level']);

/** Numbers and switches as they are; of a text only whether it was set: it may be a name, a path, or a URL with a key in it. */
export function configSection(options: readonly PrintedOption[]): object {
  return Object.fromEntries(
    options.map(({ path, value, source }) => {
      const plain = typeof value === 'number' || typeof value === 'boolean' || PLAIN_OPTIONS.has(path);
      const shown = plain
        ? value
        : Array.isArray(value)
          ? `${value.length} entries`
          : source === 'default'
            ? 'default'
            : 'set';
      return [path, { value: shown, source }];
    }),
  );
}

export function statusSection({ ready, locked, reasons, l2, peers, records, audit, anchored }: NodeStatus): object {
  return {
    ready,
    locked,
    reasons: reasons.map(({ service, reason }) => ({ service: keepService(service), reason: keepKnownWords(reason) })),
    l2: l2 === null ? null : { unsafe: l2.unsafe, safe: l2.safe, finalized: l2.finalized },
    peers,
    records,
    auditSize: audit?.size ?? null,
    anchored:
      anchored === null
        ? null
        : { records: anchored.records, auditSize: anchored.auditSize, pending: anchored.pending },
  };
}

/** Names and advice of checks are texts of the program; of what was found, numbers and known words. */
export function checksSection(checks: readonly Check[]): object[] {
  return checks.map(({ name, value, grade }) => ({ name: keepService(name), grade, found: keepKnownWords(value) }));
}

export function engineSection(facts: EngineFacts): object {
  const { kind, version, apiVersion, storageDriver, cgroupVersion, rootless, seccomp, cpus, memoryBytes, warnings } =
    facts;
  const texts = { version, apiVersion, cgroupVersion };
  return {
    kind,
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, /^[\w.+~-]{1,40}$/.test(text) ? text : '*']),
    ),
    storageDriver: keepKnownWords(storageDriver),
    rootless,
    seccomp,
    cpus,
    memoryBytes,
    warnings: warnings.length,
  };
}

export function containersSection(containers: readonly ContainerStatus[]): object[] {
  return containers.map((one) => {
    const { role, state, health, restarts, startedAt, memoryBytes, memoryLimitBytes, pids, image, current } = one;
    return { role, state, health, restarts, startedAt, memoryBytes, memoryLimitBytes, pids, image, current };
  });
}

/** Without names of pods and machines, and without the cluster's words, which may have both. */
export function podsSection(pods: readonly PodState[]): object[] {
  return pods.map(({ role, phase, ready, restarts, isStuck, failure }) => {
    return { role, phase, ready, restarts, isStuck, ...(failure !== undefined && { failure: failure.code }) };
  });
}

function keepService(name: string): string {
  return /^[A-Za-z0-9. -]{1,32}$/.test(name) ? name : '*';
}
