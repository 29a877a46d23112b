import type { Observation } from '../fact-set.ts';
import { problemOf, reach } from './ask-node.ts';
import { proveEntry } from './audit-proof.ts';
import { openDocument } from './document.ts';
import { look } from './look.ts';
import type { NodeAnswer, NodeApi, NodeRequest } from './node-api.ts';

const MARKER_BYTES = 24;
/** One that the store keeps in its index, and one that is longer than what any configuration lets it keep there. */
const CANARY_BYTES = [2 * 1024, 1024 * 1024 + 64 * 1024] as const;
const SHRED_TIMEOUT_MS = 30_000;
/** Not ended by who leaves: the answer names the record, without which nobody could destroy it. */
const PUT_TIMEOUT_MS = 30_000;

export interface CanaryDeps {
  readonly api: NodeApi | undefined;
  /** The log's key as the node's public identity states it. */
  readonly vkey: () => string;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Two records with a marker in content, name and label: they stay until `shred`. */
export interface Canaries {
  readonly marker: string;
  /** Whether what was put came back equal. */
  readonly cameBack: Observation;
  /** Whether reading one is provably in the audit log. */
  readonly logged: Observation;
  /** Destroys them: whether none can be read any more. */
  shred(signal: AbortSignal): Promise<Observation>;
}

/**
 * Puts canaries. The node is afterwards as it was but for its audit log, which tells of them as of any record, two destroyed record
 * ids, and their commitments where they were anchored meanwhile.
 *
 * @throws where the node takes none, for instance because it is locked
 */
export async function plantCanaries(deps: CanaryDeps, signal: AbortSignal): Promise<Canaries> {
  const marker = createMarker(deps.randomBytes);
  const planted: { id: string; content: Buffer }[] = [];
  const shred = (within: AbortSignal) => shredAll(deps.api, { ids: planted.map(({ id }) => id), signal: within });
  try {
    for (const bytes of CANARY_BYTES) {
      signal.throwIfAborted();
      const content = canaryContent(marker, bytes);
      planted.push({
        id: await put(deps.api, { marker, content, signal: AbortSignal.timeout(PUT_TIMEOUT_MS) }),
        content,
      });
    }
    const seen = await readBack(deps, planted, signal);
    return { marker, ...seen, shred: (within) => look(within, () => shred(within)) };
  } catch (error) {
    await shred(AbortSignal.timeout(SHRED_TIMEOUT_MS)).catch(() => undefined);
    throw error;
  }
}

async function readBack(
  deps: CanaryDeps,
  planted: readonly { readonly id: string; readonly content: Buffer }[],
  signal: AbortSignal,
): Promise<Pick<Canaries, 'cameBack' | 'logged'>> {
  let logged: Observation = { error: 'no canary could be read' };
  const cameBack = await look(signal, async () => {
    let equal = true;
    for (const { id, content } of planted) {
      const answer = await read(deps.api, id, signal);
      equal &&= answer.status === 200 && Buffer.from(answer.body).equals(content);
      logged = await look(signal, () => isLogged(deps, answer, signal));
    }
    return equal;
  });
  return { cameBack, logged };
}

/** Letters and digits alone, so that no escaping hides it. */
function createMarker(randomBytes: CanaryDeps['randomBytes']): string {
  const text = Buffer.from(randomBytes(MARKER_BYTES)).toString('base64').replace(/[+/=]/g, 'x');
  return `Canary${text}`;
}

/** As clinical data looks, and the marker at least once in every block of a disk. */
function canaryContent(marker: string, bytes: number): Buffer {
  const line = JSON.stringify({ resourceType: 'Basic', id: marker, text: { div: `hardening probe ${marker}` } });
  return Buffer.from(`${line}\n`.repeat(Math.ceil(bytes / (line.length + 1))).slice(0, bytes));
}

async function put(
  api: NodeApi | undefined,
  { marker, content, signal }: { marker: string; content: Buffer; signal: AbortSignal },
): Promise<string> {
  const headers = {
    'content-type': 'application/fhir+json',
    'x-nectar-labels': `hardening-probe,${marker}`,
    'x-nectar-name': `${marker}.json`,
  };
  const request: NodeRequest = { method: 'POST', path: '/v1/records', headers, body: content, signal };
  const answer = await reach(api).request(request);
  if (answer.status !== 201) throw new Error(`a canary was not taken: ${problemOf(answer)}`);
  const id = openDocument(JSON.parse(Buffer.from(answer.body).toString('utf8')))
    .in('recordId')
    .text();
  if (!/^[0-9a-f]{32}$/.test(id)) throw new Error('the receipt names no record');
  return id;
}

function read(api: NodeApi | undefined, id: string, signal: AbortSignal): Promise<NodeAnswer> {
  return reach(api).request({ method: 'GET', path: `/v1/records/${id}`, signal });
}

async function isLogged({ api, vkey }: CanaryDeps, answer: NodeAnswer, signal: AbortSignal): Promise<boolean> {
  const leaf = Number(answer.headers['x-nectar-audit-leaf'] ?? Number.NaN);
  const requestId = answer.headers['x-request-id'] ?? '';
  if (!Number.isSafeInteger(leaf) || requestId === '') return false;
  const { type, body } = await proveEntry(api, { leaf, vkey: vkey() }, signal);
  return type === 'record.read' && body.includes(requestId);
}

/** Whether every one is gone: it says that it was destroyed, and hands out nothing. */
async function shredAll(
  api: NodeApi | undefined,
  { ids, signal }: { ids: readonly string[]; signal: AbortSignal },
): Promise<boolean> {
  let gone = true;
  const problems: string[] = [];
  for (const id of ids) {
    const answer = await reach(api).request({ method: 'DELETE', path: `/v1/records/${id}`, signal });
    if (answer.status !== 200) problems.push(`canary ${id} was not destroyed: ${problemOf(answer)}`);
    else gone &&= (await read(api, id, signal)).status === 410;
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return gone;
}
