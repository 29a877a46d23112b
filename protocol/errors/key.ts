import { define, EXIT } from './definition.ts';

export const KEY_ERRORS = {
};
