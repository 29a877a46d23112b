import type { Terminal } from './terminal.ts';

const USUAL = { columns: 80, rows: 24 } as const;

/**
 * A pseudo-terminal that nobody gave a size says that it has 0 columns and rows: whoever wraps text by that writes a letter a line. 0
 * counts as the size that terminals begin with; a size that it gets later holds.
 */
export function withUsualSize(stream: Terminal['stdout']): void {
  if (stream.isTTY !== true) return;
  for (const name of ['columns', 'rows'] as const) {
    let size: unknown = Reflect.get(stream, name);
    Object.defineProperty(stream, name, {
      configurable: true,
      enumerable: true,
      get: () => size || USUAL[name],
      set: (value: unknown) => {
        size = value;
      },
    });
  }
}
