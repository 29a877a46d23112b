/** The part of tar-stream 2 that we use; the package brings no types. */
declare module 'tar-stream' {
  import type { Readable, Writable } from 'node:stream';

  export interface Header {
    readonly name: string;
    readonly type: 'file' | 'directory';
    readonly size?: number;
    readonly uid: number;
    readonly gid: number;
    readonly mode: number;
    readonly mtime: Date;
  }

  export interface Pack extends Readable {
    entry(header: Header, content?: Buffer, done?: (error?: Error | null) => void): void;
    finalize(): void;
  }

  export function pack(): Pack;

  export interface Extract extends Writable {
    on(
      event: 'entry',
      listener: (
        header: { name: string; type: string; mode?: number },
        content: Readable,
        next: (error?: unknown) => void,
      ) => void,
    ): this;
    on(event: string, listener: (...args: never[]) => void): this;
  }

  export function extract(): Extract;
}
