/** A body all of which is here: whoever knows it as such need not wait for it piece by piece. */
export class WholeBody implements AsyncIterable<Uint8Array> {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;

  constructor(chunks: readonly Uint8Array[]) {
    this.chunks = chunks;
    this.length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.chunks;
  }
}
