/** Of the messages between roles. A change that an older neighbour would misread takes the next number. */
export const CROSSING_VERSION = 7;

/** Stated by both sides when a connection begins. */
export const VERSION_HEADER = 'nectar-version';

/** The number that a header states; 0, which no version has, when it states none. */
export function parseVersion(header: string | readonly string[] | undefined): number {
  return typeof header === 'string' && /^[1-9][0-9]{0,8}$/.test(header) ? Number(header) : 0;
}
