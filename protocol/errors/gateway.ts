import { define, EXIT } from './definition.ts';

export const GATEWAY_ERRORS = {
};
