import { ERRORS, type ErrorCode, type ErrorData, NectarError } from '../../../protocol/errors.ts';
import type { DesiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import type { ContainerState } from './engine-containers.ts';

const LOOKED_AT_LINES = 40;
/** One restart may be bad luck; a container that ends again and again has a reason. */
const TOLERATED_RESTARTS = 2;
const OUT_OF_MEMORY = 'it ran out of the memory that it may use (target.json, limits)';

/** The first container that has ended or ends again and again, as an error with its own words; undefined when all run. */
export async function findContainerFailure(engine: Engine, state: DesiredState): Promise<NectarError | undefined> {
  for (const { name } of state.containers) {
    const found = await engine.containers.find(name);
    const failure = found === undefined ? undefined : await failureOf(engine, name, found);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Why one container has ended or ends again and again; undefined when it runs, or has not been started. */
export async function failureOf(
  engine: Engine,
  name: string,
  { State, RestartCount }: ContainerState,
): Promise<NectarError | undefined> {
  const { Running, Restarting, ExitCode, OOMKilled, Status } = State;
  // While it loops, the engine calls it running most of the time; one that got through is healthy.
  const unwell = Restarting || (Running && ['starting', 'unhealthy'].includes(State.Health?.Status ?? ''));
  // The engine tells of the last end until the next one: memory is the reason whichever restart it is.
  const outOfMemory = OOMKilled && RestartCount > 0;
  const looping = unwell && (RestartCount > TOLERATED_RESTARTS || outOfMemory);
  if ((Running || Restarting || Status === 'created') && !looping) return undefined;
  const lines = await engine.containers.logs(name, { tail: LOOKED_AT_LINES });
  if (OOMKilled) return ended(name, ExitCode, OUT_OF_MEMORY);
  return failureIn(lines) ?? ended(name, ExitCode, lines.findLast((line) => line.trim() !== '') ?? 'it says nothing');
}

/** The error that `run --json` printed last, as the same NectarError. */
function failureIn(lines: readonly string[]): NectarError | undefined {
  for (const line of lines.toReversed()) {
    try {
      const { error } = JSON.parse(line) as { error?: { code?: string; data?: unknown } };
      if (error?.code === undefined || !Object.hasOwn(ERRORS, error.code)) continue;
      return new NectarError(error.code as ErrorCode, error.data as ErrorData<ErrorCode>);
    } catch {
      // Not JSON, or not with that data: the line before may be.
    }
  }
  return undefined;
}

function ended(container: string, exitCode: number, reason: string): NectarError {
  return new NectarError('CLI_CONTAINER_ENDED', { container, exitCode, reason: reason.trim().slice(0, 300) });
}
