import { invalid } from './field.ts';

/** The body as text. A longer one is cut off and refused: a hostile endpoint must not fill the memory. */
export async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw invalid('response size');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
