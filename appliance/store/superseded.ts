/** Ciphertext that was replaced under new keys, on its way out: written down with the commit that replaced it, so that a crash forgets none. */
export interface Superseded {
  /** Takes away what nobody needs; what somebody does is looked at again later. */
  wake(): void;
  /** For a copy of the index that names it. */
  keep(milliseconds: number): void;
  /** Takes up what an earlier process left. */
  resume(): void;
  stop(): Promise<void>;
}
