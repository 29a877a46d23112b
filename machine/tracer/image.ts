/** The image of a disputed machine: a 32-bit ELF executable for RISC-V, as its program headers load it. */
import { NectarError } from '../../protocol/errors.ts';
import { DISPUTE_SHA256 } from '../generated/digest.ts';
import type { Sha256 } from '../host/load.ts';

export interface Image {
  /** The first pc. */
  readonly entry: number;
  /** In the order in which they are loaded: a later one replaces what an earlier one put. */
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** The executable segment: what is translated. What lies elsewhere can be run too, slowly. */
  readonly text: { readonly address: number; readonly bytes: Uint8Array };
}

const ELF_MAGIC = 0x7f454c46;
const CLASS_32 = 1;
const RISCV = 243;
const PT_LOAD = 1;
const EXECUTABLE = 1;

/** The guest of disputes: dispute.elf. @throws ROLLUP_MACHINE_INVALID when it is not the one of this version */
export function openDisputeImage(elf: Uint8Array, sha256: Sha256): Image {
  const digest = sha256(elf);
  if (digest !== DISPUTE_SHA256) throw invalid(`the SHA-256 of dispute.elf is ${digest}`);
  return parseImage(elf);
}

/** @throws ROLLUP_MACHINE_INVALID for what is no such file */
export function parseImage(elf: Uint8Array): Image {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  if (elf.length < 52 || view.getUint32(0) !== ELF_MAGIC || elf[4] !== CLASS_32 || view.getUint16(18, true) !== RISCV)
    throw invalid('it is no 32-bit ELF for RISC-V');
  const segments: { address: number; bytes: Uint8Array }[] = [];
  let text: Image['text'] | undefined;
  const [headersAt, headerBytes, count] = [
    view.getUint32(28, true),
    view.getUint16(42, true),
    view.getUint16(44, true),
  ];
  for (let index = 0; index < count; index += 1) {
    const at = headersAt + index * headerBytes;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const [offset, address, size] = [
      view.getUint32(at + 4, true),
      view.getUint32(at + 8, true),
      view.getUint32(at + 16, true),
    ];
    const bytes = elf.subarray(offset, offset + size);
    if (bytes.length !== size) throw invalid('a segment ends after the file');
    segments.push({ address, bytes });
    if ((view.getUint32(at + 24, true) & EXECUTABLE) !== 0) text = { address, bytes };
  }
  if (text === undefined || text.address % 4 !== 0) throw invalid('it has nothing to run');
  return { entry: view.getUint32(24, true), segments, text };
}

function invalid(reason: string): NectarError<'ROLLUP_MACHINE_INVALID'> {
  return new NectarError('ROLLUP_MACHINE_INVALID', { reason });
}
