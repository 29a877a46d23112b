import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isNectarError } from '../../../../protocol/errors.ts';
import { appendMany, createLogHouse, reading } from './log-house.ts';

const LONG_MS = 3_600_000;
const NODE = { actor: { subject: 'node' }, requestId: 'node' };

/** Whether it is still under way after everything that can happen by itself. */
async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  void work.then(
    () => (done = true),
    () => (done = true),
  );
  for (let i = 0; i < 50; i++) await turn();
  return !done;
}

describe('until the chain has spoken after a start', () => {
  it('what a caller does with private data waits, and what the node and its operator do goes on', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open({ chainWaitMs: LONG_MS });
    assert.equal(audit.standing().chain, 'waiting');
    const waiting = ['record.read', 'record.create', 'upload.begin'].map((type, i) => audit.append(reading(i, type)));
    const query = audit.query({ filter: {}, limit: 1 }, reading(9).context);
    for (const work of [...waiting, query]) assert.ok(await isWaiting(work));
    assert.equal(audit.treeHead().size, 0, 'nothing of it is in the log');
    await audit.append({ type: 'node.start', outcome: 'success', context: NODE });
    for (const type of ['key.unlock', 'token.revoke', 'auth.denied']) await audit.append(reading(5, type));
    await audit.chainHeard();
    await Promise.all([...waiting, query]);
    assert.equal(audit.standing().chain, 'held');
    await audit.append(reading(6));
  });

  it('a log that the chain knows to be older takes nothing that waited', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open({ chainWaitMs: LONG_MS });
    const waiting = audit.append(reading(1));
    assert.ok(await isWaiting(waiting));
    const refused = assert.rejects(waiting, (error) => isNectarError(error, 'AUDIT_TRUNCATED'));
    const head = { size: 40, root: 'ab'.repeat(32) as never, where: 'AuditAnchor, L2 block 7', at: house.clock };
    await assert.rejects(audit.witnessed(head), (error) => isNectarError(error, 'AUDIT_TRUNCATED'));
    await refused;
    assert.equal(audit.standing().conflict?.code, 'AUDIT_TRUNCATED');
  });

  it('a chain that does not answer in time lets what is here be served, and says so until it does', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open({ chainWaitMs: 5 });
    await audit.append(reading(1));
    assert.equal(audit.standing().chain, 'silent');
    await audit.append(reading(2));
    await audit.chainHeard();
    assert.equal(audit.standing().chain, 'held');
  });

  it('the sticky state is taken as soon as a chain that was silent answers', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open({ chainWaitMs: 0 });
    await appendMany(audit, 3);
    const head = { size: 40, root: 'ab'.repeat(32) as never, where: 'AuditAnchor, L2 block 7', at: house.clock };
    await assert.rejects(audit.witnessed(head), (error) => isNectarError(error, 'AUDIT_TRUNCATED'));
    await assert.rejects(audit.append(reading(4)), (error) => isNectarError(error, 'AUDIT_TRUNCATED'));
  });

  it('a stop ends the waiting', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open({ chainWaitMs: LONG_MS });
    const waiting = audit.append(reading(1));
    assert.ok(await isWaiting(waiting));
    const refused = assert.rejects(waiting, (error) => isNectarError(error, 'NODE_NOT_READY'));
    await audit.stop();
    await refused;
  });

  it('a log that follows no chain waits for none', async (t) => {
    const audit = await (await createLogHouse(t)).open();
    await audit.append(reading(1));
    assert.equal(audit.standing().chain, 'held');
  });
});
