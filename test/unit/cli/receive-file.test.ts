import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Call } from '../../../cli/call.ts';
import type { Client } from '../../../cli/client.ts';
import { openPartial } from '../../../cli/partial-file.ts';
import { type Received, receiveFile } from '../../../cli/receive-file.ts';
import { createOutput } from '../../../cli/render/output.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { breakingNode, MIB, RECORD } from './breaking-node.ts';
import { fakeTerminal } from './capture.ts';

const OTHER = 'cd'.repeat(16);
const root = mkdtempSync(join(tmpdir(), 'nectar-get-'));
after(() => rmSync(root, { recursive: true, force: true }));

type World = ReturnType<typeof breakingNode>['world'];

function change(world: World, to: Partial<World>): undefined {
  Object.assign(world, to);
}

const done = (_work: unknown): undefined => undefined;

let folders = 0;
/** A folder of its own, and one run of the command after the other in it. */
function place() {
  const folder = join(root, String(folders++));
  mkdirSync(join(folder, 'home'), { recursive: true });
  const target = join(folder, 'scan.dcm');
  const run = async (
    client: Client,
    { stopAt, ...wanted }: { stopAt?: number; record?: string; version?: number; force?: boolean } = {},
  ): Promise<{ received: Received | undefined; said: string }> => {
    const interrupt = new AbortController();
    const { terminal, stderr } = fakeTerminal({ signal: interrupt.signal });
    const output = createOutput(terminal, false);
    const call = { home: join(folder, 'home'), terminal, output } as Call<unknown>;
    const stopping: Client = {
      ...client,
      async download(path, headers) {
        const answer = await client.download(path, headers);
        const first = Number(/bytes=(\d+)/.exec(headers?.range ?? '')?.[1] ?? 0);
        async function* body() {
          let at = first;
          for await (const piece of answer.body) {
            if (stopAt !== undefined && at >= stopAt) {
              interrupt.abort(new DOMException('stopped', 'AbortError'));
              interrupt.signal.throwIfAborted();
            }
            at += piece.length;
            yield piece;
          }
        }
        return { ...answer, body: body() };
      },
    };
    try {
      const options = { record: RECORD, target, force: false, keptFrom: MIB, ...wanted };
      return { received: await receiveFile(call, stopping, options), said: stderr() };
    } catch (error) {
      if (stopAt === undefined) throw error;
      return { received: undefined, said: stderr() };
    }
  };
  return { folder, target, run, names: () => readdirSync(folder).sort() };
}

test('a second run goes on behind what the first had fetched, and leaves nothing but the file', async () => {
  const content = randomBytes(7 * MIB + 5);
  const { world, client } = breakingNode(content);
  const { run, target, names } = place();
  const first = await run(client, { stopAt: 3 * MIB });
  assert.match(first.said, /what arrived is in .*nectar-part; the same command goes on there/);
  assert.deepEqual(names(), ['home', 'scan.dcm.nectar-part', 'scan.dcm.nectar-part.json']);
  assert.equal(statSync(`${target}.nectar-part`).mode & 0o077, 0, 'nobody else reads a part');
  const second = await run(client, { stopAt: 5 * MIB });
  assert.match(second.said, /an earlier run had fetched 3.* of 7/);
  const third = await run(client);
  assert.equal(third.received?.resumedAt, 5 * MIB);
  assert.deepEqual(readFileSync(target), content);
  assert.deepEqual(names(), ['home', 'scan.dcm']);
  assert.deepEqual(
    world.asked.filter((asked) => asked.includes('bytes=')),
    [`/v1/records/${RECORD}?version=1 bytes=${3 * MIB}-`, `/v1/records/${RECORD}?version=1 bytes=${5 * MIB}-`],
  );
});

test('begins anew, and says why, with another version, another record, and a part that is not what was written', async () => {
  const flip = (path: string) => {
    const bytes = readFileSync(path);
    bytes[MIB] = (bytes[MIB] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  const cases: [string, RegExp, (target: string, world: World) => object | undefined][] = [
    ['a new version', /not the version any more/, (_target, world) => change(world, { version: 2 })],
    ['a node put back', /not the version any more/, (_target, world) => change(world, { createdAt: 'then' })],
    ['another version is asked for', /another record or version/, () => ({ version: 4 })],
    ['another record', /another record or version/, () => ({ record: OTHER })],
    ['a byte changed', /is damaged/, (target) => done(flip(`${target}.nectar-part`))],
    ['a part cut off', /cannot be gone on with/, (target) => done(truncateSync(`${target}.nectar-part`, 100))],
    ['a part that is gone', /cannot be gone on with/, (target) => done(rmSync(`${target}.nectar-part`))],
    [
      'a note that is damaged',
      /cannot be gone on with/,
      (target) => done(writeFileSync(`${target}.nectar-part.json`, '{')),
    ],
    [
      'a note that promises too much',
      /cannot be gone on with/,
      (target) => {
        const note = JSON.parse(readFileSync(`${target}.nectar-part.json`, 'utf8')) as object;
        writeFileSync(`${target}.nectar-part.json`, JSON.stringify({ ...note, done: 99 * MIB }));
      },
    ],
  ];
  for (const [name, said, change] of cases) {
    const { world, client } = breakingNode(randomBytes(3 * MIB));
    const { run, target, names } = place();
    await run(client, { stopAt: 2 * MIB });
    const options = change(target, world) ?? {};
    const second = await run(client, options);
    assert.match(second.said, said, name);
    assert.equal(second.received?.resumedAt, 0, name);
    assert.deepEqual(readFileSync(target), world.content, name);
    assert.deepEqual(names(), ['home', 'scan.dcm'], name);
  }
});

test('what a crash left behind the note is cut off, and a part that is already whole needs no byte more', async () => {
  const { world, client } = breakingNode(randomBytes(4 * MIB));
  const { run, target } = place();
  await run(client, { stopAt: 2 * MIB });
  appendFileSync(`${target}.nectar-part`, randomBytes(9 * MIB));
  assert.equal((await run(client)).received?.resumedAt, 2 * MIB);
  assert.deepEqual(readFileSync(target), world.content);

  const other = place();
  writeFileSync(other.target, 'in the way');
  await assert.rejects(other.run(client), (error) => isNectarError(error, 'CLI_OUTPUT_EXISTS'));
  const partial = await openPartial(join(other.folder, 'home'), other.target);
  const identity = { version: 1, createdAt: world.createdAt, bytes: world.content.length };
  await partial?.write(
    { recordId: RECORD, identity },
    { done: 0, crc: 0 },
    (async function* () {
      yield world.content;
    })(),
  );
  await partial?.release();
  world.asked = [];
  assert.equal((await other.run(client, { force: true })).received?.resumedAt, 4 * MIB);
  assert.deepEqual(world.asked, [`HEAD /v1/records/${RECORD}`]);
  assert.deepEqual(readFileSync(other.target), world.content);
});

test('a record that was destroyed meanwhile leaves no part of it', async () => {
  const { world, client } = breakingNode(randomBytes(3 * MIB));
  const { run, names } = place();
  await run(client, { stopAt: 2 * MIB });
  world.gone = true;
  await assert.rejects(run(client), (error) => isNectarError(error, 'STORE_RECORD_SHREDDED'));
  assert.deepEqual(names(), ['home']);
});

test('the finished file is held against the digest that the node knows', async () => {
  const { world, client } = breakingNode(randomBytes(3 * MIB));
  world.digest = `sha-256=:${createHash('sha256').update(world.content).digest('base64')}:`;
  const right = place();
  await right.run(client, { stopAt: 2 * MIB });
  assert.equal((await right.run(client)).received?.resumedAt, 2 * MIB);

  world.digest = `sha-256=:${createHash('sha256').update('other').digest('base64')}:`;
  const wrong = place();
  await wrong.run(client, { stopAt: 2 * MIB });
  await assert.rejects(wrong.run(client), (error) => isNectarError(error, 'CLI_DOWNLOAD_DAMAGED'));
  assert.deepEqual(wrong.names(), ['home']);
});

test('writes through no link that lies in the way, and one run at a time has a part', async () => {
  const { world, client } = breakingNode(randomBytes(3 * MIB));
  const { run, target, folder } = place();
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${target}.nectar-part`);
  await run(client);
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.deepEqual(readFileSync(target), world.content);

  const held = await openPartial(join(folder, 'home'), target);
  assert.ok(held !== undefined);
  assert.equal(await openPartial(join(folder, 'home'), target), undefined);
  rmSync(target);
  // Without the part the download is good for one run.
  await run(client, { stopAt: 2 * MIB });
  assert.equal(existsSync(`${target}.nectar-part`), false);
  await held.release();
});
