import type { AuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import type { AuditEventJson } from './balp.ts';
import type { OpenBody } from './body-seal.ts';
import { type DeclaredEpoch, EPOCH_LEAF, foldDeclared } from './declared-epoch.ts';
import { type Epochs, parseMark } from './epochs.ts';
import { type Findings, finding } from './finding.ts';
import { isDeclaration } from './freshness.ts';

/** Clocks differ by less, or one of them is wrong. */
const CLOCK_SLACK_MS = 300_000;

/** What a verification notes of the leaves as they come by: the epochs that they declare, and dates that cannot be. */
export interface LeafNotes {
  /** @param open its body; undefined when it was erased, or there is no key to open it with */
  take(index: number, leaf: AuditLeaf, open: OpenBody | undefined): void;
  readonly declared: readonly DeclaredEpoch[];
  /** Whether every epoch was read: without the key nobody can tell what is declared lost. */
  readonly complete: boolean;
  /** Makes the findings: none of them says that anything is wrong. */
  report(): void;
}

export interface LeafNotesDeps {
  /** Of which only the base is known; filled as they are declared. */
  readonly epochs: Epochs;
  readonly findings: Findings;
  /** Whether there is a key that opens bodies. */
  readonly hasKey: boolean;
  /** Milliseconds; undefined when dates are not looked at. */
  readonly now: number | undefined;
}

export function createLeafNotes({ epochs, findings, hasKey, now }: LeafNotesDeps): LeafNotes {
  const latest = now === undefined ? Number.POSITIVE_INFINITY : now + CLOCK_SLACK_MS;
  let declared: readonly DeclaredEpoch[] = [];
  let complete = true;
  let future: { index: number; time: string; leaves: number } | undefined;

  function declare(index: number, leaf: AuditLeaf, open: OpenBody | undefined): void {
    if (open === undefined) {
      complete = false;
      const reason = 'it declares an epoch, and such a body is never erased';
      if (hasKey) findings.add(finding('AUDIT_BODY_INVALID', { index, reason }), 'integrity');
      return;
    }
    const body = JSON.parse(Buffer.from(open.body).toString('utf8')) as AuditEventJson;
    findings.check(() => {
      declared = foldDeclared(declared, { index, leaf, body });
      const mark = leaf.type === EPOCH_LEAF ? parseMark(declared.at(-1)?.origin ?? '', epochs.base) : undefined;
      if (mark !== undefined) epochs.begin(mark);
    });
  }

  return {
    take(index, leaf, open) {
      if (Date.parse(leaf.time) > latest)
        future = { ...(future ?? { index, time: leaf.time }), leaves: (future?.leaves ?? 0) + 1 };
      if (isDeclaration(leaf.type)) declare(index, leaf, open);
    },
    get declared() {
      return declared;
    },
    get complete() {
      return complete;
    },
    report() {
      for (const { number, from, lost = null, at, outside } of declared) {
        const where = outside?.where ?? 'somebody outside';
        const gap = { epoch: number, from, lost, at: new Date(at).toISOString(), where };
        findings.add(finding('AUDIT_GAP_DECLARED', gap), 'none');
      }
      if (future !== undefined) findings.add(finding('AUDIT_FROM_FUTURE', future), 'none');
    },
  };
}
