import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNectarError } from '../../../../protocol/errors.ts';
import { encodeStatement, type Provenance, parseStatement } from '../../../../protocol/release/statement.ts';

const provenance: Provenance = {
  version: '1.2.3',
  subjects: new Map([['a.tar', 'ab'.repeat(32)]]),
  source: { uri: 'git+https://example.org/repo', digest: { gitCommit: 'c'.repeat(40) } },
  materials: [{ uri: 'pkg:npm/x@1.0.0', digest: { sha512: 'd'.repeat(128) } }],
  builder: 'https://example.org/builder',
  platform: { node: 'v24' },
  startedOn: '2026-11-30T00:00:00.000Z',
  finishedOn: '2026-11-30T00:10:00.000Z',
};
type Json = Record<string, unknown>;
const value = (): Json => JSON.parse(Buffer.from(encodeStatement(provenance)).toString()) as Json;
const refused = (statement: unknown, what: string): void =>
  assert.throws(
    () => parseStatement(Buffer.from(JSON.stringify(statement)), 'r'),
    (error) => isNectarError(error, 'RELEASE_SIGNATURE_INVALID'),
    what,
  );

test('is an in-toto Statement 1 with SLSA provenance 1: subjects, builder, commit, materials', () => {
  const { _type, predicateType, subject, predicate } = value() as {
    _type: string;
    predicateType: string;
    subject: unknown;
    predicate: { buildDefinition: { resolvedDependencies: unknown[] }; runDetails: { builder: { id: string } } };
  };
  assert.equal(_type, 'https://in-toto.io/Statement/v1');
  assert.equal(predicateType, 'https://slsa.dev/provenance/v1');
  assert.deepEqual(subject, [{ name: 'a.tar', digest: { sha256: 'ab'.repeat(32) } }]);
  assert.deepEqual(predicate.buildDefinition.resolvedDependencies, [provenance.source, ...provenance.materials]);
  assert.equal(predicate.runDetails.builder.id, provenance.builder);
  const { version, subjects, finishedOn } = parseStatement(encodeStatement(provenance), 'r');
  assert.deepEqual(
    { version, subjects, finishedOn },
    {
      version: '1.2.3',
      subjects: provenance.subjects,
      finishedOn: provenance.finishedOn,
    },
  );
});

test('refuses a statement of another kind, and names that are no names of artifacts', () => {
  assert.throws(
    () => parseStatement(Buffer.from('no'), 'r'),
    (error) => isNectarError(error, 'RELEASE_SIGNATURE_INVALID'),
  );
  refused(null, 'null');
  for (const field of ['_type', 'predicateType', 'subject', 'predicate']) refused({ ...value(), [field]: 'x' }, field);
  refused({ ...value(), subject: [] }, 'no subject');
  const digest = { sha256: 'ab'.repeat(32) };
  for (const name of ['', '../a', 'a/b', '.hidden', 'a\nb', 'x'.repeat(151)])
    refused({ ...value(), subject: [{ name, digest }] }, `name ${name}`);
  refused({ ...value(), subject: [{ name: 'a', digest: { sha1: 'ab'.repeat(20) } }] }, 'SHA-1');
  refused({ ...value(), subject: [{ name: 'a', digest: { sha256: 'AB'.repeat(32) } }] }, 'upper case');
  refused({ ...value(), subject: Array(257).fill({ name: 'a', digest }) }, 'many');
  refused(
    {
      ...value(),
      subject: [
        { name: 'a', digest },
        { name: 'a', digest },
      ],
    },
    'twice',
  );
});
