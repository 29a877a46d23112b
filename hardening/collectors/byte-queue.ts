/** The bytes of a stream, taken in the pieces that a format has. */
export interface ByteQueue {
  /** Exactly so many. */
  take(count: number): Promise<Uint8Array>;
  /** At least one and at most so many: what is there. */
  some(most: number): Promise<Uint8Array>;
  skip(count: number): Promise<void>;
}

/** Each of them throws when the stream ends before. */
export function createByteQueue(source: AsyncIterable<Uint8Array>): ByteQueue {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();

  async function some(most: number): Promise<Uint8Array> {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) throw new Error('the stream was cut off');
      rest = next.value;
    }
    const taken = rest.subarray(0, most);
    rest = rest.subarray(taken.length);
    return taken;
  }

  return {
    some,
    async take(count) {
      const taken = new Uint8Array(count);
      for (let at = 0; at < count; ) {
        const chunk = await some(count - at);
        taken.set(chunk, at);
        at += chunk.length;
      }
      return taken;
    },
    async skip(count) {
      for (let left = count; left > 0; ) left -= (await some(left)).length;
    },
  };
}
