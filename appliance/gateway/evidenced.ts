import { isNectarError } from '../../protocol/errors.ts';
import type { AccessContext, GatewayAuditEvent } from './dependencies.ts';
import type { RouteContext } from './gateway-server.ts';

type Facts = NonNullable<GatewayAuditEvent['detail']>;
type Recorder = Pick<RouteContext, 'events'> & { readonly deps: Pick<RouteContext['deps'], 'audit'> };

/** What is about to be done, and for whom. Its outcome is not the route's to say: it follows from the work. */
export interface EvidencedEvent {
  readonly type: GatewayAuditEvent['type'];
  readonly context: AccessContext;
  readonly detail?: Facts;
}

export interface EvidencedWork<T> {
  /** `note` adds what only the work learns; on record with a failure too. */
  run(note: (facts: Facts) => void): Promise<T>;
  /** Takes the result back when its evidence cannot be written: nothing stands that the log does not hold. */
  undo?(result: T): Promise<void>;
  /**
   * Puts a leaf with `phase: started` on record before the work, for what changes something step by step: a process that dies
   * half-way leaves that leaf without its end.
   */
  readonly announced?: boolean;
}

/** A result, and the leaf that says that it came about. */
export interface OnRecordResult<T> {
  readonly result: T;
  readonly auditLeaf: number;
}

/**
 * Does something of which success and failure are both evidence, by construction: whoever calls this cannot forget either. The
 * result is returned only once its leaf is durable. A failure whose leaf cannot be written now is held until the log takes it.
 *
 * @throws whatever the work throws; what `append` throws, after `undo`
 */
export async function evidenced<T>(
  { deps: { audit }, events }: Recorder,
  event: EvidencedEvent,
  work: EvidencedWork<T>,
): Promise<OnRecordResult<T>> {
  let detail: Facts = event.detail ?? {};
  if (work.announced === true)
    await audit.append({ ...event, outcome: 'success', detail: { ...detail, phase: 'started' } });
  let result: T;
  try {
    result = await work.run((facts) => {
      detail = { ...detail, ...facts };
    });
  } catch (error) {
    await appendFailure({ audit, events }, { ...event, outcome: 'failure', detail: { ...detail, ...reasonOf(error) } });
    throw error;
  }
  try {
    const { index } = await audit.append({ ...event, outcome: 'success', ...withDetail(detail) });
    return { result, auditLeaf: index };
  } catch (error) {
    await work.undo?.(result);
    throw error;
  }
}

/**
 * The other order, for what the node remembers only because the log holds it: the leaf first, then the work, which gets its index.
 * Work that fails after its leaf adds a failure to it.
 */
export async function evidencedFirst<T>(
  { deps: { audit }, events }: Recorder,
  event: GatewayAuditEvent,
  work: (auditLeaf: number) => Promise<T>,
): Promise<OnRecordResult<T>> {
  const { index } = await audit.append(event);
  try {
    return { result: await work(index), auditLeaf: index };
  } catch (error) {
    const detail = { ...event.detail, leaf: index, ...reasonOf(error) };
    await appendFailure({ audit, events }, { ...event, outcome: 'failure', detail });
    throw error;
  }
}

/** The caller is refused already: a log that does not take the leaf now must not hide why. */
async function appendFailure(
  { audit, events }: Pick<RouteContext['deps'], 'audit'> & Pick<RouteContext, 'events'>,
  event: GatewayAuditEvent,
): Promise<void> {
  try {
    await audit.append(event);
  } catch {
    events.observed(event);
  }
}

/** A code of the registry is safe to keep; the text of anything else may name what it should not. */
function reasonOf(error: unknown): Facts {
  return { reason: isNectarError(error) ? error.code : 'INTERNAL' };
}

function withDetail(detail: Facts): { detail?: Facts } {
  return Object.keys(detail).length === 0 ? {} : { detail };
}
