import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export type RefusalReason = 'identity' | 'not-authorized' | 'registry-unavailable';

export interface P2pMetrics {
  readonly connections: Gauge<'direction'>;
  readonly refused: Counter<'direction' | 'reason'>;
  readonly dropped: Counter;
  readonly dials: Counter<'outcome'>;
  readonly streamBytes: Counter<'direction'>;
  readonly gossip: Counter<'verdict'>;
  readonly exchanges: Counter<'type' | 'outcome'>;
  readonly falseBlocks: Counter;
}

export function createP2pMetrics(registry: Metrics): P2pMetrics {
  const registers = [registry];
  return {
    connections: new Gauge({
      name: 'nectar_p2p_connections',
      help: 'Open connections to peers',
      labelNames: ['direction'],
      registers,
    }),
    refused: new Counter({
      name: 'nectar_p2p_refused_total',
      help: 'Connections refused, before or after the handshake, by reason',
      labelNames: ['direction', 'reason'],
      registers,
    }),
    dropped: new Counter({
      name: 'nectar_p2p_dropped_total',
      help: 'Peers dropped because the registry no longer authorizes them',
      registers,
    }),
    dials: new Counter({ name: 'nectar_p2p_dials_total', help: 'Dials of peers', labelNames: ['outcome'], registers }),
    streamBytes: new Counter({
      name: 'nectar_p2p_stream_bytes_total',
      help: 'Bytes of frames on our stream protocols',
      labelNames: ['direction'],
      registers,
    }),
    gossip: new Counter({
      name: 'nectar_p2p_gossip_messages_total',
      help: 'Unsafe blocks from gossip and ranges, by verdict',
      labelNames: ['verdict'],
      registers,
    }),
    falseBlocks: new Counter({
      name: 'nectar_p2p_false_blocks_total',
      help: 'Blocks of holders whose bytes were not those of their CID',
      registers,
    }),
    exchanges: new Counter({
      name: 'nectar_p2p_exchanges_total',
      help: 'Block exchanges served to peers',
      labelNames: ['type', 'outcome'],
      registers,
    }),
  };
}
