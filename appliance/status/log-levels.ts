import type { RoleLogState, RuntimeLevel } from '../telemetry/index.ts';

/** A level that is not the configured one, until when. */
export interface ShownLogLevel {
  role: string;
  component?: string;
  level: RuntimeLevel;
  configured: string;
  until: string;
}

/** What is out of the ordinary: a role that logs as configured is not named. */
export function describeLogLevels(roles: readonly RoleLogState[]): ShownLogLevel[] {
  return roles.flatMap(({ role, state }) =>
    state === undefined ? [] : state.changes.map((change) => ({ role, configured: state.configured, ...change })),
  );
}
