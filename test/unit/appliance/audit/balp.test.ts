import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toAuditEvent } from '../../../../appliance/audit/balp.ts';
import { EVENTS } from '../../../../appliance/audit/balp-codes.ts';
import type { AuditInput } from '../../../../appliance/audit/event.ts';
import { isEventType } from '../../../../protocol/merkle/audit-leaf.ts';
import { isInOrder } from '../../../../protocol/merkle/canonical-text.ts';
import { reading } from './log-house.ts';

type Json = Record<string, unknown>;
const recording = { origin: 'nectar.example/node/0011', time: '2026-11-23T06:00:00.000Z' };
const codes = (value: unknown): string[] => (value as { code: string }[]).map(({ code }) => code);
const agentCodes = (event: Json): (string | undefined)[] =>
  (event.agent as { type: { coding: { code: string }[] } }[]).map(({ type }) => type.coding[0]?.code);

test('writes a read as IHE BALP does: node as source, client as destination, the record as domain resource', () => {
  const event = toAuditEvent(reading(1), recording);
  assert.deepEqual((event.meta as Json).profile, [
    'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Read',
  ]);
  assert.deepEqual(
    [(event.type as Json).code, codes(event.subtype), event.action, event.outcome],
    ['rest', ['read', 'record.read'], 'R', '0'],
  );
  assert.deepEqual(agentCodes(event), ['110152', '110153', 'IRCP']);
  const [client, server, user] = event.agent as Json[];
  assert.deepEqual(
    [client?.network, server?.requestor, user?.requestor],
    [{ address: '192.0.2.7', type: '2' }, false, true],
  );
  assert.deepEqual(user?.policy, ['urn:nectar:byon:token:token-canary']);
  assert.deepEqual(
    (event.entity as Json[]).map(({ type }) => (type as Json).code),
    ['XrequestId', '2', 'record.read'],
  );
});

test('turns the roles around for what flows to the node', () => {
  assert.deepEqual(agentCodes(toAuditEvent(reading(1, 'record.create'), recording)), ['110153', '110152', 'AUT']);
  assert.deepEqual(agentCodes(toAuditEvent(reading(1, 'record.update'), recording)), ['110153', '110152', 'AUT']);
});

test('keeps a delete within the one subtype and the agents that BALP allows', () => {
  const event = toAuditEvent(reading(1, 'record.delete'), recording);
  assert.deepEqual(codes(event.subtype), ['delete']);
  assert.deepEqual(agentCodes(event), ['110150', 'custodian', 'AUT']);
  for (const agent of event.agent as Json[]) assert.equal(agent.policy, undefined);
  assert.deepEqual((event.agent as { who: { identifier: Json } }[])[0]?.who.identifier.value, 'token-canary');
});

test('writes a query with its parameters encoded, and no record', () => {
  const { recordId: _none, version: _nor, ...query } = reading(1, 'record.query');
  const event = toAuditEvent({ ...query, detail: { label: 'cardiology & more', limit: 20 } }, recording);
  const entity = (event.entity as Json[]).find(({ query }) => query !== undefined);
  assert.equal(Buffer.from(String(entity?.query), 'base64').toString(), 'label=cardiology+%26+more&limit=20');
  assert.equal((entity?.role as Json | undefined)?.code, '24');
  assert.equal(entity?.detail, undefined);
  assert.equal(event.action, 'E');
});

test('claims a profile only for what succeeded, and tells a refusal from a failure', () => {
  const failed = toAuditEvent({ ...reading(1), outcome: 'failure' }, recording);
  assert.deepEqual([failed.meta, failed.outcome], [undefined, '4']);
  const denied: AuditInput = { ...reading(1, 'auth.denied'), outcome: 'failure' };
  const event = toAuditEvent(denied, recording);
  assert.deepEqual(
    [(event.type as Json).code, codes(event.subtype), event.outcome],
    ['110113', ['AuthZ-Role', 'auth.denied'], '8'],
  );
});

test('writes every event with what FHIR R4 requires of an AuditEvent', () => {
  for (const type of [...Object.keys(EVENTS), 'later.version']) {
    assert.ok(isEventType(type), type);
    const event = toAuditEvent(reading(1, type), recording);
    assert.equal(event.resourceType, 'AuditEvent');
    assert.ok((event.type as Json).system && (event.type as Json).code, type);
    assert.match(String(event.action), /^[CRUDE]$/);
    assert.equal(event.recorded, recording.time);
    assert.ok(
      (event.agent as Json[]).every(({ requestor, who }) => typeof requestor === 'boolean' && who !== undefined),
      type,
    );
    assert.equal((event.agent as Json[]).filter(({ requestor }) => requestor).length, 1);
    assert.equal(((event.source as Json).observer as { identifier: Json }).identifier.value, recording.origin);
    assert.ok(
      (event.entity as Json[]).every((entity) => !('name' in entity && 'query' in entity)),
      'sev-1: name or query, not both',
    );
  }
});

test('puts the names of every event in the order of canonical JSON, in which they are written several times faster', () => {
  for (const type of [...Object.keys(EVENTS), 'later.version']) {
    for (const patients of [[], ['p1'], ['p1', 'p2']])
      assert.equal(
        isInOrder(toAuditEvent({ ...reading(1, type as AuditInput['type']), patients }, recording)),
        true,
        type,
      );
  }
});
