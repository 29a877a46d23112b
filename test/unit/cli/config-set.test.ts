import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { capture } from './capture.ts';

describe('one option of the configuration file', () => {
  const home = mkdtempSync(join(tmpdir(), 'nectar-config-'));
  const path = join(home, 'config.json');
  after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'identity'));
  writeFileSync(join(home, 'identity', 'public.json'), '{}');
  const before = { gateway: { port: 8443, host: '127.0.0.1' }, p2p: { listenPort: 4640 } };
  beforeEach(() => writeFileSync(path, JSON.stringify(before), { mode: 0o600 }));
  const written = (): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const run = (...words: string[]) => capture(['config', ...words, '--home', home]);

  test('is set, beside what else is in the file', async () => {
    const { code, stdout } = await run('set', 'gateway.port', '9443');
    assert.equal(code, 0);
    assert.match(stdout, /gateway\.port: 9443 \(before: 8443\)/);
    assert.match(stdout, /next `nectar-byon up`/);
    assert.deepEqual(written(), { ...before, gateway: { ...before.gateway, port: 9443 } });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('is taken out again; one that was not there changes nothing', async () => {
    assert.match((await run('unset', 'gateway.port')).stdout, /its default \(before: 8443\)/);
    assert.deepEqual(written(), { ...before, gateway: { host: '127.0.0.1' } });
    assert.equal((await run('unset', 'rollup.caFile')).code, 0);
    assert.deepEqual(written(), { ...before, gateway: { host: '127.0.0.1' } });
  });

  test('takes a list with commas, where the file had nothing of its kind', async () => {
    assert.equal((await run('set', 'rollup.l1RpcUrls', 'https://a.example,https://b.example')).code, 0);
    assert.deepEqual(written(), { ...before, rollup: { l1RpcUrls: ['https://a.example', 'https://b.example'] } });
  });

  test('is refused, and the file stays, when its name or its value is none', async () => {
    const wrong = [
      ['gateway.prot', '9443', 'CONFIG_VALUE_INVALID'],
      ['gateway', '9443', 'CONFIG_VALUE_INVALID'],
      ['__proto__.x', '1', 'CONFIG_VALUE_INVALID'],
      ['gateway.port', 'nine', 'CONFIG_VALUE_INVALID'],
      ['gateway.port', '65536', 'CONFIG_FILE_INVALID'],
    ] as const;
    for (const [option, value, error] of wrong) {
      const { code, stderr } = await run('set', option, value);
      assert.notEqual(code, 0, option);
      assert.match(stderr, new RegExp(error), option);
      assert.deepEqual(written(), before, option);
    }
  });
});
