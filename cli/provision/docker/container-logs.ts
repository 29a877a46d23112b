import { setTimeout as sleep } from 'node:timers/promises';
import type { LogTail } from '../../render/log-line.ts';
import type { Terminal } from '../../terminal.ts';
import { type DesiredState, desiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { readDockerNode } from './node-spec.ts';
import { openEngine } from './open-engine.ts';
import { ownedBy } from './owned.ts';

export interface RoleLine {
  readonly role: string;
  /** Of the engine, RFC 3339 with nanoseconds; such times sort as text. */
  readonly time: string;
  readonly line: string;
}

/** The last lines of all containers, merged by the engine's own time. */
async function mergedLogs(engine: Engine, state: DesiredState, { lines, since }: LogTail): Promise<RoleLine[]> {
  const all: RoleLine[] = [];
  // The engine takes whole seconds; the caller looks at each line's own time.
  const wanted = since === undefined ? { tail: lines } : { since: Math.floor(since / 1000) };
  for (const { name, role } of await present(engine, state)) {
    for (const text of await engine.containers.logs(name, { ...wanted, timestamps: true })) all.push(split(role, text));
  }
  return all.toSorted((one, other) => (one.time < other.time ? -1 : 1)).slice(-lines);
}

export interface Follow {
  readonly signal: AbortSignal;
  readonly onLine: (line: RoleLine) => void;
}

/** Every new line of every container until the signal; a container that is made anew is followed again. */
async function followMerged(engine: Engine, state: DesiredState, { signal, onLine }: Follow): Promise<void> {
  await Promise.all(
    state.containers.map(async ({ name, role }) => {
      let last = '';
      while (!signal.aborted) {
        // After an end (a restart, an upgrade) the lines since the last one seen come again: those are left out.
        const lines = await engine.containers
          .follow(name, { tail: last === '' ? 0 : CATCH_UP_LINES, timestamps: true })
          .catch(() => []);
        for await (const text of lines) {
          const line = split(role, text);
          if (line.time <= last) continue;
          last = line.time;
          onLine(line);
        }
        await sleep(FOLLOW_AGAIN_MS, undefined, { signal });
      }
    }),
  );
}

const CATCH_UP_LINES = 200;
const FOLLOW_AGAIN_MS = 1_000;

async function present(engine: Engine, state: DesiredState): Promise<DesiredState['containers']> {
  const owned = ownedBy(state.nodeId, engine);
  const found = await Promise.all(state.containers.map(({ name }) => owned.container(name)));
  return state.containers.filter((_spec, index) => found[index] !== undefined);
}

function split(role: string, text: string): RoleLine {
  const space = text.indexOf(' ');
  return { role, time: text.slice(0, space), line: text.slice(space + 1) };
}

/** The same for the node of a home. */
export function readNodeLogs(home: string, wanted: LogTail, terminal: Terminal): Promise<RoleLine[]> {
  const { spec, target } = readDockerNode(home);
  return mergedLogs(openEngine(terminal, target.engine), desiredState(spec), wanted);
}

export function followNodeLogs(home: string, onLine: Follow['onLine'], terminal: Terminal): Promise<void> {
  const { spec, target } = readDockerNode(home);
  const { signal } = terminal;
  return followMerged(openEngine(terminal, target.engine), desiredState(spec), { signal, onLine });
}
