import { wireGateway } from '../wire/gateway.ts';
import { runEntry } from './entry.ts';

await runEntry('gateway', wireGateway);
