import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createImage, type Image } from '../../../images/oci.ts';
import { type ImageRole, ROLE_SPECS, ROLES } from '../../../images/role-specs.ts';
import { readProfile } from '../../../images/seccomp/write.ts';
import { globalStateHash } from '../../../protocol/dispute/global-state.ts';
import { FLAG_OK } from '../../../protocol/dispute/machine-state.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { EMPTY_SEND_ROOT } from '../../../protocol/rollup/send-tree.ts';
import { rollupConfigOf, ZERO } from '../../unit/machine/tracer/guest-fixture.ts';
import { assembled } from './assembled.ts';
import { load, noEngine, removeImage, runInContainer } from './engine.ts';

const NODE = '/nodejs/bin/node';
const ONLINE: readonly ImageRole[] = ['gateway', 'rollup'];

/** Runs inside a role's container, under its profile; prints what it saw. CommonJS, since that is what `node -e` takes. */
const EVERYTHING = `
const fs = require('node:fs'), net = require('node:net'), { Worker } = require('node:worker_threads');
const { spawnSync } = require('node:child_process'), { createRequire } = require('node:module');
const seen = {};
const tcp = () => new Promise((done) => {
  const server = net.createServer((socket) => socket.end('tcp'));
  server.on('error', ({ code }) => done(code));
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').on('data', (text) => { server.close(); done(String(text)); }));
});
const unix = () => new Promise((done) => {
  const server = net.createServer((socket) => socket.end('unix'));
  server.listen('/tmp/s', () => { fs.chmodSync('/tmp/s', 0o660); net.connect('/tmp/s').on('data', (text) => { server.close(); done(String(text)); }); });
});
const worker = () => new Promise((done, fail) => new Worker("require('worker_threads').parentPort.postMessage('worker')", { eval: true }).on('message', done).on('error', fail));
(async () => {
  fs.writeFileSync('/tmp/a', 'file', { flush: true });
  fs.renameSync('/tmp/a', '/tmp/b');
  fs.copyFileSync('/tmp/b', '/tmp/c');
  seen.fs = [fs.readFileSync('/tmp/c', 'utf8'), fs.statfsSync('/tmp').bsize > 0, fs.readdirSync('/tmp').length];
  const addon = createRequire('/app/main.mjs')('/app/native/classic-level.node');
  seen.addon = typeof addon.db_open;
  seen.unix = await unix();
  seen.tcp = await tcp();
  seen.worker = await worker();
  seen.wasm = WebAssembly.validate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  seen.argon2 = require('node:crypto').argon2Sync?.('argon2id', { message: 'm', nonce: Buffer.alloc(16), parallelism: 1, tagLength: 16, memory: 8192, passes: 1 }).length;
  seen.child = spawnSync(process.execPath, ['--version']).error?.code;
  seen.shell = spawnSync('/bin/sh', ['-c', 'true']).error?.code;
  try { fs.writeFileSync('/app/main.mjs', ''); seen.root = 'written'; } catch ({ code }) { seen.root = code; }
  seen.user = [process.getuid(), process.getgid()];
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  seen.status = Object.fromEntries(['CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp'].map((name) => [name, new RegExp(name + ':\\\\s+(\\\\S+)').exec(status)[1]]));
  console.log(JSON.stringify(seen));
})();
`;

/** An iteration at its target, which takes no batch to derive: the guest starts, asks for its words, and hands back the same G. */
const PLACE = { blockHash: ZERO, sendRoot: EMPTY_SEND_ROOT, batch: 3n, offset: 0n } as const;
const DISPUTE_CONFIG = { chainId: 6328271n, fork: 'prague', p256: true, deployedAt: 1n } as const;

/** What the image has of the machine of disputes plays that iteration in the image's own thread. */
const TRACED = `
const fs = require('node:fs'), { Worker } = require('node:worker_threads');
const workerData = {
  files: { elf: fs.readFileSync('/app/dispute.elf'), poseidon2: fs.readFileSync('/app/poseidon2.wasm') },
  place: { blockHash: '${PLACE.blockHash}', sendRoot: '${PLACE.sendRoot}', batch: 3n, offset: 0n, target: 3n, accumulator: '${ZERO}' },
  config: { chainId: 6328271n, fork: 'prague', p256: true, deployedAt: 1n },
  rollupConfig: Uint8Array.from(Buffer.from('${bytesToHex(rollupConfigOf(DISPUTE_CONFIG)).slice(2)}', 'hex')),
  answers: [],
};
const worker = new Worker('/app/tracer-worker.mjs', { workerData, env: {}, argv: [], execArgv: [] });
worker.on('error', (error) => { console.error(error); process.exit(1); });
worker.on('message', ({ answer, error }) => {
  if (error) { console.error(error); process.exit(1); }
  console.log(JSON.stringify({ flag: answer.flag, output: Buffer.from(answer.output).toString('hex') }));
  process.exit(0);
});
worker.postMessage({ kind: 'open', step: 2n ** 40n });
`;

describe('a role in its container', { skip: noEngine ?? false }, () => {
  /** The images under names of their own, so that this test moves nobody's tags. */
  const images = new Map<ImageRole, Image>();

  before(async () => {
    const { roles, architecture } = await assembled();
    for (const { role, image } of roles) {
      const { config } = JSON.parse(Buffer.from(image.config).toString('utf8')) as {
        config: Parameters<typeof createImage>[0]['config'];
      };
      const own = {
        name: `nectar-test-${role}-${process.pid}`,
        tag: 'run',
        architecture,
        created: 0,
        layers: image.layers,
        config,
      };
      images.set(role, createImage(own));
    }
    await load([...images.values()]);
  });
  after(async () => {
    for (const { name, tag } of images.values()) await removeImage(`${name}:${tag}`);
  });

  const idOf = (role: ImageRole): string => {
    const image = images.get(role);
    assert.ok(image);
    return image.id;
  };

  for (const role of ROLES) {
    test(`${role}: files, sockets, threads and the native addon work under the profile; processes do not`, async () => {
      const { stdout, stderr, status } = await runInContainer({
        image: idOf(role),
        entrypoint: [NODE, '-e', EVERYTHING],
        seccomp: readProfile(role),
      });
      assert.equal(status, 0, stderr);
      const { child, shell, tcp, ...seen } = JSON.parse(stdout.toString('utf8')) as Record<string, unknown>;
      const { uid } = ROLE_SPECS[role];
      assert.deepEqual(seen, {
        fs: ['file', true, 2],
        addon: 'function',
        unix: 'unix',
        worker: 'worker',
        wasm: true,
        argon2: 16,
        root: 'EROFS',
        user: [uid, uid],
        status: { CapEff: '0'.repeat(16), CapBnd: '0'.repeat(16), NoNewPrivs: '1', Seccomp: '2' },
      });
      assert.equal(tcp, ONLINE.includes(role) ? 'tcp' : 'EPERM');
      assert.ok(child === 'EPERM' && (shell === 'EPERM' || shell === 'ENOENT'), `${child} ${shell}`);
    });

    test(`${role}: its program starts, and its health check answers without a shell`, async () => {
      const options = { image: idOf(role), seccomp: readProfile(role) };
      const health = await runInContainer({ ...options, entrypoint: [NODE, '/app/main.mjs', 'healthcheck', role] });
      assert.equal(health.status, 1);
      assert.match(health.stdout.toString('utf8'), /^no answer: ENOENT\n$/);
      const usage = await runInContainer({ ...options, entrypoint: [NODE, '/app/main.mjs', 'run', 'nonsense'] });
      assert.equal(usage.status, 2, usage.stderr);
      // Everything is loaded and the wiring begins: what it lacks is a node's configuration.
      const run = await runInContainer({
        ...options,
        entrypoint: [NODE, '/app/main.mjs', 'run', role, '--home', '/nectar'],
      });
      assert.match(run.stderr, /"code":"(CONFIG|NODE|CLI)_[A-Z_]+"/);
      assert.notEqual(run.status, 0);
    });

    test(`${role}: there is no shell to start`, async () => {
      for (const shell of ['/bin/sh', '/bin/bash', '/busybox/sh']) {
        await assert.rejects(runInContainer({ image: idOf(role), entrypoint: [shell] }), /no such file or directory/);
      }
    });
  }

  test('rollup: the machine of disputes runs an iteration to its end, under the profile', async () => {
    const { stdout, stderr, status } = await runInContainer({
      image: idOf('rollup'),
      entrypoint: [NODE, '-e', TRACED],
      seccomp: readProfile('rollup'),
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout.toString('utf8')), { flag: FLAG_OK, output: globalStateHash(PLACE).slice(2) });
  });
});
