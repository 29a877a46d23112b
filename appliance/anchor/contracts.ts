import { Interface, type Result } from 'ethers';
import { AuditAnchorAbi } from '../../contracts/generated/AuditAnchor.ts';
import { RecordRegistryAbi } from '../../contracts/generated/RecordRegistry.ts';
import type { Hex, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { PREDEPLOYS } from '../../protocol/rollup/genesis.ts';
import type { Chain } from './needs.ts';

const RECORD_REGISTRY = PREDEPLOYS.recordRegistry;
const AUDIT_ANCHOR = PREDEPLOYS.auditAnchor;

const records = new Interface(RecordRegistryAbi);
const audit = new Interface(AuditAnchorAbi);

/** An audit checkpoint as AuditAnchor has it. */
export interface AnchoredCheckpoint {
  readonly size: number;
  readonly root: RootHash;
  readonly blockNumber: bigint;
  /** Time of that block, milliseconds. */
  readonly at: number;
}

export function recordAnchorCall(root: string): { to: Hex; data: Hex } {
  return { to: RECORD_REGISTRY, data: records.encodeFunctionData('anchor', [`0x${root}`]) as Hex };
}

export function auditAnchorCall(nodeId: Hex, head: { size: number; root: RootHash }): { to: Hex; data: Hex } {
  return { to: AUDIT_ANCHOR, data: audit.encodeFunctionData('anchor', [nodeId, head.size, `0x${head.root}`]) as Hex };
}

/** L2 block in which the owner anchored the root; undefined when it is in no block of our chain. */
export async function findRecordAnchor(chain: Chain, root: string): Promise<bigint | undefined> {
  const [blockNumber] = await read(chain, { contract: records, to: RECORD_REGISTRY }, 'anchorOf', [
    chain.address(),
    `0x${root}`,
  ]);
  return typeof blockNumber === 'bigint' && blockNumber > 0n ? blockNumber : undefined;
}

/** The node's newest anchored checkpoint on our own latest state; undefined before the first. */
export async function findLatestCheckpoint(chain: Chain, nodeId: Hex): Promise<AnchoredCheckpoint | undefined> {
  const [checkpoint] = await read(chain, { contract: audit, to: AUDIT_ANCHOR }, 'latest', [nodeId]);
  const parsed = parseCheckpoint(checkpoint);
  return parsed.size === 0 ? undefined : parsed;
}

/** Who knows a checkpoint, for whoever compares the log with it. */
export function whereAnchored({ blockNumber }: AnchoredCheckpoint): string {
  return `AuditAnchor, L2 block ${blockNumber}`;
}

/** The node's newest `limit` anchored checkpoints, oldest first. */
export async function readCheckpoints(chain: Chain, nodeId: Hex, limit: number): Promise<AnchoredCheckpoint[]> {
  const [total] = await read(chain, { contract: audit, to: AUDIT_ANCHOR }, 'checkpointCount', [nodeId]);
  const count = Number(total);
  const checkpoints: AnchoredCheckpoint[] = [];
  for (let index = Math.max(0, count - limit); index < count; index += 1) {
    const [checkpoint] = await read(chain, { contract: audit, to: AUDIT_ANCHOR }, 'checkpointAt', [nodeId, index]);
    checkpoints.push(parseCheckpoint(checkpoint));
  }
  return checkpoints;
}

interface Target {
  readonly contract: Interface;
  readonly to: Hex;
}

async function read(
  chain: Chain,
  { contract, to }: Target,
  method: string,
  values: readonly unknown[],
): Promise<Result> {
  const answer = await chain.call({ to, data: contract.encodeFunctionData(method, values) as Hex });
  try {
    return contract.decodeFunctionResult(method, answer);
  } catch (cause) {
    throw new NectarError('ANCHOR_ANSWER_INVALID', { contract: to, problem: `${method} does not decode` }, { cause });
  }
}

function parseCheckpoint(value: unknown): AnchoredCheckpoint {
  const { root, size, blockNumber, timestamp } = value as Record<'size' | 'blockNumber' | 'timestamp', bigint> & {
    root: string;
  };
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new NectarError('ANCHOR_ANSWER_INVALID', { contract: AUDIT_ANCHOR, problem: 'tree size out of bounds' });
  }
  return {
    size: Number(size),
    root: root.slice(2).toLowerCase() as RootHash,
    blockNumber,
    at: Number(timestamp) * 1_000,
  };
}
