import { setTimeout as delay } from 'node:timers/promises';
import { keccak256, toUtf8Bytes } from 'ethers';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import type { Readiness, Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import { NODE_REGISTRY, type RegisteredNode } from '../registry/node-registry.ts';

export interface AuditorOptions {
  readonly pollMs: number;
  /** How long an attestation lasts; it is renewed in its last third. */
  readonly validityS: number;
}

/** One of the auditors' accounts on L2. */
export interface AuditorAccount {
  send(tx: { readonly to: Hex; readonly data: Hex }): Promise<Hex>;
  receipt(hash: Hex): Promise<{ readonly status: 0 | 1 } | undefined>;
}

export interface AuditorDeps {
  readonly accounts: readonly [AuditorAccount, AuditorAccount];
  readonly registry: {
    members(): Promise<readonly RegisteredNode[]>;
    pending(): Promise<readonly RegisteredNode[]>;
    holder(peerId: PeerIdText): Promise<RegisteredNode | undefined>;
  };
  /** Seconds, of the latest block: attestations live in the chain's time. */
  readonly chainTime: () => bigint;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * The development network's auditors: they pass every node whose peer's key signed its application, and look at nothing else. Not
 * for any other network, whose auditors are people.
 */
export interface Auditor extends Service {
  /** Both auditors vote a node out. Resolves with the hashes of their transactions. */
  eject(peerId: PeerIdText, reason: number): Promise<readonly Hex[]>;
}

const DEVNET_EVIDENCE = keccak256(toUtf8Bytes('nectar devnet: attested without an audit')) as Hex;
/** After this long without a receipt the attestation is sent again. */
const RESEND_MS = 30_000;

export function createAuditor(options: AuditorOptions, deps: AuditorDeps): Auditor {
  const { accounts, registry, log, now } = deps;
  const sent = new Map<Hex, number>();
  let failing = false;
  let running: Promise<void> | undefined;
  let stopping = new AbortController();

  function isDue(node: RegisteredNode): boolean {
    if (now() - (sent.get(node.nodeId) ?? Number.NEGATIVE_INFINITY) < RESEND_MS) return false;
    if (node.status === 'applied') return true;
    if (node.status !== 'active') return false;
    return node.validUntil - deps.chainTime() < BigInt(options.validityS) / 3n;
  }

  async function attest(node: RegisteredNode): Promise<void> {
    const validUntil = deps.chainTime() + BigInt(options.validityS);
    const data = NODE_REGISTRY.encodeFunctionData('attest', [node.nodeId, validUntil, DEVNET_EVIDENCE]) as Hex;
    await accounts[0].send({ to: PREDEPLOYS.nodeRegistry, data });
    sent.set(node.nodeId, now());
    log.info({ nodeId: node.nodeId }, 'node attested');
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const nodes = [...(await registry.pending()), ...(await registry.members())];
        for (const node of nodes.filter(isDue)) await attest(node);
        failing = false;
      } catch (error) {
        if (!failing && !signal.aborted) {
          const code = error instanceof NectarError ? error.code : 'internal error';
          log.warn({ code }, 'node not attested');
          log.debug({ err: error }, 'node not attested');
        }
        failing = true;
      }
      await delay(options.pollMs, undefined, { signal }).catch(() => {});
    }
  }

  return {
    name: 'auditor',
    async start(signal) {
      stopping = new AbortController();
      running = run(AbortSignal.any([signal, stopping.signal]));
    },
    async stop() {
      stopping.abort();
      await running;
    },
    readiness: (): Readiness => (failing ? { ready: false, reason: 'attestations are not accepted' } : { ready: true }),
    async eject(peerId, reason) {
      const holder = await registry.holder(peerId);
      if (holder === undefined) throw new NectarError('NETWORK_PEER_UNATTESTED', { peerId });
      const args = [holder.nodeId, reason, DEVNET_EVIDENCE];
      const data = NODE_REGISTRY.encodeFunctionData('eject', args) as Hex;
      const hashes: Hex[] = [];
      for (const account of accounts) {
        const hash = await account.send({ to: PREDEPLOYS.nodeRegistry, data });
        await settled(account, hash);
        hashes.push(hash);
      }
      return hashes;
    },
  };
}

const RECEIPT_POLL_MS = 50;
const RECEIPT_POLLS = 200;

/** The second vote is estimated on the state after the first. */
async function settled(account: AuditorAccount, hash: Hex): Promise<void> {
  for (let poll = 0; poll < RECEIPT_POLLS; poll += 1) {
    if ((await account.receipt(hash)) !== undefined) return;
    await delay(RECEIPT_POLL_MS);
  }
}
