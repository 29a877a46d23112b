/** An image as a WebAssembly module: compiled once, run by any number of harts. */
import { KEPT_PAGE_AT } from '../../protocol/dispute/step.ts';
import { type WasmModule, WebAssembly } from '../host/web-assembly.ts';
import { emitFunction, FIRST_FUNCTION, TABLE_AT } from './emit-control.ts';
import { GLOBALS } from './function-scope.ts';
import type { Image } from './image.ts';
import { type Program, readProgram } from './program.ts';
import { createWasmWriter, type WasmWriter } from './wasm-writer.ts';

export interface TranslatedImage {
  readonly image: Image;
  readonly program: Program;
  readonly module: WasmModule;
  /** Pages of 64 KiB of the second memory. */
  readonly tablePages: number;
  /** Below are what nothing may store to while translated code runs: the text, and what lies before it. */
  readonly storeFrom: number;
}

/** 4 GiB: every address is memory. What is not touched is not there. */
export const MEMORY_PAGES = 1 << 16;
const PAGE_BYTES = 1 << 16;
const ALIGNMENT = 16;
const [I32, FUNCTION_TYPE, MUTABLE, END] = [0x7f, 0x60, 1, 0x0b];
const SECTION = { type: 1, imports: 2, functions: 3, table: 4, globals: 6, exports: 7, elements: 9, code: 10 } as const;
const EXPORT = { function: 0, global: 3 } as const;

export function translateImage(image: Image): TranslatedImage {
  const program = readProgram(image);
  const end = image.text.address + image.text.bytes.length;
  const storeFrom = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
  const tablePages = Math.ceil((TABLE_AT + 4 * program.instructions.length) / PAGE_BYTES);
  const bytes = writeModule(program, { storeFrom, tablePages });
  return { image, program, module: new WebAssembly.Module(bytes), tablePages, storeFrom };
}

function writeModule(
  program: Program,
  { storeFrom, tablePages }: { readonly storeFrom: number; readonly tablePages: number },
): Uint8Array {
  const out = createWasmWriter();
  out.op(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const count = program.functions.length;
  const section = (id: number, write: (body: WasmWriter) => void): void => {
    const body = createWasmWriter();
    write(body);
    out.op(id);
    out.unsigned(body.bytes().length);
    out.append(body);
  };
  section(SECTION.type, (body) => {
    // A function of the guest takes a block; the call gives a status; the entry takes a block and a function.
    body.op(3, FUNCTION_TYPE, 1, I32, 0, FUNCTION_TYPE, 0, 1, I32, FUNCTION_TYPE, 2, I32, I32, 0);
  });
  section(SECTION.imports, (body) => writeImports(body, tablePages));
  section(SECTION.functions, (body) => {
    body.unsigned(count + 1);
    for (let index = 0; index < count; index += 1) body.op(0);
    body.op(2);
  });
  section(SECTION.table, (body) => {
    body.op(1, 0x70, 0);
    body.unsigned(count);
  });
  section(SECTION.globals, (body) => {
    body.unsigned(GLOBALS.count);
    for (let index = 0; index < GLOBALS.count; index += 1) body.op(I32, MUTABLE, 0x41, 0, END);
  });
  section(SECTION.exports, (body) => writeExports(body, count));
  section(SECTION.elements, (body) => {
    body.op(1, 0, 0x41, 0, END);
    body.unsigned(count);
    for (let index = 0; index < count; index += 1) body.unsigned(FIRST_FUNCTION + index);
  });
  section(SECTION.code, (body) => {
    body.unsigned(count + 1);
    const add = (code: WasmWriter): void => {
      body.unsigned(code.bytes().length);
      body.append(code);
    };
    for (const own of program.functions) add(emitFunction(program, own, { storeFrom, storeTo: KEPT_PAGE_AT }));
    const enter = createWasmWriter();
    enter.op(0, 0x20, 0, 0x20, 1, 0x11, 0, 0, END);
    add(enter);
  });
  return out.bytes().slice();
}

function writeImports(body: WasmWriter, tablePages: number): void {
  const memory = (name: string, pages: number): void => {
    writeName(body, 'host');
    writeName(body, name);
    body.op(2, 1);
    body.unsigned(pages);
    body.unsigned(pages);
  };
  body.op(3);
  writeName(body, 'host');
  writeName(body, 'call');
  body.op(0, 1);
  memory('memory', MEMORY_PAGES);
  memory('tables', tablePages);
}

function writeExports(body: WasmWriter, functions: number): void {
  body.unsigned(GLOBALS.count + 1);
  for (let index = 0; index < GLOBALS.count; index += 1) {
    writeName(body, `g${index}`);
    body.op(EXPORT.global);
    body.unsigned(index);
  }
  writeName(body, 'enter');
  body.op(EXPORT.function);
  body.unsigned(FIRST_FUNCTION + functions);
}

function writeName(body: WasmWriter, name: string): void {
  body.unsigned(name.length);
  for (let index = 0; index < name.length; index += 1) body.op(name.charCodeAt(index));
}
