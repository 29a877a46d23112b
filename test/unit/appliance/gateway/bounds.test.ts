import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../../../../appliance/gateway/byte-range.ts';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/dependencies.ts';
import { createExclusive } from '../../../../appliance/gateway/exclusive.ts';
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
        const one = (header: string) => parseRange(header, size);
        assert.deepEqual(one(`bytes=${first}-${last}`), [{ start: first, end: Math.min(size, last + 1) }]);
        assert.deepEqual(one(`bytes=${first}-`), [{ start: first, end: size }]);
        assert.deepEqual(one(`bytes=-${first + 1}`), [{ start: size - first - 1, end: size }]);
      }),
    );
  });

  it('cuts an end of any length to the record, and calls nothing but a beginning beyond it unsatisfiable', () => {
    const far = '9'.repeat(40);
    assert.deepEqual(parseRange(`bytes=2-${far}`, 10), [{ start: 2, end: 10 }]);
    assert.deepEqual(parseRange(`bytes=-${far}`, 10), [{ start: 0, end: 10 }]);
    assert.deepEqual(parseRange('bytes=9-9007199254740993', 10), [{ start: 9, end: 10 }]);
    for (const outside of ['bytes=10-', 'bytes=10-11', `bytes=${far}-`, 'bytes=-0', 'bytes=10-,-0', 'bytes=-000'])
      assert.equal(parseRange(outside, 10), 'unsatisfiable', outside);
    assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
    assert.equal(parseRange('bytes=-5', 0), 'whole');
  });

  it('ignores what is not well formed, not in bytes, too much, or overlaps', () => {
    for (const ignored of ['bytes=', 'bytes=-', 'bytes=5-4', 'bytes=a-b', 'items=0-1', 'bytes=0-5,3-8', 'bytes=0-1,x'])
      assert.equal(parseRange(ignored, 10), 'whole', ignored);
    const many = Array.from({ length: 17 }, (_, i) => `${2 * i}-${2 * i}`).join(',');
    assert.equal(parseRange(`bytes=${many}`, 100), 'whole');
    assert.equal(parseRange(undefined, 10), 'whole');
  });

  it('finds several ranges, and leaves out those beyond the end', () => {
    assert.deepEqual(parseRange('bytes=0-1, 8-20 ,99-', 10), [
      { start: 0, end: 2 },
      { start: 8, end: 10 },
    ]);
  });

  it('gives ranges inside the record, or one of its two words, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `bytes=${text}`),
          fc.stringMatching(/^bytes=[\d,-]{0,9}$/),
        ),
        fc.nat(100),
        (header, size) => {
          const ranges = parseRange(header, size);
          if (typeof ranges === 'string') return;
          assert.ok(ranges.length > 0);
          for (const { start, end } of ranges) assert.ok(start >= 0 && start < end && end <= size);
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

describe('createExclusive', () => {
  it('runs an operation once at a time, and again after it failed', async () => {
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

describe('createSecurityEvents', () => {
  const event: GatewayAuditEvent = {
    type: 'auth.denied',
    outcome: 'failure',
    context: { actor: { subject: 'anonymous' }, requestId: 'r' },
  };

  const setup = (maxPerMinute: number) => {
    const written: GatewayAuditEvent[] = [];
    const world = { clock: 0, open: true };
    const append = async (entry: GatewayAuditEvent) => {
      if (!world.open) throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'locked' });
      return { index: written.push(entry) };
    };
    const events = createSecurityEvents(maxPerMinute, { audit: { append }, log, now: () => world.clock });
    return { events, written, world };
  };
  const from = (address: string): GatewayAuditEvent => ({ ...event, context: { ...event.context, address } });
  const by = (tokenId: string): GatewayAuditEvent => ({
    ...event,
    context: { actor: { subject: 'clinic', tokenId }, requestId: 'r' },
  });
  const anonymous = { kind: 'GATEWAY_TOKEN_MISSING', identified: false };
  const identified = { kind: 'GATEWAY_SCOPE_MISSING', identified: true };

  it('writes as many anonymous refusals a minute as allowed, and what it left out by kind when the minute ends', async () => {
    const { events, written, world } = setup(8);
    for (let i = 0; i < 50_000; i++) events.denied(from('192.0.2.1'), anonymous);
    for (let i = 0; i < 7; i++) events.denied(from('192.0.2.1'), { ...anonymous, kind: 'GATEWAY_TOKEN_INVALID' });
    await events.flush();
    assert.equal(written.length, 4, 'half for one network');
    for (let host = 0; host < 50; host++) events.denied(from(`198.51.100.${host}`), anonymous);
    await events.flush();
    assert.equal(written.length, 8);
    world.clock = 60_000;
    await events.flush();
    const summary = written[8];
    assert.equal(summary?.detail?.network, '192.0.2.1');
    assert.equal(summary?.detail?.kinds, 'GATEWAY_TOKEN_MISSING 49996, GATEWAY_TOKEN_INVALID 7');
    const left = written.slice(8).reduce((sum, { detail }) => sum + Number(detail?.suppressed), 0);
    assert.equal(left + 8, 50_007 + 50);
    assert.ok(written.length <= 8 + 17, 'the loudest networks, and the rest in one');
  });

  it('never lets an anonymous flood push out what an identified caller did', async () => {
    const { events, written, world } = setup(60);
    for (let i = 0; i < 200; i++) events.denied(from('192.0.2.1'), anonymous);
    events.denied(by('token-1'), identified);
    await events.flush();
    assert.equal(written.filter(({ context }) => context.actor.tokenId === 'token-1').length, 1);
    world.open = false;
    for (let i = 0; i < 500; i++) events.denied(from(`198.51.100.${i % 250}`), anonymous);
    world.clock = 60_000;
    for (let i = 0; i < 5_000; i++) events.denied(from(`203.0.113.${i % 250}`), anonymous);
    for (let i = 0; i < 5; i++) events.denied(by('token-2'), identified);
    await events.flush();
    world.open = true;
    await events.flush();
    assert.equal(written.filter(({ context }) => context.actor.tokenId === 'token-2').length, 5);
  });

  it('counts what one caller does beyond its own bound, and lets it touch no other', async () => {
    const { events, written } = setup(10);
    for (let i = 0; i < 100; i++) events.denied(by('token-1'), identified);
    for (let i = 0; i < 10; i++) events.denied(by('token-2'), identified);
    await events.flush(true);
    const of = (tokenId: string) => written.filter(({ context }) => context.actor.tokenId === tokenId);
    assert.equal(of('token-1').length, 11);
    assert.equal(of('token-1').at(-1)?.detail?.kinds, 'GATEWAY_SCOPE_MISSING 90');
    assert.equal(of('token-2').length, 10);
  });

  it('counts an address space of IPv6 as one network, and keeps few networks apart', async () => {
    const { events, written } = setup(4);
    for (let i = 0; i < 1000; i++) events.denied(from(`2001:db8::${i.toString(16)}`), anonymous);
    for (let i = 0; i < 100_000; i++) events.denied(from(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`), anonymous);
    await events.flush(true);
    assert.equal(written.filter(({ detail }) => detail?.network === '2001:db8:0:0::/64').length, 1);
    assert.ok(written.length <= 4 + 17);
  });

  it('writes the connections that were ended, once a minute for each network', async () => {
    const { events, written } = setup(4);
    for (let i = 0; i < 500; i++) events.connectionEnded('silent', '192.0.2.1');
    events.connectionEnded('evicted', '192.0.2.1');
    await events.flush();
    assert.equal(written.length, 0);
    await events.flush(true);
    assert.deepEqual(
      written.map(({ type, detail }) => [type, detail?.kinds]),
      [['connection.refused', 'silent 500, evicted 1']],
    );
  });

  it('holds a bounded number while the log is closed, writes them in order when it opens, and counts the rest', async () => {
    const { events, written, world } = setup(1000);
    world.open = false;
    for (let i = 0; i < 100; i++) events.observed({ ...event, detail: { i } });
    await events.flush();
    world.open = true;
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
