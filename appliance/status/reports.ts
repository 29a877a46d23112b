/** Of the last hardening report. */
export interface Hardening {
  lastAt: string | null;
  profile: string;
  score: number | null;
  failed: number;
  unseen: number;
  drifted: number;
  everySeconds: number | null;
  overdue: boolean;
}

/** What is on record of backup repositories. */
export interface Backups {
  repositories: number;
  lastAt: string | null;
  verifiedAt: string | null;
  faulty: number;
  overdue: boolean;
}
