import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';
import type { BackupStatus } from './backup-schemas.ts';
import type { RecordedReport } from './hardening-schemas.ts';

/** Labels are route patterns, methods and codes of ours: no text from outside, so their number is bounded. */
export interface GatewayMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>;
  readonly duration: Histogram<'route'>;
  readonly inFlight: Gauge;
  readonly queued: Gauge;
  readonly received: Counter;
  readonly sent: Counter;
  readonly denied: Counter<'reason'>;
  readonly malformed: Counter;
  readonly truncated: Counter;
  readonly connectionsEnded: Counter<'reason'>;
  /** Says how many connections are open, asked for at each scrape. */
  connections(count: () => { strangers: number; known: number }): void;
}

export function createGatewayMetrics(registry: Metrics): GatewayMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'nectar_gateway_requests_total',
      help: 'Requests answered.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'nectar_gateway_request_duration_seconds',
      help: 'Time from the request headers to the end of the answer.',
      labelNames: ['route'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
      registers,
    }),
    inFlight: new Gauge({
      name: 'nectar_gateway_requests_in_flight',
      help: 'Authorised requests being served.',
      registers,
    }),
    queued: new Gauge({
      name: 'nectar_gateway_requests_queued',
      help: 'Authorised requests that wait for their turn.',
      registers,
    }),
    received: new Counter({ name: 'nectar_gateway_received_bytes_total', help: 'Record bytes received.', registers }),
    sent: new Counter({ name: 'nectar_gateway_sent_bytes_total', help: 'Record bytes sent.', registers }),
    denied: new Counter({
      name: 'nectar_gateway_denied_total',
      help: 'Requests refused for their token.',
      labelNames: ['reason'],
      registers,
    }),
    malformed: new Counter({
      name: 'nectar_gateway_malformed_requests_total',
      help: 'Connections closed for a request that is not HTTP.',
      registers,
    }),
    truncated: new Counter({
      name: 'nectar_gateway_truncated_responses_total',
      help: 'Answers cut off after their headers.',
      registers,
    }),
    connectionsEnded: new Counter({
      name: 'nectar_gateway_connections_ended_total',
      help: 'Connections ended by the bounds on connections: rate, crowded, evicted, full, silent.',
      labelNames: ['reason'],
      registers,
    }),
    connections(count) {
      new Gauge({
        name: 'nectar_gateway_connections',
        help: 'Open connections: known have shown a valid token, strangers have not.',
        labelNames: ['peer'],
        registers,
        collect() {
          const { strangers, known } = count();
          this.set({ peer: 'stranger' }, strangers);
          this.set({ peer: 'known' }, known);
        },
      });
    },
  };
}

/** What is on record of hardening reports. Labels are names of profiles, of which the notes keep a few. */
export interface HardeningMetrics {
  /** Shows the newest report of each profile, and none of any other. */
  show(reports: readonly RecordedReport[]): void;
  /** Whether the node is fit for patients' data by the newest report, asked for at each scrape; undefined: none says so. */
  fit(isFit: () => boolean | undefined): void;
  /** Whether a scheduled report is overdue, asked for at each scrape: no event tells when it begins to be. */
  overdue(isOverdue: () => boolean): void;
}

export function createHardeningMetrics(registry: Metrics): HardeningMetrics {
  const gauge = (name: string, help: string): Gauge<'profile'> =>
    new Gauge({ name: `nectar_hardening_${name}`, help, labelNames: ['profile'], registers: [registry] });
  const values: readonly [Gauge<'profile'>, (report: RecordedReport) => number][] = [
    [gauge('score', 'Score of the last hardening report, 0 to 100.'), ({ score }) => score],
    [gauge('failed_checks', 'Checks that failed at or above the threshold.'), ({ failed }) => failed.length],
    [gauge('unseen_checks', 'Checks that could not be looked at.'), ({ unseen }) => unseen.length],
    [gauge('drifted_checks', 'Failed checks that did not fail before.'), ({ drifted }) => drifted.length],
    [gauge('waived_checks', 'Checks that fail and are waived.'), ({ counts }) => counts.waived],
    [
      gauge('waived_critical_checks', 'Critical checks that fail and are waived.'),
      ({ waivedCritical = [] }) => waivedCritical.length,
    ],
    [
      gauge('report_time_seconds', 'When the last report was recorded, in Unix time.'),
      ({ at }) => Date.parse(at) / 1000,
    ],
  ];
  let late = (): boolean => false;
  let fit = (): boolean | undefined => undefined;
  new Gauge({
    name: 'nectar_hardening_fit_for_patient_data',
    help: '1 when the newest hardening report calls the node fit for patient data, 0 when not; absent where no report says so.',
    labelNames: [],
    registers: [registry],
    collect() {
      const known = fit();
      if (known === undefined) this.remove();
      else this.set(known ? 1 : 0);
    },
  });
  new Gauge({
    name: 'nectar_hardening_overdue',
    help: '1 when no report came within two intervals of the schedule.',
    registers: [registry],
    collect() {
      this.set(late() ? 1 : 0);
    },
  });
  return {
    show(reports) {
      for (const [metric, read] of values) {
        metric.reset();
        for (const report of reports) metric.set({ profile: report.profile }, read(report));
      }
    },
    fit(isFit) {
      fit = isFit;
    },
    overdue(isOverdue) {
      late = isOverdue;
    },
  };
}

/** What a watcher wants to know of the node as a whole, asked for at each scrape. */
export interface GatewayStanding {
  /** Rejects, or gives reasons, where the node is not usable. */
  readiness(): Promise<{ readonly ready: boolean; readonly reasons: readonly { readonly service: string }[] }>;
  /** When the certificate of the API ends, in milliseconds of Unix time; undefined: none is in use. */
  certificate(): { readonly validFromDate: Date; readonly validToDate: Date } | undefined;
}

export function createStandingMetrics(registry: Metrics, standing: GatewayStanding): void {
  const registers = [registry];
  new Gauge({
    name: 'nectar_node_ready',
    help: '1 when the node is usable as /readyz says.',
    registers,
    async collect() {
      const state = await standing.readiness().catch(() => ({ ready: false }));
      this.set(state.ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'nectar_node_unready_reasons',
    help: 'Why it is not, counted by service.',
    labelNames: ['service'],
    registers,
    async collect() {
      this.reset();
      const { reasons } = await standing.readiness().catch(() => ({ reasons: [] }));
      for (const { service } of reasons) this.inc({ service });
    },
  });
  const seconds = (date: Date | undefined): number => (date?.getTime() ?? 0) / 1000;
  new Gauge({
    name: 'nectar_gateway_certificate_start_seconds',
    help: 'When the certificate of the API begins, in Unix time; 0: none is in use.',
    registers,
    collect() {
      this.set(seconds(standing.certificate()?.validFromDate));
    },
  });
  new Gauge({
    name: 'nectar_gateway_certificate_end_seconds',
    help: 'When the certificate of the API ends, in Unix time; 0: none is in use.',
    registers,
    collect() {
      this.set(seconds(standing.certificate()?.validToDate));
    },
  });
}

/** How the revocation lists of the site's authorities are, asked for at each scrape: no event tells when one expires. */
export function createClientRevocationMetrics(
  registry: Metrics,
  standing: () => readonly { readonly state: string; readonly nextUpdate?: string }[],
): void {
  const registers = [registry];
  new Gauge({
    name: 'nectar_gateway_client_revocation_lists',
    help: 'Revocation lists of client authorities; with any that is not current, its clients are kept out.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      this.set({ state: 'current' }, 0);
      for (const { state } of standing()) this.inc({ state });
    },
  });
  new Gauge({
    name: 'nectar_gateway_client_revocation_next_update_seconds',
    help: 'When the first of these lists ends, in Unix time; 0: there is none.',
    registers,
    collect() {
      const ends = standing().flatMap(({ nextUpdate }) => (nextUpdate === undefined ? [] : [Date.parse(nextUpdate)]));
      this.set(ends.length === 0 ? 0 : Math.min(...ends) / 1000);
    },
  });
}

/** What is on record of backup repositories, asked for at each scrape: no event tells when a run begins to be overdue. */
export function createBackupMetrics(registry: Metrics, status: () => BackupStatus | null): void {
  const seconds = (instant: string | null | undefined): number => (instant == null ? 0 : Date.parse(instant) / 1000);
  const values: readonly [string, string, () => number][] = [
    ['nectar_backup_repositories', 'Backup repositories that the node knows of.', () => status()?.repositories ?? 0],
    [
      'nectar_backup_snapshot_time_seconds',
      'When the newest snapshot was signed, in Unix time; 0: never.',
      () => seconds(status()?.lastAt),
    ],
    [
      'nectar_backup_verified_time_seconds',
      'When a verification last found nothing wrong, in Unix time; 0: never.',
      () => seconds(status()?.verifiedAt),
    ],
    ['nectar_backup_faulty_repositories', 'Repositories whose last verification failed.', () => status()?.faulty ?? 0],
    [
      'nectar_backup_overdue',
      '1 when a scheduled snapshot did not come within two intervals.',
      () => (status()?.overdue === true ? 1 : 0),
    ],
  ];
  for (const [name, help, read] of values) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}
