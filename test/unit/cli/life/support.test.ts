import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keepKnownWords } from '../../../../cli/life/support/allowed-text.ts';
import { filterLog } from '../../../../cli/life/support/collect-support.ts';
import { LOG_MESSAGES } from '../../../../cli/life/support/messages.ts';
import { metricLines } from '../../../../cli/life/support/metric-lines.ts';
import { statusSection } from '../../../../cli/life/support/sections.ts';
import { findMessages } from '../../../../scripts/log-messages.ts';
import { capture } from '../capture.ts';
import { makeHome, openHome } from './stored-home.ts';

/** Planted wherever something private may be; none may come out. Words, numbers, codes and paths, since a filter may know some forms. */
const CANARIES = [
  'Zaphod Beeblebrox',
  'zaphod',
  'LABELCANARY',
  'recordcanary.dcm',
  'correct horse battery',
  'CANARY_TOKEN',
  'apikeycanary',
  'proxysecret',
  'l1.canary.example',
  'canary-folder',
  'canary@clinic.example',
  '198.51.100.77',
  '1955-04-20',
];
const folder = mkdtempSync(join(tmpdir(), 'nectar-canary-folder-'));
let home = '';
after(() => rmSync(folder, { recursive: true, force: true }));

before(async () => {
  home = await makeHome(folder, 'canary-folder');
  const opened = await openHome(home, join(folder, 'canary-folder.key'));
  await opened.put(Buffer.from(CANARIES.join(' ')));
  await opened.stop();
  const config = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')) as object;
  const rollup = {
    l1RpcUrls: ['https://zaphod:apikeycanary@l1.canary.example/v3/apikeycanary?key=apikeycanary'],
    proxyUrl: 'http://zaphod:proxysecret@198.51.100.77:3128',
  };
  writeFileSync(join(home, 'config.json'), JSON.stringify({ ...config, rollup, gateway: { host: '198.51.100.77' } }));
  const err = {
    type: 'Error',
    message: 'Zaphod Beeblebrox correct horse battery',
    code: 'CANARY_TOKEN',
    stack:
      'Error: Zaphod Beeblebrox\n    at read (file:///srv/canary-folder/zaphod/store.ts:12:3)\n zaphod at x (apikeycanary.ts:1:1)',
  };
  const lines = [
    {
      level: 'info',
      time: '2026-11-23T07:00:00.000Z',
      service: 'store',
      bytes: 7,
      name: 'Zaphod Beeblebrox',
      msg: 'records anchored',
    },
    { level: 'error', time: '1955-04-20', service: 'zaphod', code: 'STORE_INDEX_CORRUPT', msg: 'Zaphod Beeblebrox' },
    {
      level: 'zaphod',
      time: '2026-11-23T07:00:00.000Z',
      service: 'audit',
      err,
      title: 'zaphod',
      msg: 'the checkpoint cannot be written',
    },
    {
      level: 'warn',
      msg: 'certificate or token renewed',
      zaphod: 1,
      code: 'canary@clinic.example',
      to: 'LABELCANARY',
      from: 'kek/1',
    },
  ];
  const text = [
    ...lines.map((line) => JSON.stringify(line)),
    'panic: Zaphod Beeblebrox at /srv/canary-folder',
    '"zaphod"',
    'null',
  ];
  mkdirSync(join(home, 'logs'), { recursive: true });
  writeFileSync(join(home, 'logs', 'node.log'), `${text.join('\n')}\n`);
});

test('lets no planted canary out', async () => {
  const out = join(folder, 'support.json');
  const env = { NECTAR_LOG_LEVEL: 'debug' };
  const ran = await capture(['support-bundle', '--home', home, '--out', out, '--json'], { env });
  assert.equal(ran.code, 0, ran.stderr);
  const text = readFileSync(out, 'utf8');
  for (const canary of CANARIES) assert.equal(text.toLowerCase().includes(canary.toLowerCase()), false, canary);
  for (const path of ['client/token', 'tls/server.key', 'keys.json', 'identity/public.json']) {
    for (const word of readFileSync(join(home, path), 'utf8').match(/[A-Za-z0-9+/_.-]{16,}/g) ?? []) {
      assert.equal(text.includes(word), false, path);
    }
  }
  assert.equal(text.includes(folder), false);
});

test('says what a helper needs', async () => {
  const bundle = JSON.parse(readFileSync(join(folder, 'support.json'), 'utf8'));
  assert.equal(bundle.program.length > 0, true);
  assert.deepEqual(bundle.config['rollup.l1RpcUrls'], { value: '1 entries', source: 'file' });
  assert.deepEqual(bundle.config['store.inlineMaxBytes'].value, 65_536);
  assert.deepEqual(bundle.status, { unavailable: 'CLI_NODE_STOPPED' });
  assert.deepEqual(bundle.metrics, { unavailable: 'CLI_NODE_STOPPED' });
  assert.ok(
    bundle.doctor.some(
      ({ name, grade }: { name: string; grade: string }) => name === 'certificate' && grade === 'good',
    ),
  );
  const { lines, leftOut } = bundle.log;
  assert.equal(leftOut, 3);
  assert.deepEqual(lines[0], {
    time: '2026-11-23T07:00:00.000Z',
    level: 'info',
    service: 'store',
    message: 'records anchored',
    data: { bytes: 7 },
  });
  assert.deepEqual(lines[1], { level: 'error', data: { code: 'STORE_INDEX_CORRUPT' } });
  assert.deepEqual(lines[2].error, { at: ['store.ts:12'] });
  assert.deepEqual(lines[3], { level: 'warn', message: 'certificate or token renewed', data: { from: 'kek/1' } });
});

test('keeps only words and numbers that are known', () => {
  assert.equal(keepKnownWords('running, healthy, 0 restarts'), 'running healthy 0 restarts');
  assert.equal(keepKnownWords('locked: the key file /srv/zaphod.key is not there'), 'locked the * is not *');
  assert.equal(keepKnownWords('73.3 GiB free, https://x?key=1'), '73.3 GiB free *');
});

test('takes only our metrics with labels of a fixed set', () => {
  const text = [
    '# HELP nectar_x about zaphod',
    'nectar_store_operations_total{operation="put",outcome="success"} 3',
    'nectar_p2p_peers{peer="12D3KooWzaphod"} 1',
    'other_metric 1',
    'nectar_store_records{role="store"} 12',
    'nectar_x{operation="Zaphod B"} 1',
  ].join('\n');
  assert.deepEqual(metricLines(text), [
    'nectar_store_operations_total{operation="put",outcome="success"} 3',
    'nectar_store_records{role="store"} 12',
  ]);
});

test('shows of a status numbers and known words only', () => {
  const status = {
    ...{ ready: false, locked: true, nodeId: 'zaphod', peerId: 'zaphod', network: 'zaphod', version: '1', roles: [] },
    reasons: [{ service: 'keys', reason: 'locked: zaphod' }],
    ...{ l2: null, peers: 1, records: 2, audit: null, anchored: null, uptimeMs: 1 },
  };
  const text = JSON.stringify(statusSection(status as never));
  assert.equal(text.includes('zaphod'), false);
  assert.ok(text.includes('"locked *"'), text);
});

test('knows every message that the program logs', () => {
  assert.deepEqual(LOG_MESSAGES, findMessages());
  assert.ok(LOG_MESSAGES.length > 60, String(LOG_MESSAGES.length));
  assert.deepEqual(filterLog(['{"level":"info","msg":"gateway listening"}', 'x']).leftOut, 1);
});
