import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { localSocketOf } from '../appliance/config/home-paths.ts';

const OTHERS = 0o077;

/**
 * The socket on which the node of this home answers programs of its own user, without TLS; undefined where there is none, or where
 * somebody else could have put one: then HTTPS is the way.
 */
export function findLocalSocket(home: string): string | undefined {
  const path = localSocketOf(home);
  try {
    const [socket, folder] = [lstatSync(path), lstatSync(dirname(path))];
    const own = process.geteuid?.();
    const isOurs = socket.uid === own && folder.uid === own && (folder.mode & OTHERS) === 0;
    return socket.isSocket() && folder.isDirectory() && isOurs ? path : undefined;
  } catch {
    return undefined;
  }
}
