import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { decrypt, generateKey, readMessage } from 'openpgp';
import { WebSocket } from 'ws';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

const SHA256_CONTRACT = '0x0000000000000000000000000000000000000002';
const SHA256_OF_1234 = '0x3a103a4e5729ad68c02a678ae39accfbc0ae208096437401b7ceab63cca0622f';
const CALL = { jsonrpc: '2.0', method: 'eth_call', params: [{ to: SHA256_CONTRACT, data: '0x1234' }, 'latest'] };

/** What was made for a node in one process works behind the sockets of four containers, too. */
describe('keys and clients of a node in containers', { skip: skipWithoutDocker, timeout: 400_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  const bodies = new Map<string, Buffer>();
  let gateway = '';

  before(async () => {
    loadImages(DOCKER_SOCKET);
    ({ gateway } = await place.init(home));
    for (const bytes of [5, 90_000, 1_500_000]) {
      const path = place.path('body');
      writeFileSync(path, randomBytes(bytes));
      const { recordId } = await place.json<{ recordId: string }>(['put', path, ...at]);
      bodies.set(recordId, readFileSync(path));
    }
  });
  after(() => place.close([home]));

  const shown = () => {
    const file = (name: string): Buffer => readFileSync(place.path('pacs', name));
    return { ca: file('node-ca.crt'), cert: file('pacs.crt'), key: file('pacs.key') };
  };
  const ask = async (path: string, method = 'GET', body?: object): Promise<{ status: number; json: unknown }> => {
    const headers = { 'content-type': 'application/json' };
    const outgoing = request(`${gateway}${path}`, { method, headers: body === undefined ? {} : headers, ...shown() });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [incoming] = await once(outgoing, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    return { status: incoming.statusCode, json: JSON.parse(text) };
  };

  test('a recovery kit is made, and its officer opens it', async () => {
    const officer = await generateKey({ type: 'ecc', userIDs: [{ name: 'Officer' }], format: 'object' });
    writeFileSync(place.path('officer.asc'), officer.publicKey.armor());
    await place.json(['keys', 'backup', '--officer', place.path('officer.asc'), '-o', place.path('kit.json'), ...at]);
    const kit = JSON.parse(readFileSync(place.path('kit.json'), 'utf8')) as { officers: { message: string }[] };
    const message = await readMessage({ armoredMessage: kit.officers[0]?.message ?? '' });
    const { data } = await decrypt({ message, decryptionKeys: officer.privateKey });
    assert.ok(String(data).length > 40);
  });

  test('every record is sealed anew, the old key is destroyed, and they read as before', async () => {
    const { done, state } = await place.json<{ done: number; state: string }>([
      ...['keys', 'rekey', '--yes', '--load', '100'],
      ...at,
    ]);
    assert.deepEqual([state, done], ['done', bodies.size]);
    for (const [id, body] of bodies) {
      await place.json(['get', id, '-o', place.path('out'), '--force', ...at]);
      assert.ok(readFileSync(place.path('out')).equals(body), id);
    }
  });

  test('a machine is let in by its certificate, as far as its scope goes', async () => {
    const scopes = ['--scope', 'records:read', '--scope', 'rpc'];
    await place.json(['clients', 'add', 'pacs', ...scopes, '--out', place.path('pacs'), ...at]);
    const { status, json } = await ask('/v1/records');
    assert.deepEqual([status, (json as { records: unknown[] }).records.length], [200, bodies.size]);
    const [id = ''] = bodies.keys();
    assert.equal((await ask(`/v1/records/${id}`, 'DELETE')).status, 403);
  });

  test('it calls the EVM in the threads of the rollup container, and hears of new heads over a WebSocket', async () => {
    assert.equal(((await ask('/rpc', 'POST', { ...CALL, id: 1 })).json as { result: string }).result, SHA256_OF_1234);
    const socket = new WebSocket(`${gateway.replace('https', 'wss')}/rpc`, shown());
    await once(socket, 'open');
    const heard: { id?: number; result?: string; method?: string }[] = [];
    const enough = new Promise<void>((resolve, reject) => {
      socket.on('message', (data) => {
        heard.push(JSON.parse(String(data)));
        if (heard.some(({ id }) => id === 2) && heard.some(({ method }) => method === 'eth_subscription')) resolve();
      });
      socket.once('close', () => reject(new Error('closed')));
    });
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    socket.send(JSON.stringify({ ...CALL, id: 2 }));
    await enough;
    assert.equal(heard.find(({ id }) => id === 2)?.result, SHA256_OF_1234);
    const closed = once(socket, 'close');
    const { clients } = await place.json<{ clients: { id: string }[] }>(['clients', 'list', ...at]);
    await place.json(['clients', 'revoke', clients[0]?.id ?? '', ...at]);
    assert.equal((await closed)[0], 1008, 'an open connection ends with the client');
    assert.deepEqual((await ask('/v1/records')).status, 401);
  });

  test('all of it is on record, and the log is whole', async () => {
    assert.equal((await place.json<{ integrity: string }>(['audit', 'verify', ...at])).integrity, 'ok');
    for (const type of ['key.backup', 'key.rekey', 'record.rekey', 'token.create', 'token.revoke']) {
      const { entries } = await place.json<{ entries: unknown[] }>(['audit', 'query', '--type', type, ...at]);
      assert.notDeepEqual(entries, [], type);
    }
  });
});
