import { define, EXIT } from './definition.ts';

export const CONFIG_ERRORS = {
};
