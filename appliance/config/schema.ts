import Type, { type Static, type TProperties } from 'typebox';
import { anchorConfig } from '../anchor/config.ts';
import { auditConfig } from '../audit/config.ts';
import { custodyConfig } from '../custody/config.ts';
import { GatewayConfig } from '../gateway/config.ts';
import { keysConfig } from '../keys/config.ts';
import { p2pConfig } from '../p2p/config.ts';
import { replicationConfig } from '../replication/config.ts';
import { rollupConfig, sequencerConfig } from '../rollup/config.ts';
import { storeConfig } from '../store/config.ts';
import { witnessConfig } from '../witness/config.ts';

/** A section takes exactly the options of its service; an option that is not one is an error, not a silent typo. */
function section<P extends TProperties>(fragment: Type.TObject<P>): Type.TObject<P> {
  return Type.Object(fragment.properties, { additionalProperties: false, default: {} });
}

const logSection = Type.Object(
  {
    level: Type.Union([Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')], {
      default: 'info',
      description: 'Least severe log lines that are written.',
    }),
  },
  { additionalProperties: false, default: {} },
);

/** HOME/config.json of a node: what differs from the defaults. */
export const nodeConfigSchema = Type.Object(
  {
    version: Type.Literal(1, { default: 1, description: 'Format of this file.' }),
    log: logSection,
    keys: section(keysConfig),
    gateway: section(GatewayConfig),
    audit: section(auditConfig),
    store: section(storeConfig),
    custody: section(custodyConfig),
    rollup: section(rollupConfig),
    p2p: section(p2pConfig),
    replication: section(replicationConfig),
    anchor: section(anchorConfig),
    witness: section(witnessConfig),
  },
  { additionalProperties: false },
);

export type NodeConfig = Static<typeof nodeConfigSchema>;

/** DEVNET/config.json: the home of `run sequencer`. */
export const sequencerHomeSchema = Type.Object(
  {
    version: Type.Literal(1, { default: 1, description: 'Format of this file.' }),
    log: logSection,
    rollup: section(rollupConfig),
    sequencer: section(sequencerConfig),
    p2p: section(p2pConfig),
  },
  { additionalProperties: false },
);

export type SequencerHomeConfig = Static<typeof sequencerHomeSchema>;
