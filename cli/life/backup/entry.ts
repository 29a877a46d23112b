/** One file on its way into a backup. Its size is known before its first byte: an archive says it first. */
export interface BackupEntry {
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970; with the size what tells that a file has changed. */
  readonly modifiedAt?: number;
  /** Exactly `size` bytes. */
  read(): AsyncIterable<Uint8Array>;
}

/** The content that is at hand already. */
export function bytesEntry(path: string, bytes: Uint8Array): BackupEntry {
  return {
    path,
    size: bytes.length,
    async *read() {
      if (bytes.length > 0) yield bytes;
    },
  };
}
