#!/usr/bin/env node
/**
 * Verifies an audit proof, or a bundle of entries, without the node that made it:
 * `node scripts/verify-audit-proof.ts FILE [--vkey VKEY] [--head SIZE:ROOT] [--json]`.
 * Imports protocol/ only. Exit codes: 0 verified, 2 usage, 3 the proof does not hold.
 *
 * What it shows of a bundle: every entry is in the tree of the checkpoint, every body that it discloses is its leaf's, the list is
 * the one that the log itself recorded when it was made, and the older heads that it states (--head: that one among them) are of
 * the same log. Of a proof: the leaf is in the tree of the checkpoint, the checkpoint is signed by the log's key, and the body (when it
 * is disclosed) is the one that the leaf commits to. Without --vkey the key is taken from the proof itself: then it shows only
 * that the file agrees with the key in it, and whoever made the file could have made the key. Take the key from the node's owner,
 * from a peer, or compare the printed root with the anchored one.
 */
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { NectarError } from '../protocol/errors.ts';
import {
  bundleLines,
  MAX_BUNDLE_BYTES,
  type VerifiedAuditBundle,
  verifyAuditBundle,
} from '../protocol/merkle/audit-bundle.ts';
import { auditFacts } from '../protocol/merkle/audit-facts.ts';
import { describeAuditFilter } from '../protocol/merkle/audit-filter.ts';
import { MAX_PROOF_BYTES, type VerifiedAuditProof, verifyAuditProof } from '../protocol/merkle/audit-proof.ts';

const USAGE = 'usage: verify-audit-proof FILE [--vkey NAME+HASH+KEY] [--head SIZE:ROOT] [--json]\n';
/** What a bundle's first line holds, and a proof's does not. */
const BUNDLE_KIND = '"kind":"nectar-audit-bundle"';

async function readInput(file: string): Promise<{ bundle: Uint8Array } | { proof: unknown }> {
  const { size } = await stat(file);
  if (size > MAX_BUNDLE_BYTES) throw new NectarError('AUDIT_PROOF_INVALID', { reason: 'it is too long' });
  const bytes = await readFile(file);
  const firstLine = bytes.subarray(0, Math.max(0, bytes.indexOf('\n')));
  if (firstLine.includes(BUNDLE_KIND)) return { bundle: bytes };
  if (size > MAX_PROOF_BYTES) throw new NectarError('AUDIT_PROOF_INVALID', { reason: 'it is too long' });
  try {
    return { proof: JSON.parse(bytes.toString('utf8')) };
  } catch (error) {
    throw new NectarError('AUDIT_PROOF_INVALID', { reason: 'it is not JSON' }, { cause: error });
  }
}

function render(shown: VerifiedAuditProof): string {
  const { index, leaf, leafHash, root, checkpoint, epoch, body, keyFromOutside } = shown;
  const lines = [
    `verified   entry ${index} is in the log ${checkpoint.origin}`,
    `leaf       ${leaf.time} ${leaf.type} ${leaf.outcome}`,
    `leaf hash  ${leafHash}`,
    `tree       ${checkpoint.size} leaves, root ${root}`,
    ...(epoch.number === 1
      ? []
      : [
          `epoch      ${epoch.number}: the log was restored or resolved at leaf ${epoch.start}, whose entry says what is missing before it`,
        ]),
    `signature  by the log's key, ${keyFromOutside ? 'as you gave it' : 'as the proof itself states it: compare the root with an anchor, or give --vkey'}`,
    `body       ${body === undefined ? 'not disclosed' : body}`,
  ];
  return `${lines.join('\n')}\n`;
}

function renderBundle(shown: VerifiedAuditBundle): string {
  const { entries, filter, from, to, exportedAt, checkpoint, root, heads, completeness, keyFromOutside } = shown;
  const lines = [
    `verified   ${entries.length} entries are in the log ${checkpoint.origin}`,
    `asked for  ${describeAuditFilter(filter)}, leaves ${from} to ${to - 1}, exported ${exportedAt}`,
    `tree       ${checkpoint.size} leaves, root ${root}`,
    ...heads.map(({ size, root: old, where }) => `same log   ${size} leaves, root ${old}, kept by ${where}`),
    `signature  by the log's key, ${keyFromOutside ? 'as you gave it' : 'as the bundle itself states it: compare a root with an anchor, or give --vkey'}`,
    `complete   ${completeness.is === 'shown' ? 'shown: every leaf of the range is here' : `not shown: ${completeness.reason}`}`,
    ...entries.map(({ index, leaf, body }) => `${index}  ${leaf.time}  ${leaf.type}  ${leaf.outcome}  ${whatOf(body)}`),
  ];
  // The entries come from whoever made the file: none of them drives the terminal.
  return `${lines.map((line) => line.replaceAll(/\p{Cc}|\p{Cf}/gu, '\ufffd')).join('\n')}\n`;
}

function whatOf(body: string | undefined): string {
  if (body === undefined) return 'not disclosed';
  const { record, name, subject, address } = auditFacts(JSON.parse(body));
  return [record, name ?? subject, address].filter((fact) => fact !== undefined).join('  ');
}

function parseHead(text: string | undefined): { size: number; root: string } | undefined {
  if (text === undefined) return undefined;
  const [, size = '', root = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (root === '') throw new Error('--head is SIZE:ROOT, the root in hex');
  return { size: Number(size), root };
}

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { vkey: { type: 'string' }, head: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const head = parseHead(values.head);
  const input = await readInput(file);
  if ('bundle' in input) {
    const expected = { ...(values.vkey !== undefined && { vkey: values.vkey }), ...(head !== undefined && { head }) };
    const shown = verifyAuditBundle(bundleLines(input.bundle), expected);
    const { checkpoint, ...facts } = shown;
    const told = { verified: true, origin: checkpoint.origin, size: checkpoint.size, ...facts };
    process.stdout.write(values.json === true ? `${JSON.stringify(told)}\n` : renderBundle(shown));
    return 0;
  }
  const shown = verifyAuditProof(input.proof, values.vkey);
  const { index, leaf, leafHash, root, checkpoint, epoch, body, keyFromOutside } = shown;
  const facts = {
    verified: true,
    origin: checkpoint.origin,
    index,
    size: checkpoint.size,
    root,
    epoch,
    leafHash,
    leaf,
    body,
    keyFromOutside,
  };
  process.stdout.write(values.json === true ? `${JSON.stringify(facts)}\n` : render(shown));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof NectarError) {
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = error.code === 'AUDIT_VKEY_INVALID' ? 2 : 3;
  } else {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    process.exitCode = 2;
  }
}
