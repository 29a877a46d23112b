import type { LeafHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { encodeVerifierKey, SIGNATURE_TYPE, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import type { Readiness } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import type { AuditDeps, AuditOptions } from './audit.ts';
import { createBodySealer } from './body-seal.ts';
import type { Disk } from './disk.ts';
import type { AccessContext, AuditInput } from './event.ts';
import type { AuditMetrics } from './metrics.ts';
import { recoverLog } from './recover.ts';
import { createRunningLog, type RunningLog } from './running-log.ts';
import { createWriteHealth, type WriteHealth } from './write-health.ts';

/** The log's life: closed, open, or found damaged. */
export interface Opening {
  open(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
  readiness(): Readiness;
  append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }>;
  /** Throws NODE_NOT_READY or AUDIT_DAMAGED. */
  running(): RunningLog;
  /** The open log; undefined when it is damaged, whose files can be verified all the same. Throws NODE_NOT_READY. */
  verifiable(): RunningLog | undefined;
  key(): VerifierKey;
}

type State =
  | { readonly is: 'stopped' }
  | { readonly is: 'running'; readonly log: RunningLog; readonly health: WriteHealth }
  // Alive, so that verify() can tell what is wrong; but nothing is appended, so nothing private is served.
  | { readonly is: 'damaged'; readonly reason: string };

const NODE_CONTEXT: AccessContext = { actor: { subject: 'node' }, requestId: 'node' };

export interface OpeningParts {
  readonly options: AuditOptions;
  readonly deps: AuditDeps;
  readonly disk: Disk;
  readonly log: Logger;
  readonly metrics: AuditMetrics;
}

export function createOpening(parts: OpeningParts): Opening {
  const { options, deps, log } = parts;
  let state: State = { is: 'stopped' };
  const key = (): VerifierKey => ({
    name: options.origin,
    type: SIGNATURE_TYPE.ed25519,
    publicKey: deps.signer.publicKey,
  });

  async function append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }> {
    const current = running();
    return state.is === 'running' ? state.health.watch(() => current.append(event)) : current.append(event);
  }

  function running(): RunningLog {
    if (state.is === 'running') return state.log;
    if (state.is === 'damaged') throw new NectarError('AUDIT_DAMAGED', { reason: state.reason });
    throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
  }

  /** Evidence in the log itself that recording was interrupted. If it cannot be written, neither can anything else. */
  const recordRecovery = (detail: Record<string, string | number>): Promise<unknown> =>
    append({ type: 'audit.recover', outcome: 'success', context: NODE_CONTEXT, detail });

  return {
    key,
    append,
    running,
    verifiable: () => (state.is === 'damaged' ? undefined : running()),
    async open(signal) {
      if (state.is !== 'stopped') return;
      const found = await openLog(parts, key());
      if (found instanceof NectarError) {
        state = { is: 'damaged', reason: found.message };
        log.error({ code: found.code }, 'the audit log is damaged: nothing private is served');
        return;
      }
      const health = createWriteHealth({ log, signal, probe: () => recordRecovery({ cause: 'not writable' }) });
      state = { is: 'running', log: found.running, health };
      if (found.torn > 0) {
        log.warn({ bytes: found.torn }, 'removing the bytes of a write that never completed');
        await recordRecovery({ tornBytes: found.torn }).catch(() => undefined);
      }
      log.info({ size: found.running.log.size() }, 'audit log open');
    },
    async close() {
      const current = state.is === 'running' ? state.log : undefined;
      state = { is: 'stopped' };
      await current?.close();
    },
    readiness: () => readinessOf(state),
  };
}

function readinessOf(state: State): Readiness {
  if (state.is === 'damaged') return { ready: false, reason: `the audit log is damaged: ${state.reason}` };
  const reason = state.is === 'running' ? state.health.failure : 'not started';
  return reason === undefined ? { ready: true } : { ready: false, reason };
}

/** The log as found on disk, running; or the error of the registry that says what is wrong with it. */
async function openLog(
  parts: OpeningParts,
  key: VerifierKey,
): Promise<{ running: RunningLog; torn: number } | NectarError> {
  const { options, deps, disk, log, metrics } = parts;
  encodeVerifierKey(key); // refuses an origin that cannot be a key name before anything is signed with it
  const sealer = createBodySealer(deps.keys.derive('audit-body'), options.origin, deps.randomBytes);
  const heads = (options.external ?? []).map(({ size, root, where }) => ({
    size,
    where,
    root: Buffer.from(root, 'hex'),
  }));
  const recovered = await recoverLog(disk, { key, sealer, external: heads }).catch((error: unknown) => {
    if (error instanceof NectarError) return error;
    throw error;
  });
  if (recovered instanceof NectarError) return recovered;
  const running = createRunningLog({ ...deps, log, disk, key, sealer, recovered, metrics, config: options.config });
  // The first checkpoint comes before the first leaf: from then on a missing one is a removed one.
  if (recovered.checkpoint === undefined) await running.checkpoint();
  return { running, torn: recovered.torn };
}
