import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toAuditEvent } from '../../../appliance/audit/balp.ts';
import { EVENTS } from '../../../appliance/audit/balp-codes.ts';
import type { AuditInput } from '../../../appliance/audit/event.ts';
import { BALP, balpDefinitions } from './balp-definitions.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const present = ['java', 'mvn'].every((program) => spawnSync(program, ['-version']).status === 0);
/** On a machine without Java the suite says that it did not run; in CI it must. */
const skip = !present && process.env.CI !== 'true' ? 'no java or mvn here' : false;
const MAVEN_TIMEOUT_MS = 300_000;
const VALIDATION_TIMEOUT_MS = 240_000;

const recording = { origin: 'nectar.example/node/0011', time: '2026-11-23T06:00:00.000Z' };
const context = {
  actor: { subject: 'dr-jones', tokenId: 'token-1', name: 'Dr. Jones' },
  address: '192.0.2.7',
  requestId: 'r-1',
};
/** As the node itself acts: no token, no address, no name. */
const own = { actor: { subject: 'system:node' }, requestId: 'node.start/1' };

/** What an event can carry besides its type. */
const VARIANTS: Readonly<Record<string, Omit<AuditInput, 'type'>>> = {
  plain: { outcome: 'success', context },
  bare: { outcome: 'success', context: own },
  failed: { outcome: 'failure', context, detail: { code: 'STORE_RECORD_NOT_FOUND' } },
  detailed: { outcome: 'success', context, detail: { cid: 'bafy', bytes: 7, filter: 'label' } },
};
const OF_A_RECORD: typeof VARIANTS = {
  record: { outcome: 'success', context, recordId: 'ab'.repeat(16), version: 1, detail: { cid: 'bafy' } },
  patient: { outcome: 'success', context, recordId: 'ab'.repeat(16), version: 2, patients: ['4711'] },
  patients: { outcome: 'success', context, recordId: 'ab'.repeat(16), version: 2, patients: ['4711', 'Jürgen Ä'] },
};

function samples(): Map<string, object> {
  const all = new Map<string, object>();
  for (const type of [...Object.keys(EVENTS), 'later.version']) {
    const ofRecord = type.startsWith('record.') && type !== 'record.query';
    const variants = ofRecord ? { ...OF_A_RECORD, failed: VARIANTS.failed } : VARIANTS;
    for (const [name, variant] of Object.entries(variants))
      all.set(`${type}-${name}.json`, toAuditEvent({ ...variant, type } as AuditInput, recording));
  }
  return all;
}

/** What the profiles and FHIR forbid: the validator must say so, or it validates nothing. */
function spoiled(): Map<string, object> {
  const read = toAuditEvent({ ...OF_A_RECORD.patient, type: 'record.read' } as AuditInput, recording) as Record<
    string,
    unknown
  >;
  const profile = (name: string) => ({ meta: { profile: [`${BALP}/StructureDefinition/IHE.BasicAudit.${name}`] } });
  const [client, server, user] = read.agent as Record<string, unknown>[];
  return new Map<string, object>([
    ['bad-action.json', { ...read, action: 'X' }],
    ['bad-profile.json', { ...read, ...profile('Create') }],
    ['bad-unknown-profile.json', { ...read, ...profile('Unheard') }],
    ['bad-no-patient.json', { ...read, entity: (read.entity as object[]).slice(0, 2) }],
    ['bad-user-network.json', { ...read, agent: [client, server, { ...user, network: { address: 'x', type: '1' } }] }],
    ['bad-no-client.json', { ...read, agent: [server, user] }],
    ['bad-outcome.json', { ...read, outcome: '4' }],
    ['bad-time.json', { ...read, recorded: 'yesterday' }],
  ]);
}

describe('AuditEvents by the HAPI FHIR validator', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-fhir-'));
  let said: string[][] = [];
  const write = (name: string, files: ReadonlyMap<string, object>): string => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, value] of files) writeFileSync(join(folder, name, file), JSON.stringify(value));
    return join(folder, name);
  };
  const run = (command: string, args: string[], timeout: number): string => {
    const result = spawnSync(command, args, { encoding: 'utf8', timeout, maxBuffer: 64 * 1024 * 1024 });
    assert.equal(
      result.status,
      0,
      `${command} ended with ${result.status}: ${result.stderr}${result.stdout}`.slice(0, 4_000),
    );
    return result.stdout;
  };
  const errorsOf = (name: string): string[] =>
    said
      .filter(([file, severity]) => file === name && ['ERROR', 'FATAL'].includes(severity ?? ''))
      .map((line) => line.join(' '));

  before(() => {
    const classPath = join(folder, 'class-path');
    const goal = 'dependency:build-classpath';
    run('mvn', ['-q', '-B', '-f', join(here, 'pom.xml'), goal, `-Dmdep.outputFile=${classPath}`], MAVEN_TIMEOUT_MS);
    const folders = [write('definitions', balpDefinitions()), write('samples', new Map([...samples(), ...spoiled()]))];
    const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', readFileSync(classPath, 'utf8').trim()];
    const printed = run('java', [...jvm, join(here, 'Validate.java'), ...folders], VALIDATION_TIMEOUT_MS);
    said = printed.split('\n').map((line) => line.split('\t'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('every event that the node can write is a valid AuditEvent, and meets the BALP profile that it claims', () => {
    const judged = said.filter(([, severity]) => severity === 'DONE').map(([file]) => file);
    const wanted = [...samples().keys()];
    assert.deepEqual(judged.filter((file) => file?.startsWith('bad-') === false).toSorted(), wanted.toSorted());
    assert.deepEqual(wanted.flatMap(errorsOf), []);
  });

  it('profiles are claimed where they can be', () => {
    const claims = [...samples()].flatMap(([file, event]) => {
      const { meta } = event as { meta?: { profile: string[] } };
      return meta === undefined ? [] : [`${file.replace('.json', '')} ${meta.profile[0]?.split('BasicAudit.')[1]}`];
    });
    for (const claim of ['record.read-record Read', 'record.read-patient PatientRead', 'record.read-patients Read'])
      assert.ok(claims.includes(claim), claim);
    assert.ok(claims.includes('record.export-patient PrivacyDisclosure.Source'));
    assert.ok(!claims.some((claim) => claim.includes('failed')));
  });

  it('the validator refuses what it should', () => {
    for (const name of spoiled().keys()) assert.notDeepEqual(errorsOf(name), [], name);
  });
});
