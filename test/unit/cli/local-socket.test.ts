import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findLocalSocket } from '../../../cli/local-socket.ts';

let home: string;
let server: Server;
const at = (...parts: string[]): string => join(home, 'run', ...parts);

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'nectar-home-'));
  await mkdir(at(), { mode: 0o700 });
  server = createServer();
});
after(async () => {
  server.close();
  await rm(home, { recursive: true });
});

test('finds the socket of the home, and nothing that another user could have put in its place', async () => {
  assert.equal(findLocalSocket(home), undefined);
  await writeFile(at('gateway.sock'), '');
  assert.equal(findLocalSocket(home), undefined, 'a file');
  await rm(at('gateway.sock'));
  server.listen(at('gateway.sock'));
  await once(server, 'listening');
  assert.equal(findLocalSocket(home), at('gateway.sock'));
  await chmod(at(), 0o770);
  assert.equal(findLocalSocket(home), undefined, 'a folder that others may write to');
  await chmod(at(), 0o700);
  await mkdir(join(home, 'other', 'run'), { recursive: true, mode: 0o700 });
  await symlink(at('gateway.sock'), join(home, 'other', 'run', 'gateway.sock'));
  assert.equal(findLocalSocket(join(home, 'other')), undefined, 'a link');
});
