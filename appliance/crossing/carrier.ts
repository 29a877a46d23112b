import type { Service } from '../service.ts';
import type { Connection } from './connection.ts';
import type { Route } from './route.ts';
import type { CrossingName } from './table.ts';

/** What each crossing of a role does. */
export type ServedCrossings = Partial<Readonly<Record<CrossingName, readonly Route[]>>>;

/** What crossings go over, seen from one role: Unix sockets, or TLS in a cluster. Frames, bounds and back-pressure are the same. */
export interface Carrier {
  /** The calling half of a crossing. */
  connect(crossing: CrossingName): Connection;
  /** The serving half of this role's crossings, in the order of their start. */
  serve(crossings: ServedCrossings): Service[];
  /** What this role shows the others, where that can run out: started before anything is called or served. */
  readonly credentials: readonly Service[];
}
