import { Interface, keccak256, toUtf8Bytes } from 'ethers';
import { createForcing } from '../../../../../appliance/rollup/account/forcing.ts';
import type { OwnTransaction } from '../../../../../appliance/rollup/account/tracked-list.ts';
import type { L1Record, MessageRecord } from '../../../../../appliance/rollup/derive/derive-store.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { MESSAGE_KINDS } from '../../../../../protocol/rollup/delayed-message.ts';

export const FORCE_AFTER_MS = 60_000;
export const RESEND_MS = 180_000;
const INBOX = `0x${'11'.repeat(20)}` as Hex;
const SEQUENCER_INBOX = `0x${'22'.repeat(20)}` as Hex;
const SEND = new Interface(['function sendTransaction(bytes transaction)']);
export const signal = AbortSignal.timeout(60_000);

export function own(nonce: bigint, text = `transaction ${nonce}`): OwnTransaction {
  const raw = toUtf8Bytes(text);
  return { raw, hash: keccak256(raw) as Hex, nonce };
}

/** A world of one account: its clock, its chain's nonces, the Inbox as derivation read it, and what was sent to L1. */
export function createWorld() {
  const kept = new Map<string, Uint8Array>();
  const world = {
    time: 1_000_000,
    safe: 0n,
    finalized: 0n,
    /** The state of the finalized head cannot be read. */
    forgotten: false,
    /** Messages in the Inbox; the first `read` of them are read by L2. */
    messages: [] as string[],
    baseFee: 100n,
    /** L1 takes nothing. */
    closed: false,
    /** Called before the own nonce is read, as derivation goes on. */
    meanwhile: () => {},
    read: 0n,
    sent: [] as string[],
    kept,
  };
  const start = () =>
    createForcing(
      {
        inbox: INBOX,
        sequencerInbox: SEQUENCER_INBOX,
        firstL1Block: 1n,
        forceAfterMs: FORCE_AFTER_MS,
        pollMs: 1_000,
        resendMs: RESEND_MS,
      },
      {
        sender: {
          async send({ to, data }: { to: Hex; data: Hex }) {
            if (world.closed) throw new NectarError('ROLLUP_L1_REFUSED', { method: 'eth_estimateGas', code: 3 });
            world.sent.push(to === INBOX ? String(SEND.decodeFunctionData('sendTransaction', data)[0]) : 'force');
          },
        } as never,
        l1: {
          async call(method: string) {
            if (method === 'eth_getLogs')
              return [{ blockNumber: '0x5', topics: ['0x', '0x', '0x', INBOX.padEnd(66, '0')] }];
            return { timestamp: '0x64' };
          },
        } as never,
        store: {
          cursor: async () =>
            ({ messageCount: BigInt(world.messages.length), messagesAllowed: world.read }) as L1Record,
          getMessage: async (index) =>
            ({ kind: MESSAGE_KINDS.transaction, data: world.messages[Number(index)] }) as MessageRecord,
        },
        records: {
          record: async (name) => kept.get(name),
          async putRecords(records) {
            for (const [name, bytes] of records) bytes === undefined ? kept.delete(name) : kept.set(name, bytes);
          },
        },
        nonceAt: async (head) => {
          if (head === 'finalized' && world.forgotten) throw new Error('no state there');
          const nonce = world[head];
          world.meanwhile();
          return nonce;
        },
        baseFeeWei: async () => world.baseFee,
        log: createLogger({ level: 'silent' }),
        now: () => world.time,
      },
    );
  return { world, start };
}

/** Derivation reads the newest message, and L2 takes nothing of it. */
export async function readInVain(
  world: ReturnType<typeof createWorld>['world'],
  tick: () => Promise<void>,
): Promise<void> {
  world.messages.push(world.sent.at(-1) ?? '');
  await tick();
  world.read = BigInt(world.messages.length);
  await tick();
}
