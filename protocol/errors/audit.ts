import { define, EXIT } from './definition.ts';

export const AUDIT_ERRORS = {
};
