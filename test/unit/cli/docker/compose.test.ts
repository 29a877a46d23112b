import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { composeFile } from '../../../../cli/provision/docker/compose.ts';
import { createBody } from '../../../../cli/provision/docker/create-body.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import type { ContainerBody } from '../../../../cli/provision/docker/engine-containers.ts';
import { bodyOf, type Service } from './compose-reader.ts';
import { exampleSpec } from './node-spec-example.ts';

const profile = (role: string): string => `/home/of/node/nectar-${role}.json`;

for (const [name, spec] of [
  ['a node with a key file', exampleSpec()],
  [
    'a node with a passphrase on IPv6, with limits of its own',
    exampleSpec({
      keyFile: undefined,
      gateway: { host: '::1', port: 9000 },
      limits: { rollup: { cpus: 0.5, pids: 99 } },
    }),
  ],
] as const) {
  test(`says the same of ${name} as the Engine API is told`, () => {
    const state = desiredState(spec);
    const document = parse(composeFile(state, profile)) as { services: Record<string, Service> };
    assert.deepEqual(
      Object.keys(document.services),
      state.containers.map(({ role }) => role),
    );
    for (const container of state.containers) {
      const service = document.services[container.role];
      assert.ok(service);
      const ours = createBody(container, { seccomp: profile(container.role) });
      assert.deepEqual(bodyOf(service), JSON.parse(JSON.stringify(ours)) as ContainerBody);
    }
  });
}

test('names volumes and networks as external, so that `down --volumes` takes no key', () => {
  const state = desiredState(exampleSpec());
  const document = parse(composeFile(state, profile)) as Record<
    'volumes' | 'networks',
    Record<string, { external: boolean }>
  >;
  assert.deepEqual(
    Object.keys(document.volumes),
    state.volumes.map(({ name }) => name),
  );
  for (const entry of [...Object.values(document.volumes), ...Object.values(document.networks)])
    assert.equal(entry.external, true);
});
