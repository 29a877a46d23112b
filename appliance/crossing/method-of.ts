import type { TSchema } from 'typebox';
import type { Argument, Call, Special, SpecialResult } from './contract.ts';
import { type Download, download, type Feed, feed, type Unary, type Upload, unary, upload } from './method.ts';
import { done, exact, flag, nothing, tuple } from './shape.ts';

type Any = TSchema;
/** How a call goes over a connection. */
export type Method = Unary<Any, Any> | Upload<Any, Any> | Download<Any, Any> | Feed<Any, Any, Any>;

/** The head of bytes that may be missing. */
const FOUND = exact({ found: flag });

export function isSpecial(argument: Argument): argument is Special {
  return 'arg' in argument;
}

function isSpecialResult(returns: Call['returns']): returns is SpecialResult {
  return 'result' in returns;
}

export function methodOf(name: string, { args, returns, ...bounds }: Call): Method {
  const crossing = args.filter((argument): argument is TSchema => !isSpecial(argument));
  const required = crossing.findLastIndex((schema) => !('~optional' in schema)) + 1;
  const { maxInputBytes, maxOutputBytes, timeoutMs } = bounds;
  const base = { name, input: tuple(crossing, required), maxInputBytes, maxOutputBytes };
  const special = args.filter(isSpecial);
  const told = special.find((argument) => 'item' in argument);
  if (isSpecialResult(returns)) {
    if (returns.result === 'items') return feed({ ...base, item: returns.item, output: done });
    return download({ ...base, head: returns.result === 'opened' ? returns.head : headOf(returns) });
  }
  if (told !== undefined) return feed({ ...base, item: told.item, output: returns });
  if (special.some(({ arg }) => arg === 'body' || arg === 'piece')) return upload({ ...base, output: returns });
  return unary({ ...base, output: returns, timeoutMs });
}

function headOf({ result }: SpecialResult): TSchema {
  return result === 'found' ? FOUND : nothing;
}
