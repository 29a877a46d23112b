import { ERRORS, type ErrorCode, type ErrorData, NectarError } from '../../../protocol/errors.ts';
import type { DesiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';

const LOOKED_AT_LINES = 40;
/** One restart may be bad luck; a container that ends again and again has a reason. */
const TOLERATED_RESTARTS = 2;

/** The first container that has ended or ends again and again, as an error with its own words; undefined when all run. */
export async function findContainerFailure(engine: Engine, state: DesiredState): Promise<NectarError | undefined> {
  for (const { name } of state.containers) {
    const found = await engine.containers.find(name);
    if (found === undefined) continue;
    const { Running, Restarting, ExitCode, OOMKilled } = found.State;
    const looping = Restarting && found.RestartCount > TOLERATED_RESTARTS;
    if ((Running || Restarting || found.State.Status === 'created') && !looping) continue;
    const lines = await engine.containers.logs(name, { tail: LOOKED_AT_LINES });
    if (OOMKilled) return ended(name, ExitCode, 'it ran out of the memory that it may use (target.json, limits)');
    return failureIn(lines) ?? ended(name, ExitCode, lines.findLast((line) => line.trim() !== '') ?? 'it says nothing');
  }
  return undefined;
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
