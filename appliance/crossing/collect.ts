import { invalidMessage, type Origin } from './message.ts';

/** A short body in one piece, for a key or a block; the pieces are wiped. */
export async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number, origin: Origin): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes) throw invalidMessage(origin, `longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    part.fill(0);
  }
  return whole;
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
