import { wireRollup } from '../wire/rollup.ts';
import { runEntry } from './entry.ts';

await runEntry('rollup', wireRollup);
