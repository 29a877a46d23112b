import { type Document, openDocument } from './document.ts';
import type { NodeAnswer, NodeApi, NodeRequest } from './node-api.ts';

/** The node's answer as a document. Throws for any status but 200, with the code that the node gives. */
export async function askNode(
  api: NodeApi | undefined,
  path: string,
  { method = 'GET', ...rest }: Omit<NodeRequest, 'path' | 'method'> & Partial<Pick<NodeRequest, 'method'>>,
): Promise<Document> {
  const answer = await reach(api).request({ method, path, ...rest });
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${problemOf(answer)}`);
  return openDocument(parseBody(answer), `${method} ${path}`);
}

/** @throws where the node does not run, or nobody's token is at hand */
export function reach(api: NodeApi | undefined): NodeApi {
  if (api === undefined) throw new Error('the node does not run, or its token could not be read');
  return api;
}

/** What the node says of a refusal: the code of an RFC 9457 problem. */
export function problemOf(answer: NodeAnswer): string {
  try {
    return `${answer.status} ${openDocument(parseBody(answer)).in('code').text()}`;
  } catch {
    return String(answer.status);
  }
}

function parseBody({ body }: NodeAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Error('the answer is not JSON', { cause: error });
  }
}
