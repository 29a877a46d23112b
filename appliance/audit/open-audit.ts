import { parseBodySecret } from '../../protocol/envelope/body-secret.ts';
import { NectarError } from '../../protocol/errors.ts';
import { encodeVerifierKey, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { createAppendThread } from './append-thread.ts';
import { type BodySealer, createBodySealer } from './body-seal.ts';
import type { Disk } from './disk.ts';
import { createEpochs, type Epochs } from './epochs.ts';
import { type Freshness, openFreshness, type WitnessedHead } from './freshness.ts';
import { createGenerationsFile } from './generations-file.ts';
import type { AuditMetrics } from './metrics.ts';
import { type OpenLog, openLog } from './open-log.ts';
import type { AuditDeps, AuditOptions } from './service-contract.ts';
import { parseTold, type SignedHead } from './signed-head.ts';
import { createTermsFile } from './terms-file.ts';

/** The open log's epochs, and how it stands to what is known outside. */
export interface Fresh {
  readonly epochs: Epochs;
  readonly freshness: Freshness;
}

export interface OpenAudit {
  readonly log: OpenLog;
  readonly fresh: Fresh;
  /** What seals its bodies, and whether some may be sealed by the key of an earlier root key. */
  readonly sealing: { readonly sealer: BodySealer; readonly hasFormer: boolean };
}

export interface OpenAuditParts {
  readonly disk: Disk;
  readonly metrics: AuditMetrics;
  readonly key: VerifierKey;
  /** Heads that were told of before the start. */
  early(): readonly (WitnessedHead | SignedHead)[];
}

/** Opens the log, and holds it against every head that is known outside; or says what is wrong with the files. */
export async function openAudit(
  options: AuditOptions,
  deps: AuditDeps,
  parts: OpenAuditParts,
): Promise<OpenAudit | NectarError> {
  try {
    return await open(options, deps, parts);
  } catch (error) {
    if (error instanceof NectarError) return error;
    throw error;
  }
}

async function open(options: AuditOptions, deps: AuditDeps, parts: OpenAuditParts): Promise<OpenAudit> {
  const { config, keptOutside = async () => [] } = options;
  const { keys, randomBytes, log: logger, now } = deps;
  const { disk, metrics, key, early } = parts;
  encodeVerifierKey(key); // refuses an origin that cannot be a key name before anything is signed with it
  const bodyKey = keys.derive('audit-body');
  const epochs = createEpochs(key);
  const sealer = createBodySealer(bodyKey, epochs, randomBytes);
  const beside = { disk, bodyKey, origin: epochs.base, randomBytes };
  const [generationsFile, termsFile] = [createGenerationsFile(beside), createTermsFile(beside)];
  const { maxBodyBytes } = config;
  const thread = createAppendThread({ bodyKey, origin: epochs.base, maxBodyBytes, randomBytes });
  const log = await openLog({ ...deps, disk, metrics, epochs, sealer, thread, generationsFile, termsFile, config });
  const told = parseTold([...(await keptOutside()), ...early()], epochs, logger);
  const freshness = await openFreshness({ log, epochs, disk, bodyKey, logger, metrics, now }, told);
  const sealing = { sealer, hasFormer: parseBodySecret(bodyKey).length > 1 };
  return { log, fresh: { epochs, freshness }, sealing };
}
