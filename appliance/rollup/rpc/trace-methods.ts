import type { Block } from '@ethereumjs/block';
import type { EvmCalls } from '../evm/evm-calls.ts';
import type { TracedTransaction } from '../evm/replay-block.ts';
import type { TraceConfig } from '../evm/trace/trace-config.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import { outcomeError, parseCall } from './call-methods.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { parseOverrides } from './override-params.ts';
import { parseHash, parseObject, parseQuantity, parseSelector } from './params.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

const MAX_LIMIT = 1_000_000_000n;

/** Parses an untrusted trace configuration; without a tracer it is the opcode logger, as in geth. */
function parseTraceConfig(value: unknown): TraceConfig {
  const { tracer, tracerConfig, enableMemory, disableStack, disableStorage, limit } = parseObject(
    value,
    'trace config',
  );
  const options = parseObject(tracerConfig, 'tracerConfig');
  switch (tracer ?? 'structLogger') {
    case '':
    case 'structLogger': {
      const steps = limit === undefined || limit === null ? 0n : parseQuantity(limit, 'limit');
      return {
        tracer: 'structLogger',
        enableMemory: enableMemory === true,
        disableStack: disableStack === true,
        disableStorage: disableStorage === true,
        limit: Number(steps > MAX_LIMIT ? MAX_LIMIT : steps),
      };
    }
    case 'callTracer':
      return { tracer: 'callTracer', onlyTopCall: options.onlyTopCall === true, withLog: options.withLog === true };
    case 'prestateTracer':
      if (options.disableCode === true || options.disableStorage === true)
        throw invalidParams('disableCode and disableStorage are not supported');
      return { tracer: 'prestateTracer', diffMode: options.diffMode === true };
    case 'noopTracer':
      return { tracer: 'noopTracer' };
    default:
      throw invalidParams('tracer not found: structLogger, callTracer, prestateTracer and noopTracer are there');
  }
}

/** What happened inside transactions and calls. Each costs the EVM's time again, out of the caller's budget. */
export function createTraceMethods(
  view: ChainView,
  { evm, database }: { readonly evm: EvmCalls; readonly database: Pick<ChainDatabase, 'transaction'> },
): RpcMethods {
  async function replay(
    { block, only }: { readonly block: Block; readonly only?: number },
    trace: TraceConfig,
    client: RpcContext,
  ): Promise<readonly TracedTransaction[]> {
    if (block.header.number === 0n) throw new RpcError(RPC_CODE.server, 'genesis is not traceable');
    const previous = await view.getStateHeader({ number: block.header.number - 1n });
    const task = { kind: 'replay', previous: previous.serialize(), block: block.serialize(), trace } as const;
    const answer = await evm.run({ ...task, ...(only !== undefined && { only }) }, client);
    if (answer.kind === 'replayed') return answer.traces;
    throw outcomeError(answer) ?? new TypeError(`a replay ended ${answer.kind}`);
  }

  async function traceBlock(selector: unknown, config: unknown, client: RpcContext) {
    const trace = parseTraceConfig(config);
    const block = await view.findBlock(parseSelector(selector));
    if (block === undefined) throw new RpcError(RPC_CODE.server, 'block not found');
    return replay({ block }, trace, client);
  }

  return {
    async debug_traceTransaction([value, config], client) {
      const trace = parseTraceConfig(config);
      const place = await database.transaction(parseHash(value));
      const block = place && (await view.findBlock({ number: place.blockNumber }));
      if (place === undefined || block === undefined) throw new RpcError(RPC_CODE.server, 'transaction not found');
      const [traced] = await replay({ block, only: place.index }, trace, client);
      return traced?.result;
    },
    debug_traceBlockByNumber: ([selector, config], client) => traceBlock(selector, config, client),
    debug_traceBlockByHash: ([hash, config], client) => traceBlock(parseHash(hash), config, client),
    async debug_traceCall([call, selector, config], client) {
      const trace = parseTraceConfig(config);
      const { stateOverrides, blockOverrides, txIndex } = parseObject(config, 'trace config');
      if (txIndex !== undefined && txIndex !== null) throw invalidParams('txIndex is not supported');
      const header = await view.getStateHeader(parseSelector(selector));
      const overrides = parseOverrides(stateOverrides, blockOverrides);
      const request = parseCall(call, header, overrides);
      const task = { kind: 'trace', request, header: header.serialize(), trace } as const;
      const answer = await evm.run({ ...task, ...(overrides && { overrides }) }, client);
      if (answer.kind === 'traced') return answer.trace;
      throw outcomeError(answer) ?? new TypeError(`a trace ended ${answer.kind}`);
    },
  };
}
