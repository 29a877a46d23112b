import { define, EXIT } from './definition.ts';

export const ROLLUP_ERRORS = {
};
