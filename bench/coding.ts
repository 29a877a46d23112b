/**
 * MiB of data a CPU second: parity from data and data from the worst loss by coding.wasm, against reed-solomon-simd itself, compiled for
 * this processor, in the same run; and whole segments, with whitening and hashes, as a node makes them. Needs cargo for the peer.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadCoding } from '../appliance/coding/coding-file.ts';
import { nodeShardCrypto } from '../appliance/coding/index.ts';
import { createCoder } from '../coding/host/coder.ts';
import { createSegmentCoder } from '../coding/host/segment-coder.ts';
import { type Segment, segmentsOf } from '../protocol/coding/segment.ts';
import { STORAGE_CLASSES, type StorageClass } from '../protocol/coding/storage-class.ts';
import { MIB, median, round } from './figures.ts';

const TURNS = 9;
const SHARD_BYTES = MIB;
const SEGMENT_BYTES = 16 * MIB;
const keys = { ownerSecret: new Uint8Array(32).fill(1), segmentId: new Uint8Array(32).fill(2) };

function cpuSeconds(work: () => unknown): number {
  const seconds = Array.from({ length: TURNS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return median(seconds);
}

/** The peer's own medians of as many turns; undefined without cargo. */
function peerOf({ data, shards }: StorageClass): { encode: number; rebuild: number } | undefined {
  const args = ['run', '--release', '--locked', '--quiet', '-p', 'nectar-coding', '--example', 'peer', '--'];
  const cwd = fileURLToPath(new URL('../coding', import.meta.url));
  const { status, stdout } = spawnSync('cargo', [...args, `${data}`, `${shards}`], { cwd, encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout) : undefined;
}

function print(name: string, ours: number, peer: number | undefined): void {
  const figures = { name, ours: round(ours), peer: peer && round(peer), ratio: peer && round(ours / peer) };
  const unit = 'MiB of data a CPU second';
  process.stdout.write(`${JSON.stringify({ ...figures, peerName: 'reed-solomon-simd, native', unit })}\n`);
}

export function run(): void {
  const coder = createCoder(loadCoding());
  const segments = createSegmentCoder(coder, nodeShardCrypto);
  for (const storageClass of Object.values(STORAGE_CLASSES)) {
    const { name, data: k, shards: n } = storageClass;
    const peer = peerOf(storageClass);
    const shards = Array.from({ length: n }, (_, i) => new Uint8Array(SHARD_BYTES).fill(i * 7));
    const places = [...shards.keys()];
    const speed = (mib: number, seconds: number): number => mib / seconds;
    const encode = cpuSeconds(() => coder.fill({ k, shards, wanted: places.slice(k) }));
    print(`encode ${name}`, speed(k, encode), peer?.encode);
    const lost = places.slice(0, Math.min(k, n - k));
    const rebuild = cpuSeconds(() => coder.fill({ k, shards, wanted: lost }));
    print(`rebuild ${name}`, speed(k, rebuild), peer?.rebuild);

    const [segment] = segmentsOf(SEGMENT_BYTES, storageClass) as [Segment];
    const bytes = new Uint8Array(segment.length).fill(3);
    const whole = cpuSeconds(() => segments.encode(bytes, { segment, storageClass }, keys));
    print(`segment ${name}, coded, whitened and hashed`, speed(segment.length / MIB, whole), undefined);
  }
}
