import { define, EXIT } from './definition.ts';

export const NETWORK_ERRORS = {
};
