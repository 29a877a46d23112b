/** A series of `promtool test rules`: a sample a minute. */
export interface Series {
  readonly labels: string;
  readonly values: string;
}

interface AlarmCase {
  readonly fires: readonly Series[];
  /** Together with those of all others: nothing fires. */
  readonly silent: readonly Series[];
}

const SAMPLES = 'x100';
const steady = (labels: string, value: number): Series => ({ labels, values: `${value}+0${SAMPLES}` });
const growing = (labels: string, step: number): Series => ({ labels, values: `0+${step}${SAMPLES}` });

/** An alarm about a gauge that is `bad` or `good`. */
const gauge = (labels: string, bad: number, good: number): AlarmCase => ({
  fires: [steady(labels, bad)],
  silent: [steady(labels, good)],
});

const GIB = 2 ** 30;
const disk = (free: number): Series[] => [
  steady('nectar_volume_free_bytes{role="store",volume="store"}', free * GIB),
  steady('nectar_volume_size_bytes{role="store",volume="store"}', 100 * GIB),
];
/** When promtool looks, in seconds of its clock, which begins at 0. */
const LOOK = 5_400;
const DAY = 86_400;
const certificate = (pod: string, { lives, left }: { lives: number; left: number }): Series[] => [
  steady(`nectar_gateway_certificate_end_seconds{role="gateway",pod="${pod}"}`, LOOK + left * DAY),
  steady(`nectar_gateway_certificate_start_seconds{role="gateway",pod="${pod}"}`, LOOK + (left - lives) * DAY),
];

const pair = (daysLeft: number): Series[] => [
  steady('nectar_crossing_certificate_left_seconds{role="store"}', daysLeft * DAY),
  steady('nectar_crossing_certificate_lifetime_seconds{role="store"}', 365 * DAY),
];

/** Days that are left of a member's attestation; of no member, whose end is 0, nothing is said. */
const attestation = (bad: number, good: number): AlarmCase => ({
  fires: [steady('nectar_membership_attestation_end_seconds{role="rollup"}', LOOK + bad * DAY)],
  silent: [
    steady('nectar_membership_attestation_end_seconds{role="rollup"}', LOOK + good * DAY),
    steady('nectar_membership_attestation_end_seconds{role="all"}', 0),
  ],
});

/** What each alarm of the chart must fire at, and what it must not. */
export const alarmCases: Readonly<Record<string, AlarmCase>> = {
  NectarGatewayAbsent: { fires: [], silent: [steady('nectar_role_up{role="gateway"}', 1)] },
  NectarRoleDown: gauge('nectar_role_up{role="store"}', 0, 1),
  NectarLocked: gauge('nectar_keys_unlocked{role="store"}', 0, 1),
  NectarKeysBlocked: gauge('nectar_keys_blocked{role="store"}', 1, 0),
  NectarAuditConflict: gauge('nectar_audit_conflict{role="audit"}', 1, 0),
  NectarStoreDamaged: gauge('nectar_store_damaged_values{role="store"}', 2, 0),
  NectarL1Silent: {
    fires: [steady('nectar_rollup_l1_block_number{role="rollup"}', 7)],
    silent: [growing('nectar_rollup_l1_block_number{role="rollup"}', 5)],
  },
  NectarFalseAssertion: gauge('nectar_rollup_false_assertions{role="rollup"}', 1, 0),
  NectarChallengeWaits: gauge('nectar_rollup_challenge_clock_left_seconds{role="rollup",turn="own"}', 80_000, 90_000),
  NectarStakeLost: {
    fires: [growing('nectar_rollup_challenged_stakes{role="rollup",outcome="lost"}', 1)],
    silent: [
      steady('nectar_rollup_challenged_stakes{role="rollup",outcome="lost"}', 1),
      growing('nectar_rollup_challenged_stakes{role="rollup",outcome="won"}', 1),
    ],
  },
  NectarRequestsWait: gauge('nectar_gateway_requests_queued{role="gateway"}', 3, 0),
  NectarStrangers: {
    fires: [growing('nectar_gateway_connections_ended_total{role="gateway",reason="handshake"}', 60)],
    silent: [growing('nectar_gateway_connections_ended_total{role="gateway",reason="handshake"}', 2)],
  },
  NectarHardeningOverdue: gauge('nectar_hardening_overdue{role="gateway"}', 1, 0),
  NectarSplitLog: gauge('nectar_witness_split_logs{role="rollup"}', 1, 0),
  NectarHolderLies: {
    fires: [growing('nectar_replication_answers_total{role="rollup",outcome="false"}', 1)],
    silent: [
      growing('nectar_replication_answers_total{role="rollup",outcome="proved"}', 5),
      steady('nectar_replication_answers_total{role="rollup",outcome="absent"}', 3),
    ],
  },
  NectarShardsEndangered: {
    fires: [steady('nectar_store_shard_segments{role="store",margin="1"}', 1)],
    silent: [
      steady('nectar_store_shard_segments{role="store",margin="2"}', 4),
      steady('nectar_store_shard_segments{role="store",margin="10"}', 4),
    ],
  },
  NectarShardsUnproved: gauge('nectar_store_shard_unproved_seconds{role="store"}', 180_000, 90_000),
  NectarNotReady: gauge('nectar_node_ready{role="gateway"}', 0, 1),
  NectarDiskFull: { fires: disk(2), silent: disk(50) },
  NectarDiskFills: { fires: disk(10), silent: [] },
  NectarCertificateEnds: {
    fires: certificate('a', { lives: 365, left: 5 }),
    silent: [...certificate('a', { lives: 365, left: 60 }), ...certificate('b', { lives: 1, left: 0.5 })],
  },
  NectarAttestationEnds: attestation(20, 40),
  NectarAttestationLapses: attestation(3, 40),
  NectarCrossingCertificate: gauge('nectar_crossing_certificate_problem{role="store"}', 1, 0),
  NectarCrossingCertificateEnds: { fires: pair(20), silent: pair(200) },
  NectarBackupOverdue: gauge('nectar_backup_overdue{role="gateway"}', 1, 0),
  NectarBackupFaulty: gauge('nectar_backup_faulty_repositories{role="gateway"}', 1, 0),
  NectarAnchorRefused: {
    fires: [growing('nectar_anchor_refused_total{role="rollup",kind="audit"}', 1)],
    silent: [steady('nectar_anchor_refused_total{role="rollup",kind="audit"}', 3)],
  },
  NectarNoPeers: gauge('nectar_p2p_connections{role="rollup"}', 0, 2),
  NectarRevocationListEnded: {
    fires: [steady('nectar_gateway_client_revocation_lists{role="gateway",state="expired"}', 1)],
    silent: [steady('nectar_gateway_client_revocation_lists{role="gateway",state="current"}', 2)],
  },
};
