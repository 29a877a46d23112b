import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

/** Labels are route patterns, methods and codes of ours: no text from outside, so their number is bounded. */
export interface GatewayMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>;
  readonly duration: Histogram<'route'>;
  readonly inFlight: Gauge;
  readonly received: Counter;
  readonly sent: Counter;
  readonly denied: Counter<'reason'>;
  readonly malformed: Counter;
  readonly truncated: Counter;
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
  };
}
