import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '../../../../cli/provision/docker/engine.ts';
import { engineAddress } from '../../../../cli/provision/docker/engine-address.ts';
import { isOlder } from '../../../../cli/provision/docker/engine-facts.ts';
import { isNectarError, type NectarError } from '../../../../protocol/errors.ts';
import { type EngineDouble, engineDouble, respond } from './engine-double.ts';

const live = new AbortController().signal;

async function withDouble(
  answer: Parameters<typeof engineDouble>[0],
  work: (double: EngineDouble) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const double = await engineDouble(answer, signal);
  try {
    await work(double);
  } finally {
    await double.close();
  }
}

const coded =
  (code: Parameters<typeof isNectarError>[1], check: (data: Record<string, unknown>) => boolean = () => true) =>
  (error: unknown): boolean =>
    isNectarError(error, code) && check((error as NectarError).data as Record<string, unknown>);

test('says where no engine answers and why', async () => {
  const engine = createEngine({ kind: 'unix', url: 'unix:///nowhere', socketPath: '/nowhere/engine.sock' }, live);
  await assert.rejects(
    engine.facts(),
    coded('CLI_ENGINE_UNREACHABLE', ({ engine: at, reason }) => at === 'unix:///nowhere' && reason === 'ENOENT'),
  );
});

test('refuses an engine that is too old, before anything is asked of it', () =>
  withDouble(
    (_request, response) => respond(response, 200, { Version: '18.9', ApiVersion: '1.39' }),
    async ({ engine, requests }) => {
      await assert.rejects(
        engine.facts(),
        coded('CLI_ENGINE_TOO_OLD', ({ apiVersion, minimum }) => apiVersion === '1.39' && minimum === '1.40'),
      );
      assert.deepEqual(requests, ['GET /version']);
    },
  ));

test('knows Podman from Docker and reads the facts of both', () =>
  withDouble(
    (request, response) =>
      request.url?.includes('/version')
        ? respond(response, 200, {
            Version: '4.3.1',
            ApiVersion: '1.41',
            Components: [{ Name: 'Podman Engine', Version: '4.3.1' }],
          })
        : respond(response, 200, {
            Driver: 'overlay',
            CgroupVersion: '2',
            SecurityOptions: ['name=seccomp,profile=default', 'name=rootless', 'name=userns'],
            MemTotal: 5,
            SystemTime: '2026-11-23T00:00:00Z',
            Warnings: ['WARNING: No swap limit support', 'WARNING: unrelated'],
          }),
    async ({ engine }) => {
      const facts = await engine.facts();
      assert.equal(facts.kind, 'podman');
      assert.deepEqual([facts.rootless, facts.remapped, facts.seccomp, facts.cgroupVersion], [true, true, true, '2']);
      assert.equal(facts.clock, Date.UTC(2026, 10, 23));
      assert.deepEqual(facts.warnings, ['WARNING: No swap limit support']);
    },
  ));

test("gives the engine's own reason when it refuses, on one line and bounded", () =>
  withDouble(
    (_request, response) => respond(response, 500, { message: `first\n  line ${'x'.repeat(5000)}` }),
    async ({ engine }) => {
      await assert.rejects(
        engine.volumes.create({ Name: 'v' }),
        coded(
          'CLI_ENGINE_REFUSED',
          ({ reason, status }) =>
            status === 500 && String(reason).startsWith('first line x') && String(reason).length <= 300,
        ),
      );
    },
  ));

test('tells a full disk and a taken port from other refusals', async () => {
  await withDouble(
    (_request, response) => respond(response, 500, { message: 'write /var/lib/x: no space left on device' }),
    ({ engine }) => assert.rejects(engine.containers.create({ name: 'c' }), coded('NODE_DISK_FULL')),
  );
  await withDouble(
    (_request, response) =>
      respond(response, 500, { message: 'Bind for 127.0.0.1:8443 failed: port is already allocated' }),
    ({ engine }) => assert.rejects(engine.containers.start('c'), coded('CLI_ENGINE_PORT_TAKEN')),
  );
});

test('finds nothing where there is nothing, and takes what is gone or done already for done', () =>
  withDouble(
    (request, response) =>
      request.url?.endsWith('/start')
        ? response.writeHead(304).end()
        : respond(response, 404, { message: 'no such thing' }),
    async ({ engine }) => {
      assert.equal(await engine.containers.find('a'), undefined);
      assert.equal(await engine.volumes.find('a'), undefined);
      assert.equal(await engine.networks.find('a'), undefined);
      assert.equal(await engine.images.find('a'), undefined);
      await engine.containers.start('a');
      await engine.containers.stop('a', 1000);
      await engine.containers.remove('a');
      await engine.volumes.remove('a');
      await assert.rejects(engine.containers.logs('a', { tail: 1 }), coded('CLI_ENGINE_REFUSED'));
    },
  ));

test('ends a call at once when its signal aborts, although the engine never answers', async () => {
  const abort = new AbortController();
  await withDouble(
    () => abort.abort('SIGINT'),
    async ({ engine }) => {
      await assert.rejects(engine.networks.list(['x']), (error) => error === 'SIGINT');
      await assert.rejects(engine.networks.list(['x']), (error) => error === 'SIGINT');
    },
    abort.signal,
  );
});

test('takes a connection that breaks for an engine that does not answer', () =>
  withDouble(
    (request) => request.socket.destroy(),
    ({ engine }) => assert.rejects(engine.containers.list([]), coded('CLI_ENGINE_UNREACHABLE')),
  ));

test('reads the failure of an image load from its progress lines', () =>
  withDouble(
    (request, response) => {
      request.resume();
      request.on('end', () => response.end('{"stream":"Loading"}\n{"error":"unexpected EOF"}\n'));
    },
    async ({ engine }) => {
      const { Readable } = await import('node:stream');
      await assert.rejects(
        engine.images.load(Readable.from([Buffer.from('tar')])),
        coded('CLI_ENGINE_REFUSED', ({ reason }) => reason === 'unexpected EOF'),
      );
    },
  ));

test('asks for several images in one archive', () =>
  withDouble(
    (_request, response) => response.end('tar'),
    async ({ engine, requests }) => {
      for await (const chunk of await engine.images.save(['sha256:aa', 'b:1'])) assert.equal(String(chunk), 'tar');
      assert.deepEqual(requests, ['GET /images/get?names=sha256%3Aaa&names=b%3A1']);
    },
  ));

test('finds the engine by option, by environment, by default, in this order', () => {
  assert.equal(engineAddress('/run/a.sock', { DOCKER_HOST: 'unix:///run/b.sock' }).url, 'unix:///run/a.sock');
  assert.equal(engineAddress(undefined, { DOCKER_HOST: 'unix:///run/b.sock' }).url, 'unix:///run/b.sock');
  assert.match(engineAddress(undefined, {}).url, /docker\.sock$/);
  assert.deepEqual(engineAddress('tcp://192.0.2.1:2375', {}), {
    kind: 'tcp',
    url: 'tcp://192.0.2.1:2375',
    host: '192.0.2.1',
    port: 2375,
  });
});

test('refuses an address that is none, and TLS without certificates', () => {
  assert.throws(() => engineAddress('ssh://host', {}), coded('CLI_USAGE'));
  assert.throws(
    () => engineAddress('tcp://192.0.2.1:2376', { DOCKER_CERT_PATH: '/nowhere' }),
    coded('CLI_FILE_UNREADABLE'),
  );
});

test('compares API versions as numbers', () => {
  assert.ok(isOlder('1.9', '1.40'));
  assert.ok(!isOlder('1.41', '1.40'));
  assert.ok(!isOlder('2.0', '1.40'));
});
