export { createStatus, type StatusDeps, type StatusOptions, type StatusView } from './status.ts';
