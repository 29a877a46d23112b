import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createAdmission, createExclusive } from '../../../../appliance/gateway/admission.ts';
import { parseRange } from '../../../../appliance/gateway/byte-range.ts';
import type { GatewayAuditEvent, PutReceipt } from '../../../../appliance/gateway/dependencies.ts';
import { createIdempotency } from '../../../../appliance/gateway/idempotency.ts';
import { createMetricsServer, openMetricsServer } from '../../../../appliance/gateway/metrics-server.ts';
import { encodeProblem, nectarErrorOf, problemOf } from '../../../../appliance/gateway/problem.ts';
import { parseRecordHeaders, recordHeaders } from '../../../../appliance/gateway/record-headers.ts';
import { createSecurityEvents } from '../../../../appliance/gateway/security-events.ts';
import { createLogger, createMetrics, createNodeMetrics, readFamilies } from '../../../../appliance/telemetry/index.ts';
import type { Cid, RecordId } from '../../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../../protocol/errors.ts';

const log = createLogger({ level: 'silent' });

describe('parseRange', () => {
  it('finds the bytes that every valid single range means', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6), fc.nat(2e6), (size, first, extra) => {
        fc.pre(first < size);
        const last = first + extra;
        assert.deepEqual(parseRange(`bytes=${first}-${last}`, size), { start: first, end: Math.min(size, last + 1) });
        assert.deepEqual(parseRange(`bytes=${first}-`, size), { start: first, end: size });
        assert.deepEqual(parseRange(`bytes=-${first + 1}`, size), { start: size - first - 1, end: size });
      }),
    );
  });

  it('gives a range inside the record, nothing, or its one error for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `bytes=${text}`),
          fc.stringMatching(/^bytes=[\d,-]{0,9}$/),
        ),
        fc.nat(100),
        (header, size) => {
          try {
            const range = parseRange(header, size);
            if (range !== undefined) assert.ok(range.start >= 0 && range.start < range.end && range.end <= size);
          } catch (error) {
            assert.ok(isNectarError(error, 'GATEWAY_RANGE_INVALID'));
          }
        },
      ),
    );
  });
});

describe('record headers', () => {
  it('carry any name and labels there and back, in ASCII without line ends or quotes', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter(
        (value) =>
          !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(value) &&
          value.trim() === value &&
          value.isWellFormed(),
      );
    fc.assert(
      fc.property(text, fc.uniqueArray(text, { maxLength: 5 }), (name, labels) => {
        const meta = {
          recordId: 'ab'.repeat(16) as RecordId,
          version: 1,
          bytes: 1,
          contentType: 'a/b',
          labels,
          name,
          cid: 'bafy' as Cid,
          createdAt: '',
          kekId: 'kek/1',
          replicas: [],
          anchored: false,
        };
        const headers = recordHeaders(meta);
        for (const value of Object.values(headers)) assert.match(String(value), /^[\x20-\x7e]*$/);
        assert.ok(!String(headers['content-disposition']).includes('"'));
        const sent = {
          'content-type': 'a/b',
          'x-nectar-name': String(headers['x-nectar-name']),
          ...(labels.length > 0 && { 'x-nectar-labels': String(headers['x-nectar-labels']) }),
        };
        assert.deepEqual(parseRecordHeaders(sent), { contentType: 'a/b', labels, name });
      }),
    );
  });
});

describe('createAdmission and createExclusive', () => {
  it('count a release once, and refuse at the limit', () => {
    const counts: number[] = [];
    const admission = createAdmission('uploads', 2, (count) => counts.push(count));
    const [first] = [admission.enter(), admission.enter()];
    assert.throws(
      () => admission.enter(),
      (error) => isNectarError(error, 'GATEWAY_BUSY'),
    );
    first?.();
    first?.();
    admission.enter();
    assert.throws(
      () => admission.enter(),
      (error) => isNectarError(error, 'GATEWAY_BUSY'),
    );
    assert.deepEqual(counts, [1, 2, 1, 2]);
  });

  it('run an operation once at a time, and again after it failed', async () => {
    const exclusive = createExclusive();
    const failing = exclusive.run('scrub', () => Promise.reject(new Error('no')));
    await assert.rejects(
      exclusive.run('scrub', async () => 1),
      (error) => isNectarError(error, 'GATEWAY_OPERATION_RUNNING'),
    );
    assert.equal(await exclusive.run('verify', async () => 2), 2);
    await assert.rejects(failing);
    assert.equal(await exclusive.run('scrub', async () => 3), 3);
  });
});

describe('createIdempotency', () => {
  const receipt = { bytes: 1 } as PutReceipt;
  const setup = (maxKeys: number) => {
    let clock = 0;
    let stores = 0;
    const idempotency = createIdempotency({ maxKeys, ttlMs: 1000 }, () => clock);
    const once = (key: string) =>
      idempotency.once({
        key,
        facts: [],
        body: (async function* () {
          yield new Uint8Array([1]);
        })(),
        store: async (body) => {
          for await (const _ of body) stores++;
          return receipt;
        },
      });
    return {
      once,
      stores: () => stores,
      pass: (ms: number) => {
        clock += ms;
      },
    };
  };

  it('forgets a key after its time', async () => {
    const { once, stores, pass } = setup(10);
    await once('a');
    pass(999);
    assert.equal((await once('a')).replayed, true);
    pass(1);
    assert.equal((await once('a')).replayed, false);
    assert.equal(stores(), 2);
  });

  it('forgets the oldest key when it holds as many as it may', async () => {
    const { once, stores } = setup(3);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await once(key);
    assert.equal((await once('e')).replayed, true);
    assert.equal((await once('a')).replayed, false);
    assert.equal(stores(), 6);
  });
});

describe('createSecurityEvents', () => {
  const event: GatewayAuditEvent = {
    type: 'auth.denied',
    outcome: 'failure',
    context: { actor: { subject: 'anonymous' }, requestId: 'r' },
  };

  it('writes as many refusals a minute as allowed, and then the number left out', async () => {
    let clock = 0;
    const written: GatewayAuditEvent[] = [];
    const append = async (entry: GatewayAuditEvent) => ({ index: written.push(entry) });
    const events = createSecurityEvents(5, { audit: { append }, log, now: () => clock });
    for (let i = 0; i < 100_000; i++) events.denied(event);
    await events.flush();
    assert.equal(written.length, 5);
    clock = 60_000;
    events.denied(event);
    await events.flush();
    assert.equal(written.length, 6);
    assert.equal(written[5]?.detail?.suppressed, 99_995);
  });

  it('holds a bounded number while the log is closed, writes them in order when it opens, and counts the rest', async () => {
    let open = false;
    const written: GatewayAuditEvent[] = [];
    const append = async (entry: GatewayAuditEvent) => {
      if (!open) throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'locked' });
      return { index: written.push(entry) };
    };
    const events = createSecurityEvents(1000, { audit: { append }, log, now: () => 0 });
    for (let i = 0; i < 100; i++) events.observed({ ...event, detail: { i } });
    await events.flush();
    open = true;
    await events.flush();
    assert.deepEqual(
      written.map(({ detail }) => detail?.i),
      Array.from({ length: 64 }, (_, i) => i),
    );
    events.observed(event);
    await events.flush();
    assert.equal(written.at(-1)?.detail?.suppressed, 36);
    assert.equal(written.at(-1)?.detail?.at, '1970-01-01T00:00:00.000Z');
  });
});

describe('problems', () => {
  it("write amounts of the chain as decimal text, and never a bug's own words", () => {
    const error = new NectarError('NODE_NOT_READY', { service: 'rollup', reason: 'x', block: 2n ** 70n } as {
      service: string;
      reason: string;
    });
    assert.match(encodeProblem(problemOf(error, 'id')), /"block":"1180591620717411303424"/);
    const bug = nectarErrorOf(new Error('Jane Doe, born 1980'), 'abc', { bodyBytes: 1 });
    assert.ok(!encodeProblem(problemOf(bug, 'abc')).includes('Jane'));
  });
});

describe('the metrics listener', () => {
  it('serves Prometheus text on loopback, and nothing else', async () => {
    const metrics = createNodeMetrics([{ role: 'all', read: () => readFamilies(createMetrics()) }]);
    const server = await openMetricsServer({ port: 0, host: '127.0.0.1' }, metrics);
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null && address.address === '127.0.0.1');
    const base = `http://127.0.0.1:${address.port}`;
    const answer = await fetch(`${base}/metrics`);
    assert.match(await answer.text(), /^process_cpu_seconds_total\{role="all"\} [0-9.]+$/m);
    assert.equal(answer.headers.get('content-type'), metrics.contentType);
    assert.equal((await fetch(`${base}/`)).status, 404);
    assert.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
    await assert.rejects(openMetricsServer({ port: address.port, host: '127.0.0.1' }, metrics), (error) =>
      isNectarError(error, 'GATEWAY_PORT_IN_USE'),
    );
    server.closeAllConnections();
    server.close();
  });

  it('stays closed when its port is 0', async () => {
    const service = createMetricsServer(
      { metricsPort: 0, metricsHost: '127.0.0.1' },
      { metrics: createNodeMetrics([]), log },
    );
    await service.start(new AbortController().signal);
    assert.equal(service.url(), undefined);
    await service.stop();
  });
});
