import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { KeptConnection } from '../../bench/kept-connection.ts';
import type { Access } from '../../bench/served-node.ts';

/** What a client knows of one of its records: what the node has said, and what it was asked and has not answered. */
interface Known {
  /** SHA-256 of each acknowledged version, the first one first. */
  readonly versions: string[];
  /** SHA-256 of a version that was sent and not acknowledged. */
  sent: string | undefined;
  deletion: 'none' | 'asked' | 'acknowledged';
}

interface KnownToken {
  readonly token: string;
  revocation: 'none' | 'asked' | 'acknowledged';
}

export interface Counts {
  puts: number;
  updates: number;
  deletions: number;
  revocations: number;
}

const KEPT_PER_CLIENT = 12;
const TOKEN_PAUSE_MS = 120;
const READERS = 8;
const SAMPLE = 500;
/** Inline in the index, in a block of its own, in several blocks; mostly small ones, as in a clinic. */
const sizes = [() => randomInt(1, 4096), () => randomInt(80_000, 300_000), () => randomInt(1_500_000, 2_500_000)];

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function content(): Buffer {
  const dice = randomInt(0, 100);
  return randomBytes(sizes[dice < 90 ? 0 : dice < 98 ? 1 : 2]?.() ?? 1);
}

/** Remembers across crashes what a node has acknowledged, and holds it to that. */
export class CrashLedger {
  readonly counts: Counts = { puts: 0, updates: 0, deletions: 0, revocations: 0 };
  readonly #records = new Map<string, Known>();
  readonly #tokens = new Map<string, KnownToken>();
  /** What each client works on, over the rounds. */
  readonly #own: string[][] = [];
  /** Records that were made or changed since the last verification. */
  readonly #touched = new Set<string>();

  /** Answers of the node that it must stand by. */
  acknowledged(): number {
    const { puts, updates, deletions } = this.counts;
    return puts + updates + deletions;
  }

  /** Puts, updates and deletes records and makes and revokes tokens until the node is gone. Each client has records of its own. */
  async load(access: Access, clients: number): Promise<void> {
    const work = Array.from({ length: clients }, (_, at) => {
      this.#own[at] ??= [];
      const own = this.#own[at];
      return this.#until(access, (client) => this.#change(client, own));
    });
    await Promise.all([...work, this.#until(access, (client) => this.#changeTokens(client))]);
  }

  async #until(access: Access, step: (client: KeptConnection) => Promise<void>): Promise<void> {
    try {
      const client = await KeptConnection.open(access);
      for (;;) await step(client);
    } catch (error) {
      // The node was killed in the middle of it.
      if (error instanceof assert.AssertionError) throw error;
    }
  }

  async #change(client: KeptConnection, own: string[]): Promise<void> {
    const id = own[randomInt(0, KEPT_PER_CLIENT)];
    const known = id === undefined ? undefined : this.#records.get(id);
    // One that a crash has shown to be destroyed is no client's any more.
    if (id !== undefined && known === undefined) own.splice(own.indexOf(id), 1);
    if (id !== undefined) this.#touched.add(id);
    if (id === undefined || known === undefined) own.push(await this.#create(client));
    else if (randomInt(0, 3) > 0) await this.#update(client, id, known);
    else {
      own.splice(own.indexOf(id), 1);
      await this.#delete(client, id, known);
    }
  }

  async #create(client: KeptConnection): Promise<string> {
    const body = content();
    const answer = await client.send('POST', '/v1/records', body);
    assert.equal(answer.status, 201, answer.body);
    const { recordId } = JSON.parse(answer.body) as { recordId: string };
    this.#records.set(recordId, { versions: [sha256(body)], sent: undefined, deletion: 'none' });
    this.#touched.add(recordId);
    this.counts.puts++;
    return recordId;
  }

  async #update(client: KeptConnection, id: string, known: Known): Promise<void> {
    const body = content();
    known.sent = sha256(body);
    const answer = await client.send('PUT', `/v1/records/${id}`, body);
    assert.equal(answer.status, 200, answer.body);
    known.versions.push(known.sent);
    known.sent = undefined;
    this.counts.updates++;
  }

  async #delete(client: KeptConnection, id: string, known: Known): Promise<void> {
    known.deletion = 'asked';
    const answer = await client.send('DELETE', `/v1/records/${id}`);
    assert.equal(answer.status, 200, answer.body);
    known.deletion = 'acknowledged';
    this.counts.deletions++;
  }

  async #changeTokens(client: KeptConnection): Promise<void> {
    const asked = { subject: 'crash-test', scope: ['records:read'], expiresInSeconds: 86_400 };
    const made = await client.send('POST', '/v1/tokens', Buffer.from(JSON.stringify(asked)), {
      type: 'application/json',
    });
    assert.equal(made.status, 201, made.body);
    const { id, token } = JSON.parse(made.body) as { id: string; token: string };
    const known: KnownToken = { token, revocation: 'asked' };
    this.#tokens.set(id, known);
    const revoked = await client.send('DELETE', `/v1/tokens/${id}`);
    assert.equal(revoked.status, 200, revoked.body);
    known.revocation = 'acknowledged';
    this.counts.revocations++;
    await delay(TOKEN_PAUSE_MS);
  }

  /**
   * Everything that was acknowledged is as it was acknowledged; what was only asked for has happened or has not. Of the records that
   * no client has touched since they were last looked at, `sample` are looked at again.
   */
  async verify(access: Access, { sample = SAMPLE }: { sample?: number } = {}): Promise<void> {
    const chance = sample / Math.max(1, this.#records.size);
    const due = [...this.#records.keys()].filter((id) => this.#touched.has(id) || Math.random() < chance);
    this.#touched.clear();
    await Promise.all(Array.from({ length: READERS }, () => this.#verifyRecords(access, due)));
    for (const [id, { token, revocation }] of this.#tokens) {
      if (revocation !== 'acknowledged') continue;
      const revoked = await KeptConnection.open({ ...access, token });
      const { status, body } = await revoked.send('GET', '/v1/records?limit=1');
      revoked.close();
      assert.equal(status, 401, `token ${id} was revoked: ${body}`);
      // Once is enough: it is in a file that only grows older.
      if (this.#tokens.size > 64) this.#tokens.delete(id);
    }
  }

  async #verifyRecords(access: Access, due: string[]): Promise<void> {
    const client = await KeptConnection.open(access);
    for (let id = due.pop(); id !== undefined; id = due.pop()) {
      const known = this.#records.get(id);
      if (known !== undefined) await this.#verifyRecord(client, id, known);
    }
    client.close();
  }

  async #verifyRecord(client: KeptConnection, id: string, known: Known): Promise<void> {
    const { status, body } = await client.send('GET', `/v1/records/${id}`);
    if (known.deletion === 'acknowledged') assert.equal(status, 410, `${id} was destroyed`);
    if (status === 410) {
      assert.notEqual(known.deletion, 'none', `${id} was destroyed by nobody`);
      this.#records.delete(id);
      return;
    }
    assert.equal(status, 200, `${id}: ${body}`);
    const found = sha256(Buffer.from(body, 'latin1'));
    if (found === known.sent) known.versions.push(found);
    assert.equal(found, known.versions.at(-1), `${id}: the latest version is another`);
    known.sent = undefined;
    known.deletion = 'none';
    const version = randomInt(0, known.versions.length);
    const older = await client.send('GET', `/v1/records/${id}?version=${version + 1}`);
    assert.equal(older.status, 200, older.body);
    assert.equal(sha256(Buffer.from(older.body, 'latin1')), known.versions[version], `${id}, version ${version + 1}`);
  }
}
