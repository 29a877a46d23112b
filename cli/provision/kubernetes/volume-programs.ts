/**
 * What runs in a pod that has the volumes of a role and nothing else: small modules, given to node as text, since the images have no
 * shell. No secret is ever an argument; what is read or written passes over their standard streams.
 */

/** Ends by itself when nobody has been at work beside it for a while: a command that was killed leaves no pod behind. */
export const WAIT_FOR_WORK = `
import { readdirSync } from 'node:fs';
const isAlone = () => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length <= 1;
let since = performance.now();
setInterval(() => {
  if (!isAlone()) since = performance.now();
  else if (performance.now() - since > 300000) process.exit(0);
}, 5000);
process.on('SIGTERM', () => process.exit(0));
`;

/**
 * Reads. A request is a line with a path below /nectar; the answer a ustar archive of that file or folder without the zeros at its end,
 * in frames: the length (four bytes, the highest first) and as many bytes; 0 ends it, NOT_THERE and FAILED (followed by a frame with the reason) are none. A file
 * that grows meanwhile counts as it was when it was opened; one that vanishes is left out, one that shrinks is a failure.
 */
export const READ_VOLUMES = `
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
const chunk = Buffer.alloc(262144);
const pause = new Int32Array(new SharedArrayBuffer(4));
const put = (bytes) => {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
};
const number = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const send = (bytes) => {
  if (bytes.length > 0) put(Buffer.concat([number(bytes.length), bytes]));
};
const headOf = (path, size, modified) => {
  const head = Buffer.alloc(512);
  let name = path;
  if (name.length > 100) {
    const at = name.indexOf('/', name.length - 101);
    if (at < 0 || at > 155) throw new Error('a name is too long');
    head.write(name.slice(0, at), 345, 'latin1');
    name = name.slice(at + 1);
  }
  const octal = (value, at, digits) => head.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  head.write(name, 0, 'latin1');
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(Math.floor(modified / 1000), 136, 11);
  head.write('        0', 148, 'latin1');
  head.write('ustar', 257, 'latin1');
  head.write('00', 263, 'latin1');
  octal(head.reduce((sum, byte) => sum + byte, 0), 148, 6);
  head[154] = 0;
  return head;
};
const sendFile = (path, name) => {
  let file;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  try {
    const { size, mtimeMs } = fstatSync(file);
    send(headOf(name, size, mtimeMs));
    for (let at = 0; at < size; ) {
      const read = readSync(file, chunk, 0, Math.min(chunk.length, size - at), at);
      if (read === 0) throw new Error(name + ' became shorter');
      send(chunk.subarray(0, read));
      at += read;
    }
    send(Buffer.alloc((512 - (size % 512)) % 512));
  } finally {
    closeSync(file);
  }
};
const sendTree = (path, name) => {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [below, its] = [path + '/' + entry.name, name + '/' + entry.name];
    if (entry.isDirectory()) sendTree(below, its);
    else if (entry.isFile()) sendFile(below, its);
  }
};
for await (const line of createInterface({ input: process.stdin })) {
  const path = '/nectar/' + line;
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      put(number(0xffffffff));
      continue;
    }
    if (found.isDirectory()) sendTree(path, basename(path));
    else sendFile(path, basename(path));
    put(number(0));
  } catch (error) {
    put(number(0xfffffffe));
    send(Buffer.from(String(error.message).slice(0, 500)));
  }
}
`;
export const NOT_THERE = 0xffffffff;
export const FAILED = 0xfffffffe;

/**
 * Writes, into volumes that are empty: a length (four bytes), as many bytes of JSON {path, size}, the content; a length of 0 ends it.
 * Everything is durable when it prints `done`; whatever else ends it leaves what is no node.
 */
export const WRITE_VOLUMES = `
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
const source = process.stdin[Symbol.asyncIterator]();
let rest = Buffer.alloc(0);
const some = async (limit) => {
  while (rest.length === 0) {
    const next = await source.next();
    if (next.done) throw new Error('it ended too early');
    rest = next.value;
  }
  const part = rest.subarray(0, limit);
  rest = rest.subarray(part.length);
  return part;
};
const take = async (length) => {
  const parts = [];
  for (let left = length; left > 0; ) {
    const part = await some(left);
    parts.push(part);
    left -= part.length;
  }
  return Buffer.concat(parts);
};
for (const folder of process.argv.slice(1))
  if (readdirSync(folder).some((name) => name !== 'lost+found')) throw new Error(folder + ' is not empty');
const sync = (path) => {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
const folders = new Set();
for (;;) {
  const length = (await take(4)).readUInt32BE();
  if (length === 0) break;
  if (length > 4096) throw new Error('a head is too long');
  const { path, size } = JSON.parse((await take(length)).toString('utf8'));
  if (!/^[A-Za-z0-9._-]+([/][A-Za-z0-9._-]+)*$/.test(path) || path.split('/').includes('..')) throw new Error('a path is refused');
  const whole = '/nectar/' + path;
  mkdirSync(dirname(whole), { recursive: true, mode: 0o700 });
  for (let folder = dirname(whole); folder.length > '/nectar'.length; folder = dirname(folder)) folders.add(folder);
  const file = openSync(whole, 'wx', 0o600);
  try {
    for (let left = size; left > 0; ) {
      const part = await some(left);
      for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
      left -= part.length;
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
for (const folder of folders) sync(folder);
process.stdout.write('done');
process.exit(0);
`;
