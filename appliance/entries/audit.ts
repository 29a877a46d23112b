import { wireAudit } from '../wire/audit.ts';
import { runEntry } from './entry.ts';

await runEntry('audit', wireAudit);
