import type { OnReadOpts, Socket } from 'node:net';
import type { NectarError } from '../../protocol/errors.ts';

/** How a carrier reaches the serving half of one crossing. */
export interface Dialer {
  /** What the upgrade asks for: the crossing, where one listener serves several. */
  readonly target: string;
  readonly timeoutMs: number;
  /**
   * Whether a request that failed as it was written was surely not taken. The kernel itself refuses a write to a Unix socket whose
   * process is gone; over a network it takes the bytes, and hears of it later.
   */
  readonly refusesWrites: boolean;
  /**
   * Begins to connect, and reads into the buffer; `onOpen` is called once the other side may be written to, and has shown who it is.
   *
   * @throws NectarError when this side cannot even try
   */
  connect(onread: OnReadOpts, onOpen: (socket: Socket) => void): Dialed;
  /** What keeps the other side from being reached, in our words; undefined when it is nothing that this carrier knows. */
  explain(error: NodeJS.ErrnoException): NectarError | undefined;
}

export interface Dialed {
  readonly socket: Socket;
  /** True once there are newer credentials than those that this connection began with: no further call begins on it. */
  isStale(): boolean;
}
