import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { logLines } from '../../../../cli/provision/docker/log-frames.ts';

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function read(chunks: Iterable<Buffer>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of logLines(
    (async function* () {
      yield* chunks;
    })(),
  ))
    lines.push(line);
  return lines;
}

test('gives the same lines however the frames are cut', async () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', '0', ' ', 'é', '水', '"') }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 40 }), async (expected, size) => {
      const whole = Buffer.concat(expected.map((line) => frame(`${line}\n`)));
      const cut: Buffer[] = [];
      for (let at = 0; at < whole.length; at += size) cut.push(whole.subarray(at, at + size));
      assert.deepEqual(await read(cut), expected);
    }),
  );
});

test('joins a line that comes in several frames, and gives the last one without its end', async () => {
  assert.deepEqual(await read([frame('first '), frame('half\nsecond')]), ['first half', 'second']);
});

test('gives nothing of an empty log and of half a frame', async () => {
  assert.deepEqual(await read([]), []);
  assert.deepEqual(await read([frame('whole\n').subarray(0, 9)]), []);
});
