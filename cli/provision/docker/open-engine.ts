import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Terminal } from '../../terminal.ts';
import type { ContainerSpec } from './desired-state.ts';
import { createEngine, type Engine } from './engine.ts';
import { engineAddress } from './engine-address.ts';

/** The engine that `--engine`, target.json or the environment names, under the terminal's signal. */
export function openEngine(terminal: Terminal, named: string | undefined): Engine {
  return createEngine(engineAddress(named, terminal.env), terminal.signal);
}

/** Writes the seccomp profiles into the home, for Podman and for Compose, which take paths; returns the path of each. */
export function writeSeccompFiles(home: string, containers: readonly ContainerSpec[]): (role: string) => string {
  const folder = join(home, 'seccomp');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (role: string): string => join(folder, `nectar-${role}.json`);
  for (const { role, seccomp } of containers) writeFileSync(path(role), seccomp, { mode: 0o644 });
  return path;
}

/** How the engine takes a profile: Docker's as content, Podman's as a path on its own machine. */
export function seccompFor(
  kind: 'docker' | 'podman',
  home: string,
  containers: readonly ContainerSpec[],
): (spec: ContainerSpec) => string {
  if (kind === 'docker') return (spec) => spec.seccomp;
  const path = writeSeccompFiles(home, containers);
  return (spec) => path(spec.role);
}
