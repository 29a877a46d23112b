/**
 * `helm test`: puts a record, gets it back, verifies the entry of the audit log without asking the node whether it is true,
 * destroys the record and sees that it is gone. Runs in the gateway's image; takes GATEWAY (host:port), /test/token, /test/ca/ca.crt.
 */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

const DEADLINE_MS = 120_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const [host, port] = process.env.GATEWAY.split(':');
const token = readFileSync('/test/token/token', 'utf8').trim();
const ca = existsSync('/test/ca/ca.crt') ? readFileSync('/test/ca/ca.crt') : undefined;
const agent = new Agent({ keepAlive: true, ca, servername: process.env.SERVER_NAME });
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();

function call(method, path, { body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(
      { agent, host, port, method, path, headers: { authorization: `Bearer ${token}`, ...headers } },
      (answer) => {
        const chunks = [];
        let size = 0;
        answer.on('data', (chunk) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too long'));
          chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks) }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

function expect(what, answer, status) {
  if (answer.status !== status)
    throw new Error(`${what}: ${answer.status} instead of ${status}: ${answer.body.toString().slice(0, 500)}`);
  console.log(`${what}: ${answer.status}`);
  return answer.body;
}

/** RFC 9162, 2.1.3.2: the root that a leaf and its path lead to. */
function rootOf(leafHash, index, size, path) {
  let node = leafHash;
  let at = index;
  let last = size - 1;
  for (const step of path.map((hex) => Buffer.from(hex, 'hex'))) {
    if (last === 0) throw new Error('the path is too long');
    if (at % 2 === 1 || at === last) {
      node = sha256(Buffer.from([1]), step, node);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else node = sha256(Buffer.from([1]), node, step);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Error('the path is too short');
  return node;
}

/** The leaf is in the tree of the checkpoint, and the checkpoint is signed by the log's key (C2SP signed note). */
function verifyProof({ index, size, leaf, path, checkpoint, vkey, salt, body }, recordId) {
  const event = Buffer.from(body, 'base64');
  if (!event.includes(recordId)) throw new Error('the entry is of another record');
  if (JSON.parse(leaf).bodyHash !== sha256(Buffer.from(salt, 'base64'), event).toString('hex'))
    throw new Error('the entry is not the one that the leaf commits to');
  const split = checkpoint.indexOf('\n\n');
  const text = checkpoint.slice(0, split + 1);
  const [, stated, root] = text.split('\n');
  if (Number(stated) !== size) throw new Error('the checkpoint is of another tree');
  if (!rootOf(sha256(Buffer.from([0]), Buffer.from(leaf)), index, size, path).equals(Buffer.from(root, 'base64')))
    throw new Error('the path does not lead to the root of the checkpoint');
  const [name, , ...rest] = vkey.split('+');
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(rest.join('+'), 'base64').subarray(1).toString('base64url') },
    format: 'jwk',
  });
  const signature = checkpoint
    .slice(split + 2)
    .split('\n')
    .find((line) => line.startsWith(`\u2014 ${name} `))
    ?.split(' ')[2];
  if (signature === undefined || !verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64').subarray(4)))
    throw new Error('the checkpoint is not signed by the key of the log');
  console.log(`leaf ${index} is in the tree of ${size} leaves, whose checkpoint is signed by ${name}`);
}

async function tell() {
  const content = randomBytes(100_000);
  const receipt = JSON.parse(
    expect(
      'put',
      await call('POST', '/v1/records', { body: content, headers: { 'content-type': 'application/octet-stream' } }),
      201,
    ),
  );
  const path = `/v1/records/${receipt.recordId}`;
  if (!expect('get', await call('GET', path), 200).equals(content)) throw new Error('what came back is something else');
  verifyProof(
    JSON.parse(expect('prove', await call('GET', `/v1/audit/proof/${receipt.auditLeaf}?body=true`), 200)),
    receipt.recordId,
  );
  expect('destroy', await call('DELETE', path), 200);
  const gone = await call('GET', path);
  if (gone.status !== 404 && gone.status !== 410) throw new Error(`the destroyed record answers ${gone.status}`);
  console.log(`get after it: ${gone.status}`);
}

const late = setTimeout(() => {
  console.error('it took too long');
  process.exit(1);
}, DEADLINE_MS);
/** A connection in the first instant of a pod is refused until the rules of its policies are there. */
for (let attempt = 1; ; attempt++) {
  try {
    await tell();
    break;
  } catch (error) {
    if (attempt === 20 || !/ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/.test(String(error.code))) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
clearTimeout(late);
agent.destroy();
console.log('the node keeps, proves and destroys');
