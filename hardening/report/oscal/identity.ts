import type { Report, Result } from '../report.ts';
import { oscalToken } from './text.ts';
import { uuidOf } from './uuid.ts';

/** Every identifier of one document: of the node and its things over all reports, of what was found only for this one. */
export interface Identity {
  readonly document: string;
  readonly result: string;
  readonly plan: string;
  readonly tool: string;
  readonly platform: string;
  readonly node: string;
  readonly subject: (kind: string, name: string) => string;
  readonly party: (owner: string) => string;
  readonly observation: (check: string) => string;
  readonly finding: (check: string) => string;
  readonly risk: (check: string) => string;
  readonly remedy: (check: string) => string;
  readonly waiver: (check: string) => string;
  readonly look: (collector: string, index: number) => string;
}

export function identityOf({ node, createdAt, digests, profile, tool }: Report): Identity {
  const report = ['report', node.id, createdAt, profile.name, digests.facts, digests.benchmark];
  return {
    document: uuidOf('document', ...report),
    result: uuidOf('result', ...report),
    plan: uuidOf('plan', profile.name, digests.benchmark),
    tool: uuidOf('tool', tool.name, tool.version),
    platform: uuidOf('platform', node.id),
    node: uuidOf('node', node.id),
    subject: (kind, name) => uuidOf('subject', node.id, kind, name),
    party: (owner) => uuidOf('party', owner),
    observation: (check) => uuidOf('observation', check, ...report),
    finding: (check) => uuidOf('finding', check, ...report),
    // A risk lives until its failure is gone: the same in every report.
    risk: (check) => uuidOf('risk', node.id, check),
    remedy: (check) => uuidOf('remedy', node.id, check),
    waiver: (check) => uuidOf('waiver', node.id, check),
    look: (collector, index) => uuidOf('look', collector, String(index), ...report),
  };
}

/** Id of a check as a control of this assessment. Ids of checks are tokens already; those of a foreign report need not be. */
export function controlId({ check }: Pick<Result, 'check'>): string {
  return oscalToken(check);
}

/** Id of the one objective of that control: that the check's expectation holds. */
export function objectiveId(result: Pick<Result, 'check'>): string {
  return `${controlId(result)}_obj`;
}
