import type { Answer, Client } from '../../../cli/client.ts';
import { NectarError } from '../../../protocol/errors.ts';

export const MIB = 1024 * 1024;
export const RECORD = 'ab'.repeat(16);

/** A node whose answers break off after so many bytes, in pieces of a mebibyte. */
export function breakingNode(content: Buffer, bytesPerAnswer = Number.POSITIVE_INFINITY) {
  const world = {
    content,
    version: 1,
    createdAt: '2026-11-29T12:00:00.000Z',
    etag: '"bafk1"',
    digest: undefined as string | undefined,
    bytesPerAnswer,
    down: 0,
    gone: false,
    asked: [] as string[],
  };
  const described = () => ({
    'x-nectar-record-version': String(world.version),
    'x-nectar-created-at': world.createdAt,
    etag: world.etag,
    ...(world.digest !== undefined && { 'repr-digest': world.digest }),
  });
  const download: Client['download'] = async (path, headers) => {
    world.asked.push(`${path} ${headers?.range ?? 'whole'}`);
    if (world.down-- > 0) throw new NectarError('CLI_NODE_UNREACHABLE', { gateway: 'g', reason: 'ECONNREFUSED' });
    if (world.gone) throw new NectarError('STORE_RECORD_SHREDDED', { recordId: RECORD, at: 'then' });
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers?.range ?? '') ?? [];
    const { length } = world.content;
    const [start, end] = [Number(from ?? 0), to === undefined || to === '' ? length : Number(to) + 1];
    async function* body() {
      for (let at = start; at < end; at += MIB) {
        if (at - start >= world.bytesPerAnswer) throw new Error('the connection broke');
        yield Buffer.from(world.content.subarray(at, Math.min(end, at + MIB)));
      }
    }
    const range = { 'content-range': `bytes ${start}-${end - 1}/${length}` };
    return {
      statusCode: from === undefined ? 200 : 206,
      headers: { ...described(), 'content-length': String(end - start), ...(from !== undefined && range) },
      body: body(),
    } satisfies Answer;
  };
  const headers: Client['headers'] = async (method, path) => {
    world.asked.push(`${method} ${path}`);
    if (world.gone) throw new NectarError('CLI_GATEWAY_PROBLEM', { status: 410, code: 'x', detail: 'gone' });
    return { ...described(), 'content-length': String(world.content.length) };
  };
  return { world, client: { gateway: 'g', download, headers } as unknown as Client };
}
