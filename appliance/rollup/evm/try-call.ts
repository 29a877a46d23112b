import type { BlockHeader } from '@ethereumjs/block';
import { bigIntToBytes, generateAddress } from '@ethereumjs/util';
import type { MachineCallResult } from '../../../machine/host/call-results.ts';
import type { Wanted } from '../../../machine/host/calls.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { AccessListItem, CallOutcome, CallOverrides, CallRequest } from './call-request.ts';
import type { EvmMachine } from './evm-machine.ts';
import { haltWords, refusalWords } from './evm-words.ts';
import { MAX_FEE, toMachineAccount, toMachineBlock, toMachineCall } from './machine-call.ts';
import { renderTrace, wantedOf } from './trace/render-trace.ts';
import { assertWhole, type TraceConfig } from './trace/trace-config.ts';

/** What a call is tried on: the state after a block, in that block's context or in one that the overrides make of it. */
export interface CallState {
  readonly header: BlockHeader;
  readonly overrides?: CallOverrides | undefined;
  readonly evm: EvmMachine;
}

type Refused = CallOutcome & { readonly kind: 'refused' };

/** Runs `request` once and forgets it. */
function run(request: CallRequest, { header, overrides, evm }: CallState, wanted: Wanted = {}): MachineCallResult {
  const { block, state = [] } = overrides ?? {};
  const step = {
    call: toMachineCall(request),
    ...(block && { block: toMachineBlock(block) }),
    accounts: state.map(toMachineAccount),
  };
  const [result] = evm.machine.simulate(header.serialize(), [step], wanted);
  if (result === undefined) throw new TypeError('the machine gave no result of a call');
  return result;
}

function refusalOf(request: CallRequest): Refused | undefined {
  if (request.gasPrice <= MAX_FEE) return undefined;
  return { kind: 'refused', reason: 'max fee per gas is above 128 bits' };
}

function baseFeeOf({ baseFeePerGas }: BlockHeader, overrides: CallOverrides | undefined): bigint {
  return overrides?.block?.baseFeePerGas ?? baseFeePerGas ?? 0n;
}

function toOutcome(
  { outcome, gasUsed, output: returned, reason }: MachineCallResult,
  { from, gasPrice }: CallRequest,
  { header, overrides }: CallState,
): CallOutcome {
  switch (outcome) {
    case 'ok':
    case 'reverted':
      return { kind: outcome, gasUsed, returned };
    case 'failed':
      return { kind: 'failed', gasUsed, reason: haltWords(reason) };
    case 'refused':
      return {
        kind: 'refused',
        reason: refusalWords(reason, { from, gasPrice, baseFee: baseFeeOf(header, overrides) }),
      };
  }
}

export function tryCall(request: CallRequest, on: CallState): CallOutcome {
  return refusalOf(request) ?? toOutcome(run(request, on), request, on);
}

const MIN_GAS = 21_000n;
/** The estimate may be this much (in thousandths) above the least gas that works; each further halving costs a whole run. */
const ESTIMATE_SLACK_PER_MILLE = 15n;

/** Enough gas for the call, and not much more. */
export function estimate(
  request: CallRequest,
  on: CallState,
): CallOutcome | { readonly kind: 'estimated'; readonly gas: bigint } {
  const attempt = (gas: bigint): CallOutcome => tryCall({ ...request, gas }, on);
  const whole = attempt(request.gas);
  if (whole.kind !== 'ok') return whole;
  let tooLittle = whole.gasUsed - 1n;
  let enough = request.gas;
  // Most calls need what they used, plus what the 63/64 rule (EIP-150) and the call stipend withhold.
  let guess = ((whole.gasUsed + 2_300n) * 64n) / 63n;
  if (request.data === '0x' && whole.gasUsed === MIN_GAS) guess = MIN_GAS;
  while (tooLittle + 1n < enough && enough - tooLittle > (enough * ESTIMATE_SLACK_PER_MILLE) / 1000n) {
    const gas = guess > tooLittle && guess < enough ? guess : (tooLittle + enough) / 2n;
    if (attempt(gas).kind === 'ok') enough = gas;
    else tooLittle = gas;
    guess = (tooLittle + enough) / 2n;
  }
  return { kind: 'estimated', gas: enough };
}

const MAX_ACCESS_ROUNDS = 4;

export interface ListedAccesses {
  readonly kind: 'listed';
  readonly accessList: readonly AccessListItem[];
  readonly gasUsed: bigint;
  readonly error?: string;
}

/** The access list with which the call touches nothing that it does not name, and what it uses then. */
export function listAccesses(request: CallRequest, on: CallState): ListedAccesses | Refused {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return refusal;
  let { accessList } = request;
  for (let round = 0; ; round++) {
    const result = run({ ...request, accessList }, on, { touched: true });
    assertWhole(result, 'accounts and slots');
    const outcome = toOutcome(result, request, on);
    if (outcome.kind === 'refused') return outcome;
    const next = accessesOf(result, request, on);
    if (round + 1 >= MAX_ACCESS_ROUNDS || JSON.stringify(next) === JSON.stringify(accessList)) {
      const { gasUsed } = result;
      if (outcome.kind === 'ok') return { kind: 'listed', accessList: next, gasUsed };
      const error = outcome.kind === 'reverted' ? 'execution reverted' : outcome.reason;
      return { kind: 'listed', accessList: next, gasUsed, error };
    }
    accessList = next;
  }
}

/** What is warm anyway is named only for its slots. */
function accessesOf({ touched }: MachineCallResult, request: CallRequest, on: CallState): AccessListItem[] {
  const { header, overrides, evm } = on;
  const warm = new Set<Hex>([request.from, overrides?.block?.feeRecipient ?? bytesToHex(header.coinbase.bytes)]);
  const nonce = touched.find(({ address }) => address === request.from)?.before.nonce ?? 0n;
  warm.add(request.to ?? bytesToHex(generateAddress(hexToBytes(request.from), bigIntToBytes(nonce))));
  return touched
    .filter(({ address, slots }) => slots.length > 0 || !(warm.has(address) || isPrecompile(address, evm)))
    .map(({ address, slots }) => ({
      address,
      storageKeys: slots.map(({ slot }): Hex => `0x${slot.toString(16).padStart(64, '0')}`),
    }));
}

const LAST_PRECOMPILE = { cancun: 0x0an, prague: 0x11n, osaka: 0x11n } as const;
const P256_PRECOMPILE = 0x100n;

function isPrecompile(address: Hex, { machineRules: { fork, p256 } }: EvmMachine): boolean {
  const number = BigInt(address);
  if (number === P256_PRECOMPILE) return p256 || fork === 'osaka';
  return number > 0n && number <= LAST_PRECOMPILE[fork];
}

/** Runs `request` and tells what happened on the way. */
export function traceCall(
  request: CallRequest,
  on: CallState,
  trace: TraceConfig,
): Refused | { readonly kind: 'traced'; readonly trace: unknown } {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return refusal;
  const result = run(request, on, wantedOf(trace));
  const outcome = toOutcome(result, request, on);
  if (outcome.kind === 'refused') return outcome;
  const { from, to, gas, value, data } = request;
  return { kind: 'traced', trace: renderTrace(trace, { from, to, gas, value, input: data }, result) };
}
