/** A stream of bytes, taken in pieces of the wanted length. */
export interface ByteSource {
  take(length: number): Promise<Uint8Array>;
  /** At least one byte, at most `limit`. */
  some(limit: number): Promise<Uint8Array>;
  /** How many bytes follow, up to the first chunk of them. */
  rest(): Promise<number>;
}

/** `ended` makes the error for a stream that ends before what is asked for. */
export function createByteSource(source: AsyncIterable<Uint8Array>, ended: (taken: number) => Error): ByteSource {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let taken = 0;

  async function fill(): Promise<boolean> {
    while (chunk.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      chunk = next.value;
    }
    return true;
  }

  async function some(limit: number): Promise<Uint8Array> {
    if (!(await fill())) throw ended(taken);
    const part = chunk.subarray(0, limit);
    chunk = chunk.subarray(part.length);
    taken += part.length;
    return part;
  }

  return {
    some,
    async take(length) {
      const whole = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const part = await some(length - at);
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    },
    rest: async () => ((await fill()) ? chunk.length : 0),
  };
}
