import { define, EXIT } from './definition.ts';

export const STORE_ERRORS = {
};
