/** What is used of WebAssembly: the ECMAScript library of TypeScript does not declare it, and a browser's would bring the DOM. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** A compiled module: may be handed to workers, instances are made from it in milliseconds. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, (...values: number[]) => number>>>>,
  ) => { readonly exports: object };
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
