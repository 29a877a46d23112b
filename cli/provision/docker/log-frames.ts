/**
 * The engine's log stream without a terminal: frames of `stream (1 byte), 3 zero bytes, length (4 bytes, big endian), payload`
 * (Docker Engine API, ContainerAttach, "stream format"). Yields payloads; a frame is held only when it comes in pieces.
 */
export async function* logPayloads(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of source) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    let frame = firstFrame(held);
    while (frame !== undefined) {
      yield frame;
      held = held.subarray(HEADER_BYTES + frame.length);
      frame = firstFrame(held);
    }
  }
}

const HEADER_BYTES = 8;

function firstFrame(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const end = HEADER_BYTES + bytes.readUInt32BE(4);
  return bytes.length < end ? undefined : bytes.subarray(HEADER_BYTES, end);
}

/** Whole lines of a log stream; the last one also without its line end. */
export async function* logLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const payload of logPayloads(source)) {
    rest = Buffer.concat([rest, payload]);
    let end = rest.indexOf(0x0a);
    while (end !== -1) {
      yield rest.subarray(0, end).toString('utf8');
      rest = rest.subarray(end + 1);
      end = rest.indexOf(0x0a);
    }
  }
  if (rest.length > 0) yield rest.toString('utf8');
}
