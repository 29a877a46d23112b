/** What reading a volume needs of a container engine: one GET whose answer is streamed; undefined for 404. */
export interface ArchiveEngine {
  getStream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}
