/** The clock of a machine is set back a little now and then. */
const SKEW_MS = 3_600_000;

/**
 * How long ago something was by the note of a command in HOME/run, in milliseconds. Such a note is no evidence: an older one that was
 * put back makes what it tells of older than it is, which harms nobody. Undefined for a time that is none, or is yet to come: that
 * would look young for ever.
 */
export function noteAge(at: string, now: number): number | undefined {
  const age = now - Date.parse(at);
  return age >= -SKEW_MS ? Math.max(0, age) : undefined;
}
