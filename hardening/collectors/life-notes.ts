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
    | { readonly createdAt: string; readonly algorithm: string; readonly passphrase: boolean }
    | undefined;
}
