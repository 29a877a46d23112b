/** One system call: its number and up to six arguments. */
export interface Call {
  readonly number: number;
  readonly arguments?: readonly (number | bigint)[];
}

const ADDRESS = 0x40_0000n;
const HEADER_BYTES = 64 + 56;
const CALL_BYTES = 56;

/**
 * An x86-64 program without any library that makes the given calls one after the other and writes what each returned (64 bits,
 * little-endian; -errno on failure) to its standard output. Assembled here, so that no compiler is needed where tests run.
 */
export function syscallProbe(calls: readonly Call[]): Uint8Array {
  const tableAt = (codeBytes: number): bigint => ADDRESS + BigInt(HEADER_BYTES + codeBytes);
  const size = code(0n, 0n, calls.length).length;
  const table = tableAt(size);
  const results = table + BigInt(calls.length * CALL_BYTES);
  const program = code(table, results, calls.length);
  const body = Buffer.concat([program, encodeCalls(calls), Buffer.alloc(calls.length * 8)]);
  return Buffer.concat([header(HEADER_BYTES + body.length), body]);
}

export function readResults(stdout: Buffer): number[] {
  return Array.from({ length: stdout.length / 8 }, (_, index) => Number(stdout.readBigInt64LE(index * 8)));
}

function encodeCalls(calls: readonly Call[]): Buffer {
  const bytes = Buffer.alloc(calls.length * CALL_BYTES);
  for (const [index, { number, arguments: args = [] }] of calls.entries()) {
    for (const [position, value] of [number, ...args].entries()) {
      bytes.writeBigInt64LE(BigInt(value), index * CALL_BYTES + position * 8);
    }
  }
  return bytes;
}

function code(table: bigint, results: bigint, count: number): Buffer {
  const imm64 = (opcode: readonly number[], value: bigint): number[] => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return [...opcode, ...bytes];
  };
  const loop = [
    ...[0x48, 0x8b, 0x03], // mov rax, [rbx]
    ...[0x48, 0x8b, 0x7b, 0x08], // mov rdi, [rbx+8]
    ...[0x48, 0x8b, 0x73, 0x10], // mov rsi, [rbx+16]
    ...[0x48, 0x8b, 0x53, 0x18], // mov rdx, [rbx+24]
    ...[0x4c, 0x8b, 0x53, 0x20], // mov r10, [rbx+32]
    ...[0x4c, 0x8b, 0x43, 0x28], // mov r8, [rbx+40]
    ...[0x4c, 0x8b, 0x4b, 0x30], // mov r9, [rbx+48]
    ...[0x0f, 0x05], // syscall
    ...[0x48, 0x89, 0x45, 0x00], // mov [rbp], rax
    ...[0x48, 0x83, 0xc3, 0x38], // add rbx, 56
    ...[0x48, 0x83, 0xc5, 0x08], // add rbp, 8
    ...[0x49, 0xff, 0xcc], // dec r12
  ];
  return Buffer.from([
    ...imm64([0x48, 0xbb], table), // mov rbx, table
    ...imm64([0x48, 0xbd], results), // mov rbp, results
    ...imm64([0x49, 0xbc], BigInt(count)), // mov r12, count
    ...loop,
    ...[0x75, 256 - (loop.length + 2)], // jnz loop
    ...imm64([0x48, 0xb8], 1n), // mov rax, 1 (write)
    ...imm64([0x48, 0xbf], 1n), // mov rdi, 1
    ...imm64([0x48, 0xbe], results), // mov rsi, results
    ...imm64([0x48, 0xba], BigInt(count * 8)), // mov rdx, bytes
    ...[0x0f, 0x05],
    ...imm64([0x48, 0xb8], 231n), // mov rax, 231 (exit_group)
    ...[0x31, 0xff, 0x0f, 0x05], // xor edi, edi; syscall
  ]);
}

/** An ELF64 header and one segment: readable, writable, executable. */
function header(size: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(bytes);
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(ADDRESS + BigInt(HEADER_BYTES), 24);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(7, 68);
  bytes.writeBigUInt64LE(ADDRESS, 80);
  bytes.writeBigUInt64LE(ADDRESS, 88);
  bytes.writeBigUInt64LE(BigInt(size), 96);
  bytes.writeBigUInt64LE(BigInt(size), 104);
  bytes.writeBigUInt64LE(0x1000n, 112);
  return bytes;
}
