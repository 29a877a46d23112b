/** What the command line remembers of the node's life on this machine. ISO 8601 times; undefined where there is no note. */
export interface LifeNotes {
  /** When the node was made: nothing in it can be older. */
  readonly createdAt: string | undefined;
  readonly lastBackupAt: string | undefined;
  readonly lastScrubAt: string | undefined;
  readonly lastVerify: { readonly at: string; readonly integrity: string; readonly completeness: string } | undefined;
  readonly hardening: {
    readonly scheduled: boolean;
    readonly lastReportAt: string | undefined;
  };
  /** The key that signs reports; undefined before the first. */
  readonly reportKey:
    | {
        readonly createdAt: string;
        readonly algorithm: string;
        readonly passphrase: boolean;
        /** How the passphrase becomes a key; undefined where there is none, or it could not be told. */
        readonly kdf?: { readonly algorithm: string; readonly memoryKiB: number; readonly passes: number };
      }
    | undefined;
}
