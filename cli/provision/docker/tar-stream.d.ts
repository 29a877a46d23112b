/** The part of tar-stream 2 that we use; the package brings no types. */
declare module 'tar-stream' {
  import type { Readable } from 'node:stream';

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
    entry(header: Header, content?: Buffer): void;
    finalize(): void;
  }

  export function pack(): Pack;
}
