import type { Logger } from '../../telemetry/index.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { Engine } from '../derive/engine.ts';
import type { AssertionStatus } from './assertion.ts';
import type { AssertionBook } from './assertion-book.ts';
import type { FalseAssertion, Judge } from './judge.ts';

/** A false assertion and what became of it on L1. */
export interface FalseAlarm extends FalseAssertion {
  readonly status: AssertionStatus;
}

/** False assertions that were seen, with the evidence. One stays until it is dead, also over a restart and once L1 has passed it. */
export interface FalseAlarms {
  update(book: AssertionBook, verdictOf: Judge['verdictOf']): Promise<void>;
  list(): readonly FalseAlarm[];
}

const RECORD = 'validator/false-assertions';
/** Each costs its maker a stake; the oldest confirmed ones matter most, so what is beyond this is only logged and counted. */
const MAX_KEPT = 64;

export function createFalseAlarms(
  engine: Pick<Engine, 'record' | 'putRecords'>,
  { log }: { readonly log: Logger },
): FalseAlarms {
  let alarms: readonly FalseAlarm[] | undefined;
  const reported = new Set<string>();

  async function open(): Promise<readonly FalseAlarm[]> {
    const bytes = await engine.record(RECORD);
    alarms ??= bytes === undefined ? [] : (parseBigintJson(bytes) as FalseAlarm[]);
    return alarms;
  }

  function report(alarm: FalseAlarm): void {
    const { nodeId, asserted, derived, reason, stakeId, l1Number, status } = alarm;
    const evidence = { nodeId, stakeId, l1: l1Number, batch: asserted.batch, reason, status };
    const values = {
      asserted: { blockHash: asserted.blockHash, sendRoot: asserted.sendRoot },
      ...(derived && { derived: { block: derived.block, blockHash: derived.blockHash, sendRoot: derived.sendRoot } }),
    };
    log.error(
      { ...evidence, ...values },
      status === 'confirmed' ? 'L1 confirmed a false assertion' : 'false assertion on L1',
    );
  }

  /** Once per status and start of the node. */
  function reportNew(alarm: FalseAlarm): void {
    const key = `${alarm.nodeId}/${alarm.status}`;
    if (reported.has(key)) return;
    reported.add(key);
    report(alarm);
  }

  return {
    async update(book, verdictOf) {
      const before = await open();
      const known = new Map(before.map((alarm) => [alarm.nodeId, alarm]));
      for (const { nodeId, status } of book.assertions.values()) {
        const verdict = verdictOf(nodeId);
        if (verdict?.kind !== 'false') continue;
        if (status === 'dead') known.delete(nodeId);
        else known.set(nodeId, { ...verdict.evidence, status });
      }
      // Beside the latest confirmed one, or taken back by L1: it can harm nobody any more.
      for (const { nodeId, status } of known.values())
        if (status === 'live' && !book.assertions.has(nodeId)) known.delete(nodeId);
      const next = [...known.values()].slice(0, MAX_KEPT);
      next.forEach(reportNew);
      const text = (list: readonly FalseAlarm[]): string => list.map(({ nodeId, status }) => nodeId + status).join();
      if (text(next) !== text(before)) await engine.putRecords(new Map([[RECORD, encodeBigintJson(next)]]));
      alarms = next;
    },
    list: () => alarms ?? [],
  };
}
