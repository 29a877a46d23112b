import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../../telemetry/index.ts';
import type { Certificates } from './certificates.ts';

export interface CrossingMetrics {
  readonly refused: Counter<'reason'>;
}

export function createCrossingMetrics(
  registry: Metrics,
  {
    certificates,
    now,
  }: {
    readonly certificates: Pick<Certificates, 'find' | 'problem' | 'notAfter' | 'lifetime'>;
    readonly now: () => number;
  },
): CrossingMetrics {
  const registers = [registry];
  new Gauge({
    name: 'nectar_crossing_certificate_left_seconds',
    help: 'Seconds until the certificate that this role shows the other roles expires; 0 when it has none.',
    registers,
    collect() {
      const notAfter = certificates.notAfter();
      this.set(notAfter === undefined ? 0 : (notAfter - now()) / 1000);
    },
  });
  new Gauge({
    name: 'nectar_crossing_certificate_lifetime_seconds',
    help: 'For how long that certificate is good in all; 0 when there is none.',
    registers,
    collect() {
      this.set((certificates.lifetime() ?? 0) / 1000);
    },
  });
  new Gauge({
    name: 'nectar_crossing_certificate_problem',
    help: '1 while the files of that certificate cannot be used, also while an older one is still good.',
    registers,
    collect() {
      this.set(certificates.problem() === undefined ? 0 : 1);
    },
  });
  const refused = new Counter({
    name: 'nectar_crossing_refused_total',
    help: 'Connections to the crossings of this role that were ended or refused, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return { refused };
}
