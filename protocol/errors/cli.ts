import { define, EXIT } from './definition.ts';

export const CLI_ERRORS = {
};
