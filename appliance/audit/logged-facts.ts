/** What an event says, as far as the fold reads it; the same from an event to be appended and from an entry read back. */
export interface LoggedFacts {
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  readonly time?: string;
  readonly detail: Readonly<Record<string, string | number>>;
}
