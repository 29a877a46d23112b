import { define, EXIT } from './definition.ts';

export const ANCHOR_ERRORS = {
};
