import { NectarError } from '../../../protocol/errors.ts';
import type { ProviderHost } from '../provider.ts';
import type { ToolCall } from '../run-tool.ts';

/** What a program of the machine printed. @throws NectarError KEY_TOOL_FAILED, KEY_PROVIDER_UNSUPPORTED */
export async function callTool(provider: string, call: ToolCall, { run }: ProviderHost): Promise<Uint8Array> {
  if (run === undefined) throw new NectarError('KEY_PROVIDER_UNSUPPORTED', { provider });
  const result = await run(call);
  if (result.ended === 'well') return result.output;
  const [program = ''] = call.argv;
  throw new NectarError('KEY_TOOL_FAILED', { provider, program, reason: result.reason, said: result.said });
}
