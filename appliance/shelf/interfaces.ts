/** A text, and the version that a change of it names; `none` and no text where there is none. */
export interface ShelfText {
  readonly text?: string;
  readonly version: string;
}

/** Small texts for roles that run more than once and have no disk of their own. */
export interface Shelf {
  read(name: string): Promise<ShelfText>;
  /** Of all that are there. */
  versions(): Promise<readonly { readonly name: string; readonly version: string }[]>;
  /**
   * Durable when it resolves. Of two that name the same version, one is refused.
   *
   * @throws NectarError NODE_SHELF_CHANGED, NODE_SHELF_TEXT_INVALID, NODE_DISK_FULL
   */
  write(name: string, text: string, after: string): Promise<{ readonly version: string }>;
}
