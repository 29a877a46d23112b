import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import { readImageArchive } from '../../../../hardening/collectors/image/archive.ts';
import { imageFacts } from '../../../../hardening/collectors/image/image-facts.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';
import { encodeTar, type TarEntry } from '../../../../images/tar.ts';

const signal = new AbortController().signal;
const ID = 'a'.repeat(64);
const file = (path: string, mode = 0o644, content = 'x'): TarEntry => ({
  kind: 'file',
  path,
  mode,
  content: Buffer.from(content),
});
const layer = (...entries: TarEntry[]): Uint8Array => encodeTar(entries, 0);

/** In small and odd pieces, as a socket gives them. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 7; at < bytes.length; at += size, size = (size * 5 + 3) % 4096 || 1)
    yield bytes.subarray(at, at + size);
}

/** What `docker save` writes. */
function saved(layers: readonly Uint8Array[]): Uint8Array {
  const paths = layers.map((_layer, index) => `l${index}/layer.tar`);
  const manifest = JSON.stringify([{ Config: `${ID}.json`, RepoTags: null, Layers: paths }]);
  return encodeTar(
    [
      file('manifest.json', 0o644, manifest),
      file(`${ID}.json`, 0o644, '{}'),
      file('l0/VERSION', 0o644, '1.0'),
      ...layers.map(
        (content, index): TarEntry => ({ kind: 'file', path: `l${index}/layer.tar`, mode: 0o644, content }),
      ),
    ],
    0,
  );
}

test('holds every layer against its digest, packed or not, and names the one that was altered', async () => {
  const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const layers = [layer(file('app/main.mjs')), layer(file('app/more.mjs'))];
  const wanted = layers.map(digest);
  const alteredBy = async (bytes: Uint8Array, fail?: Error): Promise<Observation> => {
    const archive = await readImageArchive(pieces(bytes), signal);
    const files = () => {
      if (fail !== undefined) throw fail;
      return archive(`sha256:${ID}`);
    };
    const inspection = openDocument({ RootFS: { Layers: wanted }, Config: {}, Created: '2026-01-01T00:00:00Z' });
    const seen = { role: 'store', id: ID, inspection, history: openDocument([]), files };
    const node = { nodeId: 'x', prefix: 'x', roles: [], labels: { node: 'n', role: 'r', version: 'v', spec: 's' } };
    return imageFacts(seen, node, { version: '1', now: () => 0 })['image.altered'];
  };
  assert.deepEqual(await alteredBy(saved(layers)), { value: [] });
  assert.deepEqual(await alteredBy(saved(layers.map((bytes) => gzipSync(bytes)))), { value: [] });
  const [first = Buffer.of()] = layers;
  const other = layer(file('app/more.mjs', 0o644, 'y'));
  assert.deepEqual(await alteredBy(saved([first, other])), { value: [wanted[1]] });
  const said = 'the engine refused: file integrity checksum failed for "app/more.mjs"';
  assert.deepEqual(await alteredBy(saved(layers), new Error(said)), { value: [said] });
  assert.deepEqual(await alteredBy(saved(layers), new Error('no space left')), { error: 'no space left' });
});
