/**
 * One registry entry: the code is its key, `message` states the fact in lower case, and its parameter is the data of the error.
 *
 * What an edge makes of a code stands at that edge, complete by its type: the HTTP status in appliance/gateway/http-status.ts, the
 * exit code and the remedy in cli/errors/.
 */
export interface ErrorDefinition<D> {
  readonly message: (data: D) => string;
  /** Rollup errors only: what the driver does next. */
  readonly severity?: 'temporary' | 'reset' | 'critical';
}

/** Declares an entry and infers its data type: `define<{ path: string }>({ message: ({ path }) => `no ${path}` })`. */
export function define<D>(definition: ErrorDefinition<D>): ErrorDefinition<D> {
  return definition;
}
