import { define } from './definition.ts';

/** Errors of the node's configuration and of the folder that holds it. */
export const CONFIG_ERRORS = {
  CONFIG_FILE_MISSING: define<{ path: string }>({
    message: ({ path }) => `no readable configuration at ${path}`,
  }),
  CONFIG_FILE_INVALID: define<{ path: string; problems: string[] }>({
    message: ({ path, problems }) => `configuration ${path} is invalid: ${problems.join('; ')}`,
  }),
  CONFIG_VALUE_INVALID: define<{ option: string; expected: string }>({
    message: ({ option, expected }) => `${option} is not ${expected}`,
  }),
};
