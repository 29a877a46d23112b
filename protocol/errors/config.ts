import { define, EXIT } from './definition.ts';

/** Errors of the node's configuration and of the folder that holds it. */
export const CONFIG_ERRORS = {
  CONFIG_FILE_MISSING: define<{ path: string }>({
    message: ({ path }) => `no readable configuration at ${path}`,
    remedy: 'Name the node with `--home`, or make one with `nectar-byon init`.',
    http: 500,
    exit: EXIT.config,
  }),
  CONFIG_FILE_INVALID: define<{ path: string; problems: string[] }>({
    message: ({ path, problems }) => `configuration ${path} is invalid: ${problems.join('; ')}`,
    remedy:
      'Correct the named options; `nectar-byon config print --defaults` shows every option with its meaning and default.',
    http: 500,
    exit: EXIT.config,
  }),
  CONFIG_VALUE_INVALID: define<{ option: string; expected: string }>({
    message: ({ option, expected }) => `${option} is not ${expected}`,
    remedy: 'Correct the variable or flag; `nectar-byon config print --defaults` shows the type of every option.',
    http: 500,
    exit: EXIT.config,
  }),
};
