import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import type { CrossingName } from './table.ts';

/** sockaddr_un.sun_path holds 108 bytes with the final zero (unix(7)). */
const MAX_PATH_BYTES = 107;
/** Who may connect: other roles are other users of the group; what only the node's own user asks, is the owner's. */
export type SocketAccess = 'group' | 'owner';
const FOLDER_MODE = { group: 0o770, owner: 0o700 };
const SOCKET_MODE = { group: 0o660, owner: 0o600 };

/** Each crossing has a folder of its own: the mount of the folder is the permission. */
export function socketPath(folder: string, name: CrossingName): string {
  return join(folder, name, 'nectar.sock');
}

export function healthSocketPath(folder: string, role: string): string {
  return join(folder, 'health', `${role}.sock`);
}

/**
 * Makes a server listen on a Unix socket, in place of one that a crash left behind.
 *
 * @throws NectarError NODE_HOME_IN_USE when a live process answers there, NODE_SOCKET_UNUSABLE
 */
export async function listenOnSocket(server: Server, path: string, access: SocketAccess = 'group'): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new NectarError('NODE_SOCKET_UNUSABLE', { path, reason: `its path is longer than ${MAX_PATH_BYTES} bytes` });
  }
  try {
    const made = mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE[access] });
    // The other end may be another user of the group, whatever the umask says.
    if (made !== undefined || access === 'owner') chmodSync(dirname(path), FOLDER_MODE[access]);
    if (await isAnswered(path)) throw new NectarError('NODE_HOME_IN_USE', { home: path });
    unlinkIfThere(path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // bind(2) leaves group and others without write, hence without connect, until the mode is set.
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(path, SOCKET_MODE[access]);
  } catch (error) {
    if (error instanceof NectarError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? 'it cannot be made';
    throw new NectarError('NODE_SOCKET_UNUSABLE', { path, reason }, { cause: error });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => settle(true));
    // A full backlog (EAGAIN) is somebody's too.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => settle(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
