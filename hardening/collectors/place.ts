/** A file, folder or link in a place. */
export interface PlaceEntry {
  /** Below the place, with `/`; empty for the place itself. */
  readonly path: string;
  readonly type: 'file' | 'folder' | 'symlink' | 'other';
  /** Permission bits, setuid, setgid and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The bytes of a file, to be read before the next entry is asked for, or not at all. Anything else has none. */
  content(): AsyncIterable<Uint8Array>;
}

/** Somewhere on disk where the node keeps what is its own: its home, or one volume of its containers. */
export interface Place {
  /** `home`, or the volume's name without the node's prefix: `keys`, `store`, `audit`, ... */
  readonly name: string;
  /** Name of the volume that it is, as its engine calls it: of the subject of kind `volume`. Undefined for a folder. */
  readonly volume?: string;
  /** User ids that may own what lies in it: of the role that works there, or whoever runs the program. */
  readonly owners: readonly number[];
  /**
   * Everything in it, folders before what is in them; below `path` only, where one is given. Ends early never: what cannot be
   * listed or read is thrown.
   */
  entries(signal: AbortSignal, path?: string): AsyncIterable<PlaceEntry>;
}
