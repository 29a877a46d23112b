import { wireStore } from '../wire/store.ts';
import { runEntry } from './entry.ts';

await runEntry('store', wireStore);
