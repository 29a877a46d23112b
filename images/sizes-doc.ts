import { readFileSync, writeFileSync } from 'node:fs';
import type { LayerSize } from './digest-lock.ts';

const DOC = new URL('../docs/images.md', import.meta.url);
const MEGABYTE = 1_000_000;
export const BASE_LIMIT_BYTES = 60 * MEGABYTE;
export const ROLE_LIMIT_BYTES = 15 * MEGABYTE;
const [BEGIN, END] = ['<!-- sizes: scripts/images.ts sizes write -->', '<!-- /sizes -->'];

const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(1);
const limitOf = (name: string): number => (name === 'base' ? BASE_LIMIT_BYTES : ROLE_LIMIT_BYTES);

export function renderSizes(sizes: readonly LayerSize[]): string {
  const rows = sizes.map(
    ({ name, bytes, compressedBytes }) =>
      `| ${name} | ${megabytes(bytes)} | ${megabytes(compressedBytes)} | ${limitOf(name) / MEGABYTE} |`,
  );
  return ['| layer | MB | MB compressed | limit |', '|---|---|---|---|', ...rows].join('\n');
}

/** The layers over their limit, in words. */
export function checkSizes(sizes: readonly LayerSize[]): string[] {
  return sizes
    .filter(({ name, compressedBytes }) => compressedBytes > limitOf(name))
    .map(
      ({ name, compressedBytes }) =>
        `${name} has ${megabytes(compressedBytes)} MB compressed, over ${limitOf(name) / MEGABYTE}`,
    );
}

export function writeSizes(sizes: readonly LayerSize[]): void {
  const text = readFileSync(DOC, 'utf8');
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start === -1 || end < start) throw new Error(`docs/images.md has no place for the sizes (${BEGIN})`);
  writeFileSync(DOC, `${text.slice(0, start + BEGIN.length)}\n${renderSizes(sizes)}\n${text.slice(end)}`);
}
