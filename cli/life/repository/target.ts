/** Where a repository lies. Objects are written once, whole, and never changed; a name that is taken stays as it is. */
export interface Target {
  /** As the operator named it, without a secret. */
  readonly url: string;
  list(prefix: string): AsyncGenerator<{ readonly name: string; readonly bytes: number }>;
  /** @throws NectarError BACKUP_OBJECT_MISSING */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Resolves with false when there is one of that name. Durable only after `settle`. */
  create(name: string, content: ObjectContent): Promise<boolean>;
  /** Done, and durable, after `settle`. */
  remove(name: string): Promise<void>;
  /** Makes durable what was created, and removes what is to go. */
  settle(): Promise<void>;
  /** What here defeats a promise, in words: versions that are kept, locks. */
  warnings(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ObjectContent {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** From the beginning, each time it is called. */
  read(): AsyncIterable<Uint8Array>;
}
