import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NectarError } from '../../../../protocol/errors.ts';
import { assertProblem, type Harness, startHarness } from './harness.ts';

interface Result {
  readonly receipt?: { readonly recordId: string; readonly bytes: number };
  readonly replayed?: boolean;
  readonly problem?: { readonly code: string; readonly status: number };
}

describe('records in a batch', () => {
  let h: Harness;
  let token: string;
  before(async () => {
    h = await startHarness({});
    token = await h.token('records:write');
  });
  after(() => h.stop());

  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const send = (records: unknown) =>
    h.call('POST', '/v1/records/batch', {
      token,
      body: JSON.stringify({ records }),
      headers: { 'content-type': 'application/json' },
    });
  const results = async (records: unknown): Promise<Result[]> => {
    const answer = await send(records);
    assert.equal(answer.status, 200, answer.bytes.toString());
    return answer.json().results as Result[];
  };

  it('stores each as a record of its own, and answers in their order', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `record ${i} ${'x'.repeat(i)}`);
    const answers = await results(
      texts.map((text, i) => ({ content: base64(text), contentType: 'text/plain', name: `${i}`, labels: ['a', 'a'] })),
    );
    assert.equal(new Set(answers.map(({ receipt }) => receipt?.recordId)).size, texts.length);
    for (const [i, { receipt }] of answers.entries()) {
      const { bytes, meta } = h.store.find(String(receipt?.recordId));
      assert.deepEqual([Buffer.from(bytes).toString(), meta.name, meta.contentType], [texts[i], `${i}`, 'text/plain']);
      assert.deepEqual(meta.labels, ['a']);
    }
  });

  it('takes an empty record without a type', async () => {
    const [answer] = await results([{ content: '' }]);
    const { meta } = h.store.find(String(answer?.receipt?.recordId));
    assert.deepEqual([meta.bytes, meta.contentType], [0, 'application/octet-stream']);
  });

  it('gives a key that it knows its first receipt, also that of a record that came alone', async () => {
    const alone = await h.call('POST', '/v1/records', { token, body: 'x', headers: { 'idempotency-key': 'k1' } });
    const [again, fresh] = await results([
      { content: base64('x'), idempotencyKey: 'k1' },
      { content: base64('x'), idempotencyKey: 'k2' },
    ]);
    assert.deepEqual([again?.receipt?.recordId, again?.replayed], [alone.json().recordId, true]);
    assert.equal(fresh?.replayed, undefined);
    assert.notEqual(fresh?.receipt?.recordId, alone.json().recordId);
  });

  it('answers for each record that the store refuses, and stores the others', async () => {
    const put = h.store.put.bind(h.store);
    h.store.put = async (input, ...rest) => {
      if (input.name === 'bad') throw new NectarError('NODE_DISK_FULL', { path: '/store' });
      if (input.name === 'bug') throw new TypeError('of ours');
      return put(input, ...rest);
    };
    const answers = await results(['good', 'bad', 'bug', 'fine'].map((name) => ({ content: base64(name), name })));
    h.store.put = put;
    assert.deepEqual(
      answers.map(({ receipt, problem }) => problem?.code ?? receipt?.bytes),
      [4, 'NODE_DISK_FULL', 'NODE_INTERNAL', 4],
    );
    assert.equal(answers[1]?.problem?.status, 507);
  });

  it('stores nothing of a request that is malformed', async () => {
    const before = h.store.puts;
    const good = { content: base64('good') };
    const cases: [unknown, number, string][] = [
      [[], 400, 'GATEWAY_REQUEST_INVALID'],
      [Array.from({ length: 129 }, () => good), 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { content: 'no base64!' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { content: 'YQ' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { content: 'YQ===' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, name: '' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, name: 'a\u202eb' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, labels: ['x'.repeat(129)] }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, labels: Array.from({ length: 33 }, String) }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, idempotencyKey: 'a b' }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, record: '0'.repeat(32) }], 400, 'GATEWAY_REQUEST_INVALID'],
      [[good, { ...good, contentType: 'text' }], 415, 'GATEWAY_MEDIA_TYPE_UNSUPPORTED'],
      [[{ content: 'A'.repeat(1024 * 1024) }], 413, 'GATEWAY_BODY_TOO_LARGE'],
    ];
    for (const [records, status, code] of cases) assertProblem(await send(records), status, code);
    assert.equal(h.store.puts, before);
  });
});
