import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDigest, containerConfig } from '../../../../cli/provision/docker/container-config.ts';
import { CONTAINER_ROLES } from '../../../../cli/provision/docker/role-table.ts';

const OWNERS = {
  version: 1,
  gateway: { host: '192.0.2.7', port: 9443, maxUploads: 3 },
  p2p: { listenHost: '127.0.0.1', listenPort: 5000 },
  keys: { keyFile: '/vault/root.key', unlockDelayMs: 5 },
};

test('listens at fixed ports inside and keeps everything else that the owner wrote', () => {
  assert.deepEqual(containerConfig(OWNERS), {
    version: 1,
    gateway: { host: '0.0.0.0', port: 8443, maxUploads: 3 },
    p2p: { listenHost: '0.0.0.0', listenPort: 4640 },
    keys: { keyFile: '/run/secrets/root-key', unlockDelayMs: 5 },
  });
});

test('lets the metrics out of the container only where the owner named a port', () => {
  const config = containerConfig({ ...OWNERS, gateway: { metricsPort: 9100, metricsHost: '192.0.2.8' } });
  const listening = { host: '0.0.0.0', port: 8443, metricsHost: '0.0.0.0', metricsPort: 9464 };
  assert.deepEqual(config.gateway, listening);
  const off = containerConfig({ ...OWNERS, gateway: { metricsPort: 0 } });
  assert.deepEqual(off.gateway, { host: '0.0.0.0', port: 8443, metricsPort: 0 });
});

test('names no key file where a passphrase opens the node', () => {
  const { keys: _keys, ...without } = OWNERS;
  assert.equal(containerConfig(without).keys, undefined);
  assert.deepEqual(containerConfig({ ...OWNERS, keys: { keyFile: '' } }).keys, { keyFile: '' });
});

test("hands the site's own authorities to the containers under the path that they have there", () => {
  const config = containerConfig({ ...OWNERS, rollup: { caFile: '/etc/site/ca.pem', proxyUrl: 'http://proxy:3128' } });
  assert.deepEqual(config.rollup, { caFile: '/nectar/config/authorities.pem', proxyUrl: 'http://proxy:3128' });
});

test('restarts only the roles that read what changed', () => {
  const digests = (config: object, shared: Uint8Array[] = []) =>
    CONTAINER_ROLES.map((role) => configDigest(role, config as Record<string, unknown>, shared));
  const differ = (config: object, shared?: Uint8Array[]) =>
    CONTAINER_ROLES.filter((_role, index) => digests(config, shared)[index] !== digests(OWNERS)[index]);
  assert.deepEqual(differ(OWNERS), []);
  assert.deepEqual(differ({ ...OWNERS, audit: { x: 1 } }), ['audit']);
  assert.deepEqual(differ({ ...OWNERS, anchor: { x: 1 } }), ['rollup']);
  assert.deepEqual(differ({ ...OWNERS, log: { level: 'debug' } }), [...CONTAINER_ROLES]);
  assert.deepEqual(differ(OWNERS, [Buffer.from('another network')]), [...CONTAINER_ROLES]);
});
