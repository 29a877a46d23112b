/** The configuration of a node, as whoever reads it found it. Nothing of it is trusted to have a shape. */
export interface NodeSettings {
  /** What HOME/config.json holds; undefined where it could not be read (then `problems` says why). */
  readonly file: unknown;
  /** All options with their defaults, file, environment and flags applied; undefined where they are not valid together. */
  readonly effective: unknown;
  /** Why it is not valid; empty when it is. */
  readonly problems: readonly string[];
  /** Dotted paths of every option that the program knows. */
  readonly options: readonly string[];
  /** Bytes of the network descriptor. */
  readonly descriptor: Uint8Array | undefined;
}
