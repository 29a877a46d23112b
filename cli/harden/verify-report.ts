import { resolve } from 'node:path';
import type { Key } from 'openpgp';
import { AuditProof } from '../../appliance/gateway/audit-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { MAX_PROOF_BYTES, verifyAuditProof } from '../../protocol/merkle/audit-proof.ts';
import type { Call } from '../call.ts';
import { isNodeHome } from '../home-folder.ts';
import { findGateway, openNodeClient } from '../node-client.ts';
import { readHistory } from './history.ts';
import { findNamedFile, readNamedFile } from './read-file.ts';
import { findReportKey, parseKeys, readKeyFile, readPublicKey } from './report-key.ts';
import { type SignatureVerdict, verifySignature } from './verify-signature.ts';
import { proofPath, sha256, signaturePath } from './write-report.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_SIGNATURE_BYTES = 64 * 1024;

export interface VerifyOptions {
  /** Armoured public key of whoever should have signed. */
  readonly key?: string;
  /** Key of the audit log, NAME+HASH+KEY, from outside. */
  readonly vkey?: string;
}

/** Whether the audit log has the report. `unknown`: nobody here can say. */
export type LogVerdict =
  | {
      readonly verdict: 'ok';
      readonly leaf: number;
      readonly time: string;
      readonly origin: string;
      readonly signer?: string;
    }
  | { readonly verdict: 'violated' | 'unknown'; readonly reason: string };

export interface ReportVerdict {
  readonly file: string;
  readonly digest: string;
  readonly signature: SignatureVerdict;
  readonly log: LogVerdict;
}

/** Checks a report's file against its signature and against the audit log of the node that made it. Trusts nothing of it. */
export async function verifyReport(call: Call<VerifyOptions>): Promise<ReportVerdict> {
  const { terminal, operands } = call;
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  const bytes = await readNamedFile(terminal, file, MAX_FILE_BYTES);
  const digest = sha256(bytes);
  const log = await verifyInLog(call, file, digest);
  const signature = await verifySigned(call, file, bytes);
  return { file, digest, signature: agreeing(signature, log), log };
}

/** @throws NectarError HARDENING_REPORT_VIOLATED, HARDENING_REPORT_UNPROVEN */
export function requireGenuine({ file, signature, log }: ReportVerdict): void {
  const parts = [signature, log];
  const problems = parts.flatMap((part) => (part.verdict === 'violated' ? [part.reason] : []));
  if (problems.length > 0) throw new NectarError('HARDENING_REPORT_VIOLATED', { path: file, problems });
  const reasons = parts.flatMap((part) => (part.verdict === 'unknown' ? [part.reason] : []));
  if (reasons.length === parts.length) throw new NectarError('HARDENING_REPORT_UNPROVEN', { path: file, reasons });
}

/** What the signature beside a file shows. */
export async function verifySigned(
  call: Call<VerifyOptions>,
  file: string,
  bytes: Uint8Array,
): Promise<SignatureVerdict> {
  const armoured = await findNamedFile(call.terminal, signaturePath(file), MAX_SIGNATURE_BYTES);
  if (armoured === undefined) return { verdict: 'unknown', reason: `there is no signature in ${signaturePath(file)}` };
  return verifySignature(bytes, Buffer.from(armoured).toString('utf8'), await trustedKeys(call));
}

/** The key that the reader names; else the one of the home, whose reader trusts it already. */
async function trustedKeys({ options, home, terminal }: Call<VerifyOptions>): Promise<readonly Key[]> {
  if (options.key !== undefined) return readKeyFile(resolve(terminal.workingFolder, options.key));
  return (await findReportKey(home)) === undefined ? [] : parseKeys(await readPublicKey(home));
}

/** The log names the key that signed: a good signature by another one is not of this report. */
function agreeing(signature: SignatureVerdict, log: LogVerdict): SignatureVerdict {
  if (signature.verdict !== 'ok' || log.verdict !== 'ok' || log.signer === undefined) return signature;
  if (log.signer === signature.fingerprint) return signature;
  return { verdict: 'violated', reason: `signed by ${signature.fingerprint}, but the log names ${log.signer}` };
}

async function verifyInLog(call: Call<VerifyOptions>, file: string, digest: string): Promise<LogVerdict> {
  const vkey = call.options.vkey ?? (await vkeyOf(call.home));
  if (vkey === undefined) {
    return { verdict: 'unknown', reason: 'the key of the audit log is not here: give --vkey, or --home of the node' };
  }
  const found = await findProof(call, file, digest);
  if ('reason' in found) return { verdict: 'unknown', reason: found.reason };
  try {
    const { index, leaf, body, checkpoint } = verifyAuditProof(found.proof, vkey);
    if (leaf.type !== 'hardening.report') return { verdict: 'violated', reason: `leaf ${index} is of ${leaf.type}` };
    if (body === undefined) return { verdict: 'unknown', reason: `the proof of leaf ${index} does not show the event` };
    const said = detailOf(body);
    if (said.digest !== digest && said.fileDigest !== digest) {
      return { verdict: 'violated', reason: `leaf ${index} of the audit log is of another report` };
    }
    const { signer } = said;
    return {
      ...{ verdict: 'ok', leaf: index, time: leaf.time, origin: checkpoint.origin },
      ...(signer !== undefined && { signer }),
    };
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return { verdict: 'violated', reason: `the proof does not hold: ${error.message}` };
  }
}

/** The proof beside the file; else the running node's, of the leaf that the history names. */
async function findProof(
  { terminal, home }: Call<VerifyOptions>,
  file: string,
  digest: string,
): Promise<{ readonly proof: unknown } | { readonly reason: string }> {
  const beside = await findNamedFile(terminal, proofPath(file), MAX_PROOF_BYTES);
  if (beside !== undefined) return { proof: parseJson(beside) };
  const kept = (await readHistory(home)).find((one) => one.digest === digest || one.fileDigest === digest);
  if (kept?.auditLeaf === undefined) {
    return { reason: `there is no ${proofPath(file)}, and no report with this digest in the history of ${home}` };
  }
  if (!isNodeHome(home) || (await findGateway(home)) === undefined) return { reason: 'the node does not run' };
  const client = await openNodeClient({ home, signal: terminal.signal });
  try {
    return { proof: await client.json(AuditProof, 'GET', `/v1/audit/proof/${kept.auditLeaf}`) };
  } catch (error) {
    if (error instanceof NectarError && error.code.startsWith('CLI_NODE_')) return { reason: error.message };
    throw error;
  } finally {
    await client.close();
  }
}

/** What is not JSON is refused by the verifier like anything else that is no proof. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The key of the audit log of the node in a home; undefined where there is none. */
export async function vkeyOf(home: string): Promise<string | undefined> {
  if (!isNodeHome(home)) return undefined;
  const { readPublicIdentity } = await import('../../appliance/config/identity.ts');
  return readPublicIdentity(home).checkpointVkey;
}

/** The named values of the event (a FHIR AuditEvent); the log vouches for its bytes, not for its shape. */
function detailOf(body: string): Readonly<Record<string, string | undefined>> {
  const event = parseJson(Buffer.from(body)) as { entity?: { detail?: { type?: unknown; valueString?: unknown }[] }[] };
  const details = Array.isArray(event?.entity) ? event.entity.flatMap(({ detail }) => detail ?? []) : [];
  return Object.fromEntries(
    details.flatMap(({ type, valueString }) =>
      typeof type === 'string' && typeof valueString === 'string' ? [[type, valueString]] : [],
    ),
  );
}
