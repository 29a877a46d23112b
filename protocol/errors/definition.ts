/** Process exit codes (house-style 14). */
export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  checksFailed: 3,
  config: 10,
  locked: 11,
  key: 12,
  unreachable: 13,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One registry entry. `message` states the fact in lower case; `remedy` tells the reader of the docs what to do. */
export interface ErrorDefinition<D> {
  readonly message: (data: D) => string;
  /** One sentence for docs/reference/errors.md: what a person does about it. */
  readonly remedy: string;
  readonly http: number;
  readonly exit: ExitCode;
  /** Rollup errors only: what the driver does next. */
  readonly severity?: 'temporary' | 'reset' | 'critical';
}

/** Declares an entry and infers its data type: `define<{ path: string }>({ ... })`. */
export function define<D>(definition: ErrorDefinition<D>): ErrorDefinition<D> {
  return definition;
}
