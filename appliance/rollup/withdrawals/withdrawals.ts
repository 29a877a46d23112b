import { setTimeout as delay } from 'node:timers/promises';
import { Interface } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { leafOf, proveSend } from '../../../protocol/rollup/send-tree.ts';
import type { OperatorAccount } from '../account/operator-account.ts';
import type { L1Sender } from '../batcher/l1-sender.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { Engine, Heads } from '../derive/engine.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import type { Assertion } from '../validator/assertion.ts';
import type { AssertionBook } from '../validator/assertion-book.ts';
import type { Judge } from '../validator/judge.ts';
import { MESSENGER, type SentMessage, type SentMessages } from './sent-messages.ts';

/** How far a withdrawal is: handed to the sequencer, in a block, on L1, asserted, claimable, claimed. */
export type WithdrawalState = 'sent' | 'ordered' | 'batched' | 'asserted' | 'claimable' | 'claimed' | 'failed';

export interface Withdrawal {
  /** Its nonce; undefined while no block has it. */
  readonly id: number | undefined;
  readonly state: WithdrawalState;
  readonly to: Hex;
  readonly amountWei: bigint;
  readonly transaction: Hex;
  readonly block: number | undefined;
  /** Seconds since 1970; of one that is asserted, if no rival comes. */
  readonly claimableAt: number | undefined;
}

/** What `Outbox.execute` takes. */
export interface WithdrawalProof {
  readonly nodeId: Hex;
  readonly state: Assertion['state'];
  readonly message: SentMessage;
  readonly siblings: readonly Hex[];
}

/** ETH of the operator's account from L2 to L1. */
export interface Withdrawals {
  /** Resolves with the hash on L2 once the sequencer has taken it. Throws what the account's `send` throws. */
  send(to: Hex, amountWei: bigint): Promise<Hex>;
  /** Those of the operator's account, the oldest first. */
  list(signal: AbortSignal): Promise<readonly Withdrawal[]>;
  /** Of anybody's message, against the latest confirmed assertion; undefined while that does not cover it. */
  prove(nonce: bigint): Promise<WithdrawalProof | undefined>;
  /** Executes it on L1 and waits until it is mined. Throws ROLLUP_WITHDRAWAL_UNKNOWN, _NOT_CLAIMABLE, ROLLUP_ACCOUNT_FUNDS. */
  claim(id: number, signal: AbortSignal): Promise<void>;
}

export interface WithdrawalsDeps {
  readonly account: OperatorAccount;
  readonly messages: SentMessages;
  readonly heads: () => Heads;
  readonly engine: Pick<Engine, 'record' | 'putRecords'>;
  readonly book: () => AssertionBook;
  readonly verdictOf: Judge['verdictOf'];
  readonly confirmableAt: (nodeId: Hex, signal: AbortSignal) => Promise<bigint>;
  readonly l1: JsonRpc;
  readonly sender: L1Sender;
  readonly outbox: Hex;
  readonly now: () => number;
}

interface Handed {
  readonly transaction: Hex;
  readonly to: Hex;
  readonly amountWei: bigint;
}

const OUTBOX = new Interface([
  'function execute(bytes32 nodeId, (bytes32 blockHash, bytes32 sendRoot, uint64 batch, uint64 offset) state, (uint256 nonce, address from, address to, uint256 value, bytes data) message, bytes32[32] proof)',
  'function isExecuted(uint256 nonce) view returns (bool)',
]);
const HANDED = 'withdrawals/handed';
const MAX_HANDED = 64;
const CLAIM_POLL_MS = 500;
const CLAIM_TIMEOUT_MS = 90_000;
const CLAIM_BUMP_MS = 30_000;

export function createWithdrawals(deps: WithdrawalsDeps): Withdrawals {
  const { account, messages, heads, engine, book, verdictOf, l1, sender, outbox, now } = deps;

  async function handed(): Promise<readonly Handed[]> {
    const bytes = await engine.record(HANDED);
    return bytes === undefined ? [] : (parseBigintJson(bytes) as Handed[]);
  }
  const keepHanded = (list: readonly Handed[]): Promise<void> =>
    engine.putRecords(new Map([[HANDED, encodeBigintJson(list.slice(-MAX_HANDED))]]));

  async function isExecuted(nonce: bigint, signal: AbortSignal): Promise<boolean> {
    const data = OUTBOX.encodeFunctionData('isExecuted', [nonce]);
    const answer = String(await l1.call('eth_call', [{ to: outbox, data }, 'latest'], signal));
    return BigInt(answer === '0x' ? 0 : answer) === 1n;
  }

  /** The block up to which an assertion reaches, if it is right. */
  function reachOf({ nodeId }: Assertion): bigint | undefined {
    const verdict = verdictOf(nodeId);
    return verdict?.kind === 'right' ? verdict.block : undefined;
  }

  function confirmed(): Assertion | undefined {
    const { latestConfirmed, assertions } = book();
    return latestConfirmed === undefined ? undefined : assertions.get(latestConfirmed);
  }

  async function stateOf(
    message: SentMessage,
    signal: AbortSignal,
  ): Promise<Pick<Withdrawal, 'state' | 'claimableAt'>> {
    const open = { claimableAt: undefined };
    const { block, nonce } = message;
    if (block > heads().safe.number) return { state: 'ordered', ...open };
    const latest = confirmed();
    if (latest !== undefined && (reachOf(latest) ?? -1n) >= block)
      return { state: (await isExecuted(nonce, signal)) ? 'claimed' : 'claimable', ...open };
    const covers = (node: Assertion): boolean => node.status === 'live' && (reachOf(node) ?? -1n) >= block;
    const first = [...book().assertions.values()].find(covers);
    if (first === undefined) return { state: 'batched', ...open };
    const claimableAt = await deps.confirmableAt(first.nodeId, signal).then(Number, () => undefined);
    return { state: 'asserted', claimableAt };
  }

  async function ownMessages(): Promise<readonly SentMessage[]> {
    const all = await messages.upTo(await messages.countAt(heads().unsafe.number));
    return all.filter(({ from }) => from === account.address());
  }

  /** Handed to the sequencer and in no block; what a block has, its message tells better. */
  async function stillOnTheWay(known: readonly SentMessage[]): Promise<readonly Withdrawal[]> {
    const all = await handed();
    const waiting = all.filter(({ transaction }) => !known.some((message) => message.transaction === transaction));
    const rows: Withdrawal[] = [];
    for (const { transaction, to, amountWei } of waiting) {
      const receipt = await account.receipt(transaction);
      const state = receipt === undefined ? 'sent' : 'failed';
      rows.push({ id: undefined, state, to, amountWei, transaction, block: undefined, claimableAt: undefined });
    }
    const settled = known.filter(({ block }) => block <= heads().finalized.number);
    const kept = all.filter(({ transaction }) => !settled.some((message) => message.transaction === transaction));
    if (kept.length !== all.length) await keepHanded(kept);
    return rows;
  }

  async function prove(nonce: bigint): Promise<WithdrawalProof | undefined> {
    const latest = confirmed();
    const block = latest && reachOf(latest);
    if (latest === undefined || block === undefined) return undefined;
    const all = await messages.upTo(await messages.countAt(block));
    const message = all[Number(nonce)];
    if (message === undefined) return undefined;
    const { siblings, root } = proveSend(all.map(leafOf), Number(nonce));
    if (root !== latest.state.sendRoot) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: 'send root' });
    return { nodeId: latest.nodeId, state: latest.state, message, siblings };
  }

  async function execute(nonce: bigint, data: Hex, signal: AbortSignal): Promise<void> {
    const outgoing = await sender.send({ to: outbox, data }, signal);
    let bumpedAt = now();
    for (const end = now() + CLAIM_TIMEOUT_MS; now() < end; ) {
      if (await isExecuted(nonce, signal)) return;
      // Used and without effect: somebody else's call came first and this one reverted, or another one took the nonce.
      if ((await sender.standing(outgoing, signal)) !== 'next' && !(await isExecuted(nonce, signal))) break;
      if (now() - bumpedAt >= CLAIM_BUMP_MS) {
        bumpedAt = now();
        await sender.bump(outgoing, signal);
      }
      await delay(CLAIM_POLL_MS, undefined, { signal });
    }
    if (!(await isExecuted(nonce, signal))) throw new NectarError('ROLLUP_WITHDRAWAL_UNCERTAIN', { id: Number(nonce) });
  }

  return {
    async send(to, amountWei) {
      const data = MESSENGER.encodeFunctionData('sendMessage', [to, '0x']) as Hex;
      const transaction = await account.send({ to: PREDEPLOYS.messenger, data, valueWei: amountWei });
      await keepHanded([...(await handed()), { transaction, to, amountWei }]);
      return transaction;
    },
    async list(signal) {
      const own = await ownMessages();
      const rows: Withdrawal[] = [];
      for (const message of own) {
        const { nonce, to, value: amountWei, transaction, block } = message;
        const place = { id: Number(nonce), block: Number(block) };
        rows.push({ ...place, to, amountWei, transaction, ...(await stateOf(message, signal)) });
      }
      return [...rows, ...(await stillOnTheWay(own))];
    },
    prove,
    async claim(id, signal) {
      const all = await messages.upTo(await messages.countAt(heads().unsafe.number));
      const message = all[id];
      if (message === undefined) throw new NectarError('ROLLUP_WITHDRAWAL_UNKNOWN', { id });
      const { state } = await stateOf(message, signal);
      const proof = state === 'claimable' ? await prove(BigInt(id)) : undefined;
      if (proof === undefined) throw new NectarError('ROLLUP_WITHDRAWAL_NOT_CLAIMABLE', { id, state });
      const { nodeId, siblings } = proof;
      const { nonce, from, to, value, data } = message;
      const call = OUTBOX.encodeFunctionData('execute', [
        nodeId,
        proof.state,
        { nonce, from, to, value, data },
        [...siblings],
      ]);
      await execute(nonce, call as Hex, signal);
    },
  };
}
