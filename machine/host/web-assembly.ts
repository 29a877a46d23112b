/** What is used of WebAssembly: the ECMAScript library of TypeScript does not declare it, and a browser's would bring the DOM. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** A compiled module: may be handed to workers, instances are made from it in milliseconds. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

/** What an instance imports: functions, and memories of the caller's. */
type WasmImport = ((...values: number[]) => number) | WasmMemory;

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, WasmImport>>>>,
  ) => { readonly exports: object };
}

/** A number that an instance and its host share. */
export interface WasmGlobal {
  value: number;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
