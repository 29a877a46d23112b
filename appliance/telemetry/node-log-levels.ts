import { NectarError } from '../../protocol/errors.ts';
import type { LevelChange, LogLevelState, LogLevels } from './log-levels.ts';

/** The levels of one role: this very process, or a call to another one, which it bounds in size and time. */
export interface RoleLogLevels {
  readonly role: string;
  read(): Promise<LogLevelState>;
  change(wanted: LevelChange): Promise<LogLevelState>;
  reset(): Promise<LogLevelState>;
}

/** Those of this very process. */
export function roleLogLevels(role: string, levels: LogLevels): RoleLogLevels {
  return {
    role,
    read: async () => levels.read(),
    change: async (wanted) => levels.change(wanted),
    reset: async () => levels.reset(),
  };
}

/** What a role says of its levels; without `state` it did not answer. */
export interface RoleLogState {
  readonly role: string;
  readonly state?: LogLevelState;
}

/** A role, or a component of it. */
export interface LevelTarget {
  readonly role: RoleLogLevels;
  readonly component?: string;
}

/** The log levels of the whole node. */
export interface NodeLogLevels {
  read(): Promise<readonly RoleLogState[]>;
  /** @throws NectarError NODE_LOG_TARGET_UNKNOWN */
  find(name: string | undefined): Promise<readonly LevelTarget[]>;
  /** Those of the targets that did not answer keep their level: what comes back says how each is now. */
  change(
    targets: readonly LevelTarget[],
    wanted: Pick<LevelChange, 'level' | 'seconds'>,
  ): Promise<readonly RoleLogState[]>;
  reset(): Promise<readonly RoleLogState[]>;
}

export function createNodeLogLevels(roles: readonly RoleLogLevels[]): NodeLogLevels {
  const each = (ask: (role: RoleLogLevels) => Promise<LogLevelState>): Promise<RoleLogState[]> =>
    Promise.all(
      roles.map((role) =>
        ask(role).then(
          (state) => ({ role: role.role, state }),
          () => ({ role: role.role }),
        ),
      ),
    );
  const read = (): Promise<RoleLogState[]> => each((role) => role.read());
  return {
    read,
    async find(name) {
      if (name === undefined) return roles.map((role) => ({ role }));
      const role = roles.find((one) => one.role === name);
      if (role !== undefined) return [{ role }];
      const states = await read();
      const having = roles.filter((_, index) => states[index]?.state?.components.includes(name) === true);
      if (having.length > 0) return having.map((one) => ({ role: one, component: name }));
      const components = states.flatMap(({ state }) => state?.components ?? []);
      const known = [...new Set([...roles.map((one) => one.role), ...components])];
      throw new NectarError('NODE_LOG_TARGET_UNKNOWN', { target: name, known });
    },
    async change(targets, { level, seconds }) {
      const results = await Promise.allSettled(
        targets.map(({ role, component }) =>
          role.change({ ...(component !== undefined && { component }), level, seconds }),
        ),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined && results.every(({ status }) => status === 'rejected')) throw failed.reason;
      return read();
    },
    reset: () => each((role) => role.reset()),
  };
}
