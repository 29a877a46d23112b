import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EVENTS, type KnownEventType } from '../../../../appliance/audit/balp-codes.ts';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/audit-event.ts';
import type { StoreAuditType } from '../../../../appliance/store/needs.ts';

const appliance = fileURLToPath(new URL('../../../../appliance/', import.meta.url));
/** Files with the name of an area. */
const FILE = /^(key\.(pub|priv|ctx)|[a-z]+\.json)$/;

type Without<Declared, Known> = Exclude<Declared, Known> extends never ? true : Exclude<Declared, Known>;
/** Does not compile with a type that the gateway or the store declares and that has no coding. */
const coded: Without<GatewayAuditEvent['type'] | StoreAuditType, KnownEventType> = true;

/** The event types that the source of the appliance names: any word of an area that events have, any dotted `type`. */
function namedTypes(): Map<string, string> {
  const areas = [...new Set(Object.keys(EVENTS).map((type) => type.split('.')[0]))].join('|');
  const named = new RegExp(`\\btype: '([a-z]+(?:\\.[a-z-]+)+)'|'((?:${areas})\\.[a-z-]+)'`, 'g');
  const found = new Map<string, string>();
  for (const path of globSync('**/*.ts', { cwd: appliance })) {
    if (path.endsWith('balp-codes.ts')) continue;
    for (const [, typed, word] of readFileSync(`${appliance}${path}`, 'utf8').matchAll(named))
      found.set(typed ?? word ?? '', path);
  }
  return found;
}

/** The suite `interop` has the HAPI validator judge every type of EVENTS: one that is not there would be judged by nobody. */
test('every event type that the appliance names has a coding, and is validated as FHIR by that', () => {
  const named = namedTypes();
  const without = [...named].filter(([type]) => !FILE.test(type) && !Object.hasOwn(EVENTS, type));
  assert.deepEqual(without, []);
  for (const type of [
    'record.rekey',
    'key.rekey',
    'custody.begin',
    'client.authorities',
    'client.revocations',
    'chain.rewind',
    'key.store',
  ])
    assert.ok(named.has(type), `${type} is found in the source`);
  assert.equal(coded, true);
});

test('no event type is declared that nothing writes', () => {
  const named = namedTypes();
  assert.deepEqual(
    Object.keys(EVENTS).filter((type) => !named.has(type)),
    [],
  );
});
