import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { validateXML } from 'xmllint-wasm';
import { renderJunit } from '../../../../hardening/report/junit/junit.ts';
import { element, escapeXml, renderXml } from '../../../../hardening/report/junit/xml.ts';
import { anyReport } from './any-report.ts';
import { exampleReport } from './fixture.ts';

const schema = readFileSync(new URL('../../../vectors/junit/junit-10.xsd', import.meta.url), 'utf8');
const validate = (documents: readonly string[]) =>
  validateXML({
    xml: documents.map((contents, index) => ({ fileName: `${index}.xml`, contents })),
    schema: [schema],
  });
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

describe('renderJunit', () => {
  const text = renderJunit(exampleReport());

  it('is valid by the schema of the Jenkins plugin, which refuses it when it is wrong', async () => {
    assert.deepEqual((await validate([text])).errors, []);
    assert.equal((await validate([text.replace('<testcase classname', '<testcase verdict')])).valid, false);
  });

  it('fails what failed, errs where nobody could look, and skips the rest with the reason', () => {
    assert.match(text, /<testsuites name="nectar-byon hardening, profile node" tests="9" failures="3" errors="2">/);
    assert.match(
      text,
      /<testsuite name="Containers" tests="3" failures="2" errors="0" skipped="0" timestamp="2026-11-23T10:00:07"/,
    );
    assert.deepEqual([count(text, /<failure /g), count(text, /<error /g), count(text, /<skipped /g)], [3, 2, 3]);
    assert.match(text, /<failure type="medium" message="expected mode 0600 or stricter; keys\.json: 0644">/);
    assert.match(text, /<error type="not seen" message="host: EACCES /);
    assert.match(
      text,
      /<skipped type="waived" message="waived by [^"]*until 2026-12-31: The clinic has one network only\."/,
    );
    assert.match(text, /<skipped type="not applicable" message="no cluster"\/>/);
    assert.match(text, /<skipped type="manual" message="a person must look: /);
  });

  it('is well-formed and valid for any report', async () => {
    const documents = fc.sample(anyReport, { numRuns: 60, seed: 4 }).map(renderJunit);
    assert.deepEqual((await validate(documents)).errors, []);
  });
});

describe('escapeXml', () => {
  it('leaves no markup, and no character that XML 1.0 excludes', () => {
    assert.equal(escapeXml('<a b="c">]]>&\n\t\r'), '&lt;a b=&quot;c&quot;&gt;]]&gt;&amp;&#10;&#9;&#13;');
    assert.equal(escapeXml('\u0000\u001b\ufffe\ud800x\u{1f600}'), '\ufffd\ufffd\ufffd\ufffdx\u{1f600}');
  });

  it('keeps a text as it is, white space too', () => {
    assert.equal(
      renderXml(element('a', {}, [element('b', { c: 1 }, [' x\ny ']), element('d', {})])),
      '<?xml version="1.0" encoding="UTF-8"?>\n<a>\n  <b c="1"> x&#10;y </b>\n  <d/>\n</a>\n',
    );
  });
});
