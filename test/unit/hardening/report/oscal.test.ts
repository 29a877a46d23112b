import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { renderOscal } from '../../../../hardening/report/oscal/oscal.ts';
import { uuidOf } from '../../../../hardening/report/oscal/uuid.ts';
import type { Report } from '../../../../hardening/report/report.ts';
import { anyReport } from './any-report.ts';
import { exampleReport, goodReport } from './fixture.ts';

const schema: { readonly $id: string } = JSON.parse(
  readFileSync(new URL('../../../vectors/oscal/oscal_complete_schema-1.2.3.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(schema);
// The model by itself: at the root every error is repeated for each kind of document.
const validate = ajv.compile({ $ref: `${schema.$id}#/definitions/oscal-complete-oscal-ar:assessment-results` });

interface Linked {
  readonly uuid: string;
  readonly props: readonly { readonly name: string; readonly value: string }[];
}
interface Result {
  readonly observations: readonly (Linked & { methods: string[]; subjects?: { 'subject-uuid': string }[] })[];
  readonly risks?: readonly (Linked & {
    status: string;
    deadline?: string;
    'related-observations': { 'observation-uuid': string }[];
  })[];
  readonly findings?: readonly {
    uuid: string;
    target: { 'target-id': string; status: { state: string } };
    'related-observations': { 'observation-uuid': string }[];
    'related-risks'?: { 'risk-uuid': string }[];
  }[];
  readonly 'local-definitions': {
    readonly 'inventory-items'?: readonly { uuid: string }[];
    readonly 'assessment-assets': { readonly components: readonly { uuid: string }[] };
  };
  readonly 'reviewed-controls': { 'control-selections': { 'include-controls': { 'control-id': string }[] }[] };
}
interface Document {
  readonly uuid: string;
  readonly metadata: { readonly parties?: readonly { uuid: string; name: string }[] };
  readonly 'import-ap': { readonly href: string };
  readonly 'back-matter': { readonly resources: readonly { uuid: string; description: string }[] };
  readonly 'local-definitions': { readonly 'objectives-and-methods': readonly { parts: { id: string }[] }[] };
  readonly results: readonly [Result];
}

function documentOf(report: Report): Document {
  const { 'assessment-results': document }: { 'assessment-results': Document } = JSON.parse(renderOscal(report));
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5)));
  return document;
}

/** Every `uuid` in the document, and every `...-uuid` that points to one. */
function uuidsIn(value: unknown, key = ''): { own: string[]; pointers: string[] } {
  if (typeof value === 'string') {
    return { own: key === 'uuid' ? [value] : [], pointers: key.endsWith('-uuid') ? [value] : [] };
  }
  const inner = Array.isArray(value)
    ? value.map((one) => uuidsIn(one))
    : Object.entries(value ?? {}).map(([name, one]) => uuidsIn(one, name));
  return { own: inner.flatMap(({ own }) => own), pointers: inner.flatMap(({ pointers }) => pointers) };
}

const verdictOf = (one: Linked): string => one.props.find(({ name }) => name === 'verdict')?.value ?? '';
const checkOf = (one: Linked): string => one.props.find(({ name }) => name === 'check')?.value ?? '';

describe('renderOscal', () => {
  const document = documentOf(exampleReport());
  const [result] = document.results;

  it('is refused by the official schema when it is wrong', () => {
    assert.equal(validate({ ...document, uuid: 'x' }), false);
    assert.equal(validate({ ...document, results: [{ ...result, observations: [] }] }), false);
  });

  it('names no UUID twice, and points to none that is not there', () => {
    const { own, pointers } = uuidsIn(document);
    assert.equal(new Set(own).size, own.length);
    assert.ok(pointers.length > 20);
    assert.deepEqual(
      pointers.filter((uuid) => !own.includes(uuid)),
      [],
    );
  });

  it('has an observation of every check, and a finding only where something was judged', () => {
    const verdicts = Object.groupBy(result.observations, verdictOf);
    assert.deepEqual(Object.fromEntries(Object.entries(verdicts).map(([verdict, list]) => [verdict, list?.length])), {
      fail: 3,
      pass: 1,
      error: 2,
      waived: 1,
      manual: 1,
      'not-applicable': 1,
    });
    const judged = result.findings?.map(({ target }) => [target['target-id'], target.status.state]);
    assert.deepEqual(judged, [
      ['BYON-CTR-001_obj', 'not-satisfied'],
      ['BYON-CTR-002_obj', 'satisfied'],
      ['BYON-CTR-003_obj', 'not-satisfied'],
      ['BYON-FIL-001_obj', 'not-satisfied'],
      ['BYON-NET-001_obj', 'not-satisfied'],
    ]);
    assert.deepEqual(result.observations.find((one) => checkOf(one) === 'BYON-ORG-001')?.methods, ['EXAMINE']);
  });

  it('defines the objective that each finding is about, and reviews every check', () => {
    const defined = document['local-definitions']['objectives-and-methods'].flatMap(({ parts }) =>
      parts.map(({ id }) => id),
    );
    assert.ok(result.findings?.every(({ target }) => defined.includes(target['target-id'])));
    assert.equal(result['reviewed-controls']['control-selections'][0]?.['include-controls'].length, 9);
  });

  it('opens a risk for each failure, and approves the deviation of a waived one until its day', () => {
    const open = result.risks?.filter(({ status }) => status === 'open');
    const approved = result.risks?.filter(({ status }) => status === 'deviation-approved');
    assert.equal(open?.length, 3);
    assert.deepEqual(
      approved?.map(({ deadline }) => deadline),
      ['2026-12-31T23:59:59Z'],
    );
    assert.match(document.metadata.parties?.[0]?.name ?? '', /Dr\. Ada$/);
    assert.equal(documentOf(goodReport()).results[0].risks, undefined);
  });

  it('says where the plan was that nobody wrote in OSCAL', () => {
    const plan = document['back-matter'].resources.find(({ uuid }) => document['import-ap'].href === `#${uuid}`);
    assert.match(plan?.description ?? '', /There is no assessment plan in OSCAL\./);
  });

  it('gives the same report the same bytes, the next one other findings of the same subjects and risks', () => {
    assert.equal(renderOscal(exampleReport()), renderOscal(exampleReport()));
    const later = documentOf({ ...exampleReport(), createdAt: '2026-11-25T00:00:00.000Z' });
    assert.notEqual(later.uuid, document.uuid);
    assert.notEqual(later.results[0].findings?.[0]?.uuid, result.findings?.[0]?.uuid);
    assert.deepEqual(
      later.results[0].risks?.map(({ uuid }) => uuid),
      result.risks?.map(({ uuid }) => uuid),
    );
    assert.deepEqual(
      later.results[0]['local-definitions']['inventory-items'],
      result['local-definitions']['inventory-items'],
    );
  });

  it('is valid, whole in its references, for any report', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const { own, pointers } = uuidsIn(documentOf(report));
        assert.equal(new Set(own).size, own.length);
        assert.ok(pointers.every((uuid) => own.includes(uuid)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('uuidOf', () => {
  it('makes UUIDs of version 5 that follow from the name alone', () => {
    assert.match(uuidOf('a', 'b'), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(uuidOf('a', 'b'), uuidOf('a', 'b'));
    assert.notEqual(uuidOf('a', 'b'), uuidOf('ab'));
    assert.notEqual(uuidOf('a', 'b'), uuidOf('a"b'));
  });
});
