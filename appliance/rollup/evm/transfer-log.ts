import type { MachineCallResult, MachineFrame } from '../../../machine/host/call-results.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { ReceiptLog } from '../../../protocol/rollup/receipt.ts';

/** Whom transfers of ETH are attributed to, and what they look like: an ERC-20's `Transfer(address,address,uint256)`. */
const EMITTER: Hex = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';
const TRANSFER: Hex = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/**
 * DELEGATECALL moves nothing: the value that the code sees is that of the call it was borrowed in. CALLCODE pays the one who calls.
 */
function transferOf({ kind, from, to: target, value }: MachineFrame): readonly ReceiptLog[] {
  if (value === 0n || kind === 'DELEGATECALL') return [];
  const to = kind === 'CALLCODE' ? from : target;
  return [{ address: EMITTER, topics: [TRANSFER, word(BigInt(from)), word(BigInt(to))], data: word(value) }];
}

/** A transaction's logs in order, with a log for each transfer of ETH at its place. What a failed call did is undone. */
export function logsWithTransfers({ frames }: Pick<MachineCallResult, 'frames'>): readonly ReceiptLog[] {
  let at = 0;
  /** The logs of the frame at `at` and of those that it called, which follow it. */
  const read = (): readonly ReceiptLog[] => {
    const frame = frames[at];
    if (frame === undefined) return [];
    at += 1;
    const logs = [...transferOf(frame)];
    let taken = 0;
    const takeUntil = (calls: number): void => {
      for (let log = frame.logs[taken]; log !== undefined && log.position <= calls; log = frame.logs[++taken]) {
        const { position: _, ...own } = log;
        logs.push(own);
      }
    };
    for (let calls = 0; (frames[at]?.depth ?? 0) > frame.depth; calls++) {
      takeUntil(calls);
      logs.push(...read());
    }
    takeUntil(Number.POSITIVE_INFINITY);
    return frame.error === '' ? logs : [];
  };
  return read();
}
