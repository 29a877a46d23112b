import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface KeysMetrics {
  readonly unlocked: Gauge;
  readonly blocked: Gauge;
  readonly damagedIdentities: Gauge;
  readonly unlockAttempts: Counter<'provider' | 'outcome'>;
}

export function createKeysMetrics(registry: Metrics): KeysMetrics {
  const registers = [registry];
  return {
    unlocked: new Gauge({ name: 'nectar_keys_unlocked', help: '1 when the root key is open', registers }),
    blocked: new Gauge({
      name: 'nectar_keys_blocked',
      help: '1 when keys.json contradicts the audit log, or was changed under the running node: no record is written',
      registers,
    }),
    damagedIdentities: new Gauge({
      name: 'nectar_keys_identity_damaged',
      help: '1 when a sealed identity of the home is gone or is another one than at the start',
      registers,
    }),
    unlockAttempts: new Counter({
      name: 'nectar_keys_unlock_attempts_total',
      help: 'Attempts to open the root key',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
  };
}
