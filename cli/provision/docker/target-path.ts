import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** HOME/target.json: of a home whose node runs in containers. */
export function targetPath(home: string): string {
  return join(home, 'target.json');
}

export function hasTarget(home: string): boolean {
  return existsSync(targetPath(home));
}
