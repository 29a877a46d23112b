/** Of the last hardening report. */
export interface Hardening {
  lastAt: string | null;
  profile: string;
  score: number | null;
  failed: number;
  unseen: number;
  drifted: number;
  waived: number;
  waivedCritical: number;
  everySeconds: number | null;
  overdue: boolean;
  /** By the newest report of any profile. */
  fitness?: { fit: boolean; reasons: string[]; at: string } | null;
}

/** The revocation list of an authority whose certificates clients show. */
export interface ClientRevocation {
  subject: string;
  fingerprint: string;
  state: 'current' | 'expired' | 'early' | 'missing' | 'behind' | 'unreadable';
  number?: string;
  nextUpdate?: string;
  revoked?: number;
}

/** Backup repositories of other nodes that this node keeps. */
export interface CustodyStanding {
  repositories: number;
  bytes: number;
  fullestBytes: number;
  quotaBytes: number;
  oldestAt: string | null;
  refused: number;
}

/** What is on record of backup repositories. */
export interface Backups {
  repositories: number;
  lastAt: string | null;
  verifiedAt: string | null;
  faulty: number;
  overdue: boolean;
}
