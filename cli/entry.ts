import { join } from 'node:path';

/** The file that starts the CLI: cli/main.ts in a clone, the bundle itself in the published package. */
export const ENTRY: string = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, 'main.ts')
  : import.meta.filename;
