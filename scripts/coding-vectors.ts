/** Runs a coding.wasm over the vectors of test/vectors/coding: exit 1 when it makes other shards. `node scripts/coding-vectors.ts FILE` */
import { readFileSync } from 'node:fs';
import { WebAssembly } from '../machine/host/web-assembly.ts';
import { codedSegments } from '../test/vectors/coding/coded-segments.ts';

const vectors = JSON.parse(readFileSync(new URL('../test/vectors/coding/shards.json', import.meta.url), 'utf8'));
const made = codedSegments(new WebAssembly.Module(readFileSync(process.argv[2] ?? '')));
const isSame = JSON.stringify(made) === JSON.stringify(vectors);
process.stdout.write(`${made.length} segments, ${isSame ? 'all as recorded' : 'other shards than recorded'}\n`);
process.exitCode = isSame ? 0 : 1;
