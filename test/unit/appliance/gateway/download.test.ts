import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { type DownloadLimits, sendDownload } from '../../../../appliance/gateway/download.ts';

const PIECE_BYTES = 1024 * 1024;

/** An answer whose client takes each write when the test says so. */
class SteppedResponse extends Writable {
  readonly taken: Buffer[] = [];
  headersSent = false;
  step: (() => void) | undefined;

  writeHead(): void {
    this.headersSent = true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    this.step = () => {
      this.step = undefined;
      this.taken.push(Buffer.from(chunk));
      written();
    };
  }
}

/** Pieces of a record, and how many were asked for. */
function pieces(count: number) {
  const content = Array.from({ length: count }, () => randomBytes(PIECE_BYTES));
  const source = { opened: 0, ended: false };
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of content) {
        source.opened += 1;
        yield new Uint8Array(piece);
      }
    } finally {
      source.ended = true;
    }
  }
  return { source, body, content: Buffer.concat(content) };
}

function send(body: AsyncIterable<Uint8Array>, limits: Partial<DownloadLimits> = {}) {
  const response = new SteppedResponse();
  const told = { bytes: 0, truncated: 0 };
  const reply = { raw: response, sent: true, hijack: () => undefined } as unknown as FastifyReply;
  const sent = sendDownload(
    reply,
    { status: 200, headers: {}, body },
    {
      stallMs: 60_000,
      onBytes: (count) => (told.bytes += count),
      onTruncated: () => (told.truncated += 1),
      ...limits,
    },
  );
  return { response, told, sent };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

test('opens the pieces behind the one that leaves, and no more than two of them', async () => {
  const { source, body, content } = pieces(8);
  const { response, told, sent } = send(body());
  await until(() => response.step !== undefined && source.opened === 3);
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(source.opened, 3, 'a client that takes nothing costs three pieces');
  for (let taken = 1; taken < 8; taken++) {
    response.step?.();
    await until(() => response.step !== undefined);
    await until(() => source.opened === Math.min(8, 3 + taken));
  }
  response.step?.();
  await sent;
  assert.ok(Buffer.concat(response.taken).equals(content));
  assert.deepEqual(told, { bytes: content.length, truncated: 0 });
});

test('cuts the answer off, and lets go of the source, when the client leaves or takes nothing for too long', async () => {
  for (const [leaves, stallMs] of [
    [true, 60_000],
    [false, 1],
  ] as const) {
    const { source, body } = pieces(8);
    const { response, told, sent } = send(body(), { stallMs });
    await until(() => source.opened === 3);
    if (leaves) response.destroy();
    await sent;
    assert.deepEqual([source.ended, told.truncated, response.destroyed], [true, 1, true]);
  }
});

test('lets the last piece go only when the source has ended well', async () => {
  const { body } = pieces(3);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield* body();
    throw new Error('a segment does not open');
  }
  const { response, told, sent } = send(failing());
  while (!response.destroyed) {
    response.step?.();
    await turn();
  }
  await sent;
  assert.ok(response.taken.length <= 2);
  assert.equal(told.truncated, 1);
});
