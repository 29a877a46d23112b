import { type ErrorCode, type ErrorData, NectarError } from '../../protocol/errors.ts';

/** What a verification found. `code` is that of the error registry; `bears` names the verdict that it spoils, if any. */
export interface AuditFinding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly bears: 'integrity' | 'completeness' | 'none';
  readonly [fact: string]: unknown;
}

/** Collects findings; a log that is wholly wrong yields the first hundred and a count. */
export interface Findings {
  add(error: NectarError, bears: AuditFinding['bears']): void;
  /** Runs a check; an error of the registry that it throws is a finding, anything else is thrown on. */
  check<T>(run: () => T, bears?: AuditFinding['bears']): T | undefined;
  readonly list: readonly AuditFinding[];
  /** How many spoil a verdict, listed or not. */
  count(bears: AuditFinding['bears']): number;
}

const MAX_LISTED = 100;

export function createFindings(): Findings {
  const list: AuditFinding[] = [];
  const counts = { integrity: 0, completeness: 0, none: 0 };
  const add = (error: NectarError, bears: AuditFinding['bears']): void => {
    counts[bears] += 1;
    if (list.length < MAX_LISTED) list.push({ ...error.data, code: error.code, message: error.message, bears });
  };
  return {
    add,
    check(run, bears = 'integrity') {
      try {
        return run();
      } catch (error) {
        if (!(error instanceof NectarError)) throw error;
        add(error, bears);
        return undefined;
      }
    },
    list,
    count: (bears) => counts[bears],
  };
}

/** Shorthand: an error to hand to `add`. */
export function finding<C extends ErrorCode>(code: C, data: ErrorData<C>): NectarError {
  return new NectarError(code, data);
}
