import type { Readable, Writable } from 'node:stream';

/** What a command sees of the world outside: injected, so that a test runs a whole command in its own process. */
export interface Terminal {
  readonly stdin: Readable & {
    readonly isTTY?: boolean;
    readonly isRaw?: boolean;
    /** Of a terminal: whether keys come one by one, unechoed, Ctrl-C among them. */
    setRawMode?(raw: boolean): unknown;
  };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's own folder. */
  readonly userFolder: string;
  readonly workingFolder: string;
  /** Aborted by Ctrl-C and SIGTERM: whatever a command does then ends, and cleans up after itself. */
  readonly signal: AbortSignal;
  /** Ctrl-C, for whoever reads the keys while they raise no signal: the first aborts `signal`, another ends the program at once. */
  interrupt(): void;
  now(): number;
}

/** True when a person sits there who can be asked. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.stdin.isTTY === true && terminal.stderr.isTTY === true;
}
