import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { VERDICTS } from '../../../../hardening/finding.ts';
import type { Report } from '../../../../hardening/report/report.ts';
import { renderSarif } from '../../../../hardening/report/sarif/sarif.ts';
import { anyReport } from './any-report.ts';
import { exampleReport, goodReport, HOSTILE } from './fixture.ts';

const schema: object = JSON.parse(
  readFileSync(new URL('../../../vectors/sarif/sarif-schema-2.1.0.json', import.meta.url), 'utf8'),
);
// One pattern of the official schema is none under the flag u.
const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
ajvFormats.default(ajv);
const validate = ajv.compile(schema);

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly kind: string;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly suppressions?: readonly { readonly justification: string }[];
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number };
    };
    readonly message?: { readonly text: string };
  }[];
  readonly partialFingerprints: Record<string, string>;
  readonly properties: { readonly verdict: string };
}
interface Run {
  readonly results: readonly SarifResult[];
  readonly tool: {
    readonly driver: {
      readonly rules: readonly {
        id: string;
        relationships: { target: { id: string; toolComponent: { index: number } } }[];
      }[];
    };
  };
  readonly taxonomies: readonly { readonly name: string; readonly taxa: readonly { id: string }[] }[];
  readonly invocations: readonly {
    executionSuccessful: boolean;
    toolExecutionNotifications: { message: { text: string } }[];
  }[];
}

interface PartialRun extends Run {
  readonly properties: { readonly only?: readonly string[]; readonly counts: object };
}

function runOf(report: Report): Run {
  const log: { runs: readonly Run[] } = JSON.parse(renderSarif(report));
  assert.ok(validate(log), JSON.stringify(validate.errors?.slice(0, 5)));
  const [run] = log.runs;
  assert.ok(run);
  return run;
}

describe('renderSarif', () => {
  const run = runOf(exampleReport());
  const of = (check: string): SarifResult => {
    const found = run.results.find(({ ruleId }) => ruleId === check);
    assert.ok(found, check);
    return found;
  };

  it('is refused by the official schema when it is wrong', () => {
    const log = JSON.parse(renderSarif(exampleReport()));
    log.runs[0].results[0].kind = 'failed';
    assert.equal(validate(log), false);
  });

  it('gives every verdict its kind, and a level to failures alone', () => {
    const kinds = Object.fromEntries(
      VERDICTS.map((verdict) => {
        const result = run.results.find(({ properties }) => properties.verdict === verdict);
        return [verdict, `${result?.kind} ${result?.level}`];
      }),
    );
    assert.deepEqual(kinds, {
      pass: 'pass none',
      fail: 'fail error',
      manual: 'review none',
      'not-applicable': 'notApplicable none',
      waived: 'fail warning',
      error: 'open none',
    });
  });

  it('suppresses what is waived, with owner, reason and end, and nothing else', () => {
    assert.match(
      of('BYON-NET-001').suppressions?.[0]?.justification ?? '',
      /one network only\. \(.*Ada, until 2026-12-31\)/,
    );
    assert.deepEqual(
      run.results
        .filter(({ suppressions }) => suppressions !== undefined && suppressions.length > 0)
        .map(({ ruleId }) => ruleId),
      ['BYON-NET-001'],
    );
  });

  it('points every result at its rule, and every clause at its standard', () => {
    for (const { ruleId, ruleIndex } of run.results) assert.equal(run.tool.driver.rules[ruleIndex]?.id, ruleId);
    const rule = run.tool.driver.rules.find(({ id }) => id === 'BYON-CTR-002');
    const clauses = rule?.relationships.map(({ target }) => {
      const taxonomy = run.taxonomies[target.toolComponent.index];
      assert.ok(taxonomy?.taxa.some(({ id }) => id === target.id));
      return `${taxonomy?.name} ${target.id}`;
    });
    assert.deepEqual(clauses, ['CIS Docker Benchmark 5.12', 'HIPAA 164.312(a)(1)']);
  });

  it('names the subjects of a failure, and lets none of their names become a link or a placeholder', () => {
    assert.equal(of('BYON-CTR-001').locations.length, 1);
    const linked = runOf(exampleReport('[click](https://evil.example) {0}'));
    assert.match(linked.results[0]?.message.text ?? '', /\[click\] \(https:\/\/evil\.example\) \{ 0 \}: no\./);
  });

  it('tells which collector could not look', () => {
    assert.equal(run.invocations[0]?.executionSuccessful, false);
    assert.match(run.invocations[0]?.toolExecutionNotifications[0]?.message.text ?? '', /^host could not look: EACCES/);
    assert.equal(runOf(goodReport()).invocations[0]?.executionSuccessful, true);
  });

  it('gives the same failure the same fingerprint in the next report, and another on another node', () => {
    const fingerprints = (report: Report) =>
      runOf(report).results.map(({ partialFingerprints }) => partialFingerprints);
    const report = exampleReport();
    assert.deepEqual(fingerprints(report), fingerprints(goodReport()));
    const foreign = fingerprints({ ...report, node: { ...report.node, id: 'other' } });
    assert.ok(fingerprints(report).every((one, index) => one !== foreign[index]));
  });

  it('names a clause once that two references of a check name', () => {
    const report = exampleReport();
    const [first, ...rest] = report.results;
    assert.ok(first !== undefined && first.refs.length > 0);
    const twice = { ...first, refs: first.refs.flatMap((ref) => [ref, { ...ref, title: 'otherwise called' }]) };
    const relationships = (of: Report) => runOf(of).tool.driver.rules[0]?.relationships;
    assert.deepEqual(relationships({ ...report, results: [twice, ...rest] }), relationships(report));
  });

  it('gives each result a line of a file, as code scanning asks: of the manifest, else where the node is configured', () => {
    for (const { locations, ruleId } of run.results) {
      assert.ok(locations.length > 0, ruleId);
      for (const { physicalLocation, message } of locations) {
        assert.deepEqual(physicalLocation, {
          ...{ artifactLocation: { uri: 'config.json' }, region: { startLine: 1 } },
        });
        assert.match(message?.text ?? '', /^Seen on the running node, not in this file/);
      }
    }
    const report = exampleReport('nectar-gateway');
    const place = (file: string, line: number) => {
      const results = report.results.map((result) => ({
        ...result,
        evidence: result.evidence.map((one) => ({ ...one, source: { file, line } })),
      }));
      const [location] = runOf({ ...report, results }).results[0]?.locations ?? [];
      assert.equal(location?.message, undefined);
      return `${location?.physicalLocation.artifactLocation.uri}:${location?.physicalLocation.region.startLine}`;
    };
    assert.equal(place('rendered/all.yaml', 12), 'rendered/all.yaml:12');
    assert.equal(place('../../etc/pass wd?#', 1), 'etc/pass%20wd%3F%23:1');
    assert.equal(place('javascript:alert(1)', 1), 'javascript%3Aalert(1):1');
    const cluster = runOf({ ...report, node: { ...report.node, target: 'kubernetes' } });
    assert.equal(cluster.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, 'values.yaml');
  });

  it('has the part that was asked for, which code scanning would else take for alerts, and the counts of all', () => {
    const report = exampleReport();
    const log: { runs: PartialRun[] } = JSON.parse(renderSarif(report, ['fail']));
    assert.ok(validate(log), JSON.stringify(validate.errors?.slice(0, 5)));
    const [part] = log.runs;
    assert.ok(part);
    assert.deepEqual([...new Set(part.results.map(({ kind }) => kind))], ['fail']);
    assert.equal(part.results.length, report.counts.fail);
    assert.deepEqual([part.properties.only, part.properties.counts], [['fail'], report.counts]);
    for (const { ruleId, ruleIndex } of part.results) assert.equal(part.tool.driver.rules[ruleIndex]?.id, ruleId);
    assert.ok(!('only' in JSON.parse(renderSarif(report)).runs[0].properties));
  });

  it('is valid for any report', () => {
    assert.ok(HOSTILE.length > 0);
    fc.assert(
      fc.property(anyReport, (report) => assert.equal(runOf(report).results.length, report.results.length)),
      { numRuns: 100 },
    );
  });
});
