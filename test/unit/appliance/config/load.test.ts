import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  configOptions,
  loadConfig,
  nodeConfigSchema,
  printConfig,
  resolveConfig,
} from '../../../../appliance/config/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

describe('configuration', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'nectar-config-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const write = (value: unknown): void => writeFileSync(join(home, 'config.json'), JSON.stringify(value));

  test('fills every default', () => {
    const { config, sources } = resolveConfig({}, { path: 'none' });
    assert.equal(config.gateway.host, '127.0.0.1');
    assert.equal(config.log.level, 'info');
    assert.ok([...sources.values()].every((source) => source === 'default'));
  });

  test('layers default < file < env < flag', () => {
    write({ version: 1, gateway: { port: 1001, maxUploads: 3, maxConnections: 9 } });
    const loaded = loadConfig({
      home,
      env: {
        NECTAR_GATEWAY_PORT: '1002',
        NECTAR_GATEWAY_MAX_UPLOADS: '4',
        NECTAR_P2P_ANNOUNCE: '/ip4/10.0.0.1/tcp/1, /dns4/x/tcp/2',
      },
      flags: { 'gateway.port': 1003 },
    });
    assert.deepEqual(
      [loaded.config.gateway.port, loaded.config.gateway.maxUploads, loaded.config.gateway.maxConnections],
      [1003, 4, 9],
    );
    assert.deepEqual(loaded.config.p2p.announce, ['/ip4/10.0.0.1/tcp/1', '/dns4/x/tcp/2']);
    const source = (path: string) => loaded.sources.get(path);
    assert.deepEqual(['gateway.port', 'gateway.maxUploads', 'gateway.maxConnections', 'gateway.host'].map(source), [
      'flag',
      'env',
      'file',
      'default',
    ]);
  });

  test('is read however an editor wrote it; what is no text is invalid', () => {
    const text = '{ "version": 1, "gateway": { "port": 1001 } }\r\n';
    for (const bytes of [Buffer.from(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, 'utf16le')]) {
      writeFileSync(join(home, 'config.json'), bytes);
      assert.equal(loadConfig({ home }).config.gateway.port, 1001);
    }
    writeFileSync(join(home, 'config.json'), Buffer.from('{ "name": "M\u00fcller" }', 'latin1'));
    assert.throws(
      () => loadConfig({ home }),
      (error) => isNectarError(error, 'CONFIG_FILE_INVALID'),
    );
  });

  test('names an unknown option, a wrong type and a value out of bounds', () => {
    for (const [bad, expected] of [
      [{ gateway: { prot: 1 } }, /gateway has an unknown option prot/],
      [{ gateway: { port: '8443' } }, /gateway\.port must be integer/],
      [{ gateway: { port: 70_000 } }, /gateway\.port must be <= 65535/],
      [{ version: 2 }, /version must be equal to constant/],
    ] as const) {
      write(bad);
      assert.throws(
        () => loadConfig({ home }),
        (error) => isNectarError(error, 'CONFIG_FILE_INVALID') && expected.test(error.message),
      );
    }
  });

  test('gives one clear error for a missing, damaged or oversized file', () => {
    assert.throws(
      () => loadConfig({ home }),
      (error) => isNectarError(error, 'CONFIG_FILE_MISSING'),
    );
    for (const bad of ['{', '', '[]', 'null', `"${'x'.repeat(2 ** 20)}"`]) {
      writeFileSync(join(home, 'config.json'), bad);
      assert.throws(
        () => loadConfig({ home }),
        (error) => isNectarError(error, 'CONFIG_FILE_INVALID'),
      );
    }
  });

  test('reads environment variables strictly', () => {
    write({});
    for (const value of ['x', '1e999', ' ']) {
      assert.throws(
        () => loadConfig({ home, env: { NECTAR_GATEWAY_PORT: value } }),
        (error) => isNectarError(error, 'CONFIG_VALUE_INVALID'),
      );
    }
  });

  test('has a description and a default for every option, and unique variables', () => {
    const options = configOptions(nodeConfigSchema);
    for (const { path, schema } of options) {
      assert.ok((schema.description ?? '').length > 10, `${path} says what it is`);
      assert.notEqual(schema.default, undefined, `${path} has a default`);
    }
    assert.equal(new Set(options.map((option) => option.env)).size, options.length);
  });

  test('prints every option and hides what a URL may carry', () => {
    const loaded = resolveConfig(
      { rollup: { l1RpcUrls: ['https://user:pw@l1.example/v3/SECRET?k=SECRET', 'http://127.0.0.1:8545'] } },
      { path: 'x' },
    );
    const printed = printConfig(loaded);
    assert.equal(printed.length, configOptions(nodeConfigSchema).length);
    assert.deepEqual(printed.find((option) => option.path === 'rollup.l1RpcUrls')?.value, [
      'https://l1.example/[redacted]',
      'http://127.0.0.1:8545',
    ]);
    assert.ok(!JSON.stringify(printed).includes('SECRET'));
  });
});
