import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Before anything else is loaded, hence the import below. Not the default folder, which lies in the shared temporary one, where
// another user of the machine could plant code for us.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'nectar-byon'));

const { processTerminal, runCommandLine } = await import('./command-line.ts');
const code = await runCommandLine(process.argv.slice(2), processTerminal());
// What was written to a pipe is only on its way: to exit now would cut it off.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((sent) => stream.write('', sent))));
process.exit(code);
