import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import type { EngineApi, EngineNode } from '../../../../hardening/collectors/engine-api.ts';
import { readImageArchive } from '../../../../hardening/collectors/image/archive.ts';
import { type ImageContext, imageFacts } from '../../../../hardening/collectors/image/image-facts.ts';
import { examineFiles } from '../../../../hardening/collectors/image/image-files.ts';
import { createImagesCollector } from '../../../../hardening/collectors/image/images.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';
import { encodeTar, type TarEntry } from '../../../../images/tar.ts';

const signal = new AbortController().signal;
const ID = 'a'.repeat(64);
const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n';
const bom = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [{ type: 'library', name: 'x' }],
});

const file = (path: string, mode = 0o644, content = 'x'): TarEntry => ({
  kind: 'file',
  path,
  mode,
  content: Buffer.from(content),
});
const folder = (path: string, mode: number): TarEntry => ({ kind: 'directory', path, mode });
const link = (path: string, target: string): TarEntry => ({ kind: 'link', path, mode: 0o777, target });
const layer = (...entries: TarEntry[]): Uint8Array => encodeTar(entries, 0);

/** In small and odd pieces, as a socket gives them. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 7; at < bytes.length; at += size, size = (size * 5 + 3) % 4096 || 1)
    yield bytes.subarray(at, at + size);
}

/** What `docker save` writes. */
function saved(layers: readonly Uint8Array[], more: readonly TarEntry[] = [], names?: readonly string[]): Uint8Array {
  const paths = names ?? layers.map((_layer, index) => `l${index}/layer.tar`);
  const manifest = JSON.stringify([{ Config: `${ID}.json`, RepoTags: null, Layers: paths }]);
  return encodeTar(
    [
      file('manifest.json', 0o644, manifest),
      file(`${ID}.json`, 0o644, '{}'),
      file('l0/VERSION', 0o644, '1.0'),
      ...layers.map(
        (content, index): TarEntry => ({ kind: 'file', path: `l${index}/layer.tar`, mode: 0o644, content }),
      ),
      ...more,
    ],
    0,
  );
}

async function examine(...layers: Uint8Array[]) {
  return examineFiles((await readImageArchive(pieces(saved(layers)), signal))(`sha256:${ID}`));
}

test('finds what does not belong into an image', async () => {
  const found = await examine(
    layer(
      file('bin/busybox', 0o755),
      link('bin/sh', 'busybox'),
      file('usr/share/doc/bash', 0o644),
      file('usr/bin/apt-get', 0o755),
      link('nodejs/bin/npm', '../lib/npm.js'),
      file('usr/bin/passwd', 0o4755),
      file('usr/bin/wall', 0o2755),
      folder('run/socket', 0o2770),
      file('app/open.mjs', 0o666),
      folder('shared', 0o777),
      folder('tmp', 0o1777),
      file('srv/.npmrc', 0o600, '//registry/:_authToken=x'),
      file('app/settings.txt', 0o600, KEY),
      file('etc/ssl/cert.pem', 0o644, '-----BEGIN CERTIFICATE-----\n'),
      file('app/jose.mjs', 0o644, `const header = '${KEY.slice(0, 30)}';`),
    ),
  );
  assert.deepEqual(found, {
    shells: ['/bin/busybox', '/bin/sh'],
    packageManagers: ['/nodejs/bin/npm', '/usr/bin/apt-get'],
    setuidFiles: ['/usr/bin/passwd', '/usr/bin/wall'],
    fileCapabilities: [],
    worldWritableFiles: ['/app/open.mjs', '/shared'],
    secretFiles: ['/app/settings.txt', '/srv/.npmrc'],
    hasSbom: false,
    packages: 0,
  });
});

test('shows what the top layer shows, but forgets no secret below it', async () => {
  const found = await examine(
    layer(
      file('bin/sh', 0o755),
      file('bin/su', 0o4755),
      file('opt/x/bash', 0o755),
      file('opt/y/zsh', 0o755),
      file('k', 0o600, KEY),
    ),
    layer(file('bin/.wh.sh'), file('bin/su', 0o755), file('opt/x/.wh..wh..opq'), file('opt/x/new'), file('.wh.k')),
    layer(file('opt/.wh.y')),
  );
  assert.deepEqual(found.shells, []);
  assert.deepEqual(found.setuidFiles, []);
  assert.deepEqual(found.secretFiles, ['/k']);
});

test('counts packages and believes a bill of materials only when it is one', async () => {
  const ours = await examine(
    layer(
      file('sbom/nectar.cdx.json', 0o644, bom),
      file('var/lib/dpkg/status.d/libc6'),
      file('var/lib/dpkg/status.d/base-files'),
      file('var/lib/dpkg/status.d/base-files.md5sums'),
    ),
  );
  assert.deepEqual([ours.hasSbom, ours.packages], [true, 2]);
  const debian = await examine(
    layer(
      file('sbom/x.cdx.json', 0o644, '{"bomFormat":"none"}'),
      file('var/lib/dpkg/status', 0o644, 'Package: a\n\nPackage: b\nX: y\n'),
    ),
  );
  assert.deepEqual([debian.hasSbom, debian.packages], [false, 2]);
});

/** A file with capabilities of its own, as engines write it: a pax record before it. */
function withCapability(path: string): Uint8Array {
  const key = 'SCHILY.xattr.security.capability';
  const value = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const length = key.length + value.length + 3;
  const total = length + String(length + String(length).length).length;
  const record = Buffer.concat([Buffer.from(`${total} ${key}=`), value, Buffer.from('\n')]);
  const extended = Buffer.from(encodeTar([{ kind: 'file', path: 'pax', mode: 0o644, content: record }], 0)).subarray(
    0,
    1024,
  );
  extended.write('x', 156, 'latin1');
  extended.write('        ', 148, 'latin1');
  const sum = extended.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  extended.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  // Without parents, which encodeTar would put in between.
  return Buffer.concat([extended, encodeTar([file(path, 0o755)], 0)]);
}

test('sees capabilities of files', async () => {
  assert.deepEqual((await examine(withCapability('ping'))).fileCapabilities, ['/ping']);
});

test('reads layers that are compressed or linked, and counts their bytes unpacked', async () => {
  const first = layer(file('bin/sh', 0o755));
  const second = layer(file('bin/su', 0o4755));
  const plain = await readImageArchive(pieces(saved([first, second])), signal);
  assert.equal(plain(ID).bytes, first.length + second.length);
  const packed = await readImageArchive(pieces(saved([gzipSync(first), gzipSync(second)])), signal);
  assert.equal(packed(ID).bytes, first.length + second.length);
  assert.deepEqual(examineFiles(packed(ID)), examineFiles(plain(ID)));

  const linked = saved([first], [link('l9/layer.tar', '../l0/layer.tar')], ['l9/layer.tar']);
  assert.deepEqual(examineFiles((await readImageArchive(pieces(linked), signal))(ID)).shells, ['/bin/sh']);
});

test('takes nothing that is cut off, missing or of another image for an image', async () => {
  const whole = saved([layer(file('bin/sh', 0o755))]);
  for (const length of [100, 1000, whole.length - 1024]) {
    await assert.rejects(readImageArchive(pieces(whole.subarray(0, length)), signal), String(length));
  }
  await assert.rejects(readImageArchive(pieces(Buffer.from('no archive at all'.repeat(100))), signal));
  const find = await readImageArchive(pieces(whole), signal);
  assert.throws(() => find('b'.repeat(64)), /does not name/);
  const lacking = await readImageArchive(pieces(saved([], [], ['l7/layer.tar'])), signal);
  assert.throws(() => lacking(ID), /lacks the layer/);
  const broken = gzipSync(layer(file('bin/sh', 0o755)));
  await assert.rejects(readImageArchive(pieces(saved([broken.subarray(0, broken.length - 20)])), signal));
});

const node: EngineNode = {
  nodeId: 'f'.repeat(32),
  prefix: 'nectar-ffffffff-',
  roles: ['store'],
  labels: { node: 'n', role: 'r', version: 'v', spec: 's' },
};
const context: ImageContext = {
  version: '1.2.3',
  now: () => Date.parse('2026-03-01T12:00:00Z'),
  lock: { imageIds: { store: `sha256:${ID}` }, baseLayers: ['sha256:base'] },
};
const inspection = {
  RepoTags: ['nectar-byon-store:1.2.3'],
  Created: '2026-02-01T00:00:00Z',
  RootFS: { Type: 'layers', Layers: ['sha256:base', 'sha256:own'] },
  Config: {
    User: '64002:64002',
    Env: ['PATH=/nodejs/bin'],
    Entrypoint: ['/nodejs/bin/node', '/app/main.mjs'],
    Labels: { r: 'store', v: '1.2.3', 'org.opencontainers.image.licenses': 'Apache-2.0' },
    Healthcheck: { Test: ['CMD', '/nodejs/bin/node', 'healthcheck'] },
  },
};

function facts(changes: object = {}, config: object = {}, history: readonly string[] = [], more = context) {
  const found = imageFacts(
    {
      role: 'store',
      id: `sha256:${ID}`,
      inspection: openDocument({ ...inspection, ...changes, Config: { ...inspection.Config, ...config } }),
      history: openDocument(history.map((CreatedBy) => ({ CreatedBy }))),
      files: () => {
        throw new Error('the stream was cut off');
      },
    },
    node,
    more,
  );
  return (fact: string): Observation | undefined => (found as Record<string, Observation>)[`image.${fact}`];
}

test('reads the configuration of an image', () => {
  const found = facts();
  for (const [fact, value] of Object.entries({
    role: 'store',
    user: '64002:64002',
    secretsInConfig: [],
    healthcheck: true,
    ageDays: 28,
    layers: 2,
    addInstructions: 0,
    updateInstructions: 0,
    labelled: true,
    exposedPorts: [],
    entrypointShell: false,
    versionMatches: true,
    digestKnown: true,
    baseAssembled: true,
  })) {
    assert.deepEqual(found(fact), { value }, fact);
  }
});

test('sees an image that is weaker, older or another', () => {
  const history = [
    '/bin/sh -c #(nop) ADD file:0123 in / ',
    'RUN |1 API_TOKEN=abcdef /bin/sh -c make # buildkit',
    'ENV DB_PASSWORD="hunter2!"',
    '/bin/sh -c apt-get -qq update',
    '/bin/sh -c apt-get update && apt-get install -y curl=1',
    'COPY ADDITIONS / # buildkit',
  ];
  const env = { Env: ['AWS_SECRET_KEY=abc'], User: '', Entrypoint: ['/bin/sh', '-c', 'node'], Labels: null };
  const found = facts({ RootFS: { Layers: ['sha256:other'] } }, { ...env, ExposedPorts: { '22/tcp': {} } }, history);
  for (const [fact, value] of Object.entries({
    user: '',
    secretsInConfig: ['API_TOKEN', 'AWS_SECRET_KEY', 'DB_PASSWORD'],
    addInstructions: 1,
    updateInstructions: 1,
    labelled: false,
    exposedPorts: ['22/tcp'],
    entrypointShell: true,
    versionMatches: false,
    baseAssembled: false,
  })) {
    assert.deepEqual(found(fact), { value }, fact);
  }
  const shell = facts({}, { Entrypoint: null, Cmd: ['/bin/sh', '-c', 'x'] });
  assert.deepEqual(shell('entrypointShell'), { value: true });
  const foreign = facts({}, {}, [], { ...context, lock: { imageIds: { store: 'sha256:bb' }, baseLayers: [] } });
  assert.deepEqual(foreign('digestKnown'), { value: false });
  assert.deepEqual(foreign('baseAssembled'), { value: false });
});

test('says why it knows no digests, and why it saw no files', () => {
  const { lock: _none, ...without } = context;
  const found = facts({}, {}, [], without);
  for (const fact of ['digestKnown', 'baseAssembled', 'shells', 'secretFiles', 'sbom', 'bytes'])
    assert.ok('error' in (found(fact) ?? {}), fact);
});

test('looks at the image that a container runs, not at the one that is named', async () => {
  const archive = saved([layer(file('bin/sh', 0o755))]);
  const api: EngineApi = {
    getJson: async (path) => {
      if (path.startsWith('/containers/json')) {
        return [{ Id: 'cc', Names: ['/nectar-ffffffff-store'], Labels: { r: 'store' }, State: 'running' }];
      }
      if (path === '/containers/cc/json') return { Image: `sha256:${ID}` };
      if (path === `/images/sha256%3A${ID}/json`) return inspection;
      return path.endsWith('/history') ? [] : undefined;
    },
    getStream: async (path) => (path === `/images/get?names=sha256%3A${ID}` ? pieces(archive) : undefined),
    exec: () => Promise.reject(new Error('not asked for')),
  };
  const options = { api, node, context, imageIds: { store: 'sha256:named' } };
  const [subject] = await createImagesCollector(options).collect(signal);
  assert.equal(subject?.name, 'nectar-byon-store:1.2.3');
  assert.deepEqual(subject.facts['image.shells'], { value: ['/bin/sh'] });

  const cut = { ...api, getStream: async () => pieces(archive.subarray(0, 2000)) };
  const [unseen] = await createImagesCollector({ ...options, api: cut }).collect(signal);
  assert.deepEqual(unseen?.facts['image.user'], { value: '64002:64002' });
  assert.ok('error' in (unseen.facts['image.shells'] ?? {}));

  const gone: EngineApi = { ...api, getJson: async (path) => (path.startsWith('/containers') ? [] : undefined) };
  await assert.rejects(async () => createImagesCollector({ ...options, api: gone }).collect(signal), /does not have/);
});
