import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createImage, createLayer, digestOf, encodeArchive } from '../../../images/oci.ts';
import { type ImageRole, mountPoints, ROLE_SPECS, ROLES, serverOf, userOf } from '../../../images/role-specs.ts';
import { ALLOWED } from '../../../images/seccomp/calls.ts';
import { seccompProfile } from '../../../images/seccomp/profile.ts';
import { checkSeccomp } from '../../../images/seccomp/write.ts';
import { decodeTar } from '../../../images/tar.ts';

const config = { User: '1:1', Env: [], Entrypoint: ['/a'], WorkingDir: '/', StopSignal: 'SIGTERM', Labels: {} };
const layer = createLayer([{ kind: 'file', path: 'a', mode: 0o755, content: Buffer.from('a') }], 0, 'a');
const image = (tag: string) =>
  createImage({ name: 'n', tag, architecture: 'amd64', created: 0, layers: [layer], config });

test('an image is its content: the tag is not part of its id, the layer is', () => {
  assert.equal(image('one').id, image('two').id);
  const other = createLayer([{ kind: 'file', path: 'a', mode: 0o755, content: Buffer.from('b') }], 0, 'a');
  const changed = createImage({ name: 'n', tag: 'one', architecture: 'amd64', created: 0, layers: [other], config });
  assert.notEqual(changed.id, image('one').id);
  assert.notEqual(changed.manifestDigest, image('one').manifestDigest);
});

test('an archive holds each blob once, under its own digest, for OCI readers and for docker load', () => {
  const members = new Map(
    [...decodeTar(encodeArchive([image('one'), image('two')], 0))].map((member) => [member.path, member]),
  );
  const blobs = [...members.values()].filter(({ path, type }) => type === '0' && path.startsWith('blobs/'));
  assert.equal(blobs.length, 3);
  for (const { path, content } of blobs) assert.equal(path, `blobs/${digestOf(content).replace(':', '/')}`);
  const json = (path: string) => JSON.parse(Buffer.from(members.get(path)?.content ?? []).toString('utf8'));
  const docker = json('manifest.json') as { Config: string; RepoTags: string[]; Layers: string[] }[];
  assert.deepEqual(
    docker.map(({ RepoTags }) => RepoTags[0]),
    ['n:one', 'n:two'],
  );
  for (const { Config, Layers } of docker) for (const path of [Config, ...Layers]) assert.ok(members.has(path), path);
  const index = json('index.json') as { manifests: { digest: string; size: number }[] };
  for (const { digest, size } of index.manifests) {
    assert.equal(members.get(`blobs/${digest.replace(':', '/')}`)?.content.length, size);
  }
});

test('every socket has one server; a role reaches only what 0002 gives it', () => {
  const calls = Object.fromEntries(
    ROLES.map((role) => [role, ROLE_SPECS[role].calls.map((socket) => `${socket}@${serverOf(socket)}`)]),
  );
  assert.deepEqual(calls, {
    gateway: ['audit-append@audit', 'audit-read@audit', 'store@store', 'rollup@rollup'],
    store: ['audit-append@audit', 'audit-keys@audit'],
    audit: [],
    rollup: ['audit-append@audit', 'blocks@store'],
  });
  assert.equal(new Set(ROLES.map(userOf)).size, ROLES.length);
  assert.ok(ROLES.every((role: ImageRole) => !userOf(role).startsWith('0')));
  for (const role of ROLES) assert.ok(mountPoints(role).every(({ kind }) => kind === 'directory'));
});

test('a profile denies by default, names each call once, and lets store and audit open Unix sockets only', () => {
  const names = ALLOWED.flatMap((group) => group.names);
  assert.equal(new Set(names).size, names.length);
  for (const role of ROLES) {
    const { defaultAction, syscalls } = seccompProfile(role);
    assert.equal(defaultAction, 'SCMP_ACT_ERRNO');
    const families = syscalls.filter((rule) => rule.names.includes('socket')).map((rule) => rule.args?.[0]?.value);
    assert.deepEqual(families, role === 'store' || role === 'audit' ? [1] : [1, 2, 10, 16]);
    assert.ok(syscalls.every((rule) => rule.comment.length > 0));
  }
});

test('the profiles in the repo are those that their source makes', () => {
  assert.equal(checkSeccomp(), 0);
});
