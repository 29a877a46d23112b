#!/usr/bin/env node
/**
 * Verifies an audit proof without the node that made it: `node scripts/verify-audit-proof.ts FILE [--vkey VKEY] [--json]`.
 * Imports protocol/ only. Exit codes: 0 verified, 2 usage, 3 the proof does not hold.
 *
 * What it shows: the leaf is in the tree of the checkpoint, the checkpoint is signed by the log's key, and the body (when it
 * is disclosed) is the one that the leaf commits to. Without --vkey the key is taken from the proof itself: then it shows only
 * that the file agrees with the key in it, and whoever made the file could have made the key. Take the key from the node's owner,
 * from a peer, or compare the printed root with the anchored one.
 */
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { NectarError } from '../protocol/errors.ts';
import { MAX_PROOF_BYTES, type VerifiedAuditProof, verifyAuditProof } from '../protocol/merkle/audit-proof.ts';

const USAGE = 'usage: verify-audit-proof FILE [--vkey NAME+HASH+KEY] [--json]\n';

async function readProof(file: string): Promise<unknown> {
  const { size } = await stat(file);
  if (size > MAX_PROOF_BYTES) throw new NectarError('AUDIT_PROOF_INVALID', { reason: 'it is too long' });
  try {
    return JSON.parse(await readFile(file, 'utf8'));
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

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { vkey: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const shown = verifyAuditProof(await readProof(file), values.vkey);
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
