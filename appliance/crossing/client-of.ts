import { collect, once } from './collect.ts';
import type { Connection } from './connection.ts';
import type { Argument, Call, Calls, ClientOf, Contract } from './contract.ts';
import { isSpecial, methodOf } from './method-of.ts';
import { pumped } from './pumped.ts';

/** The calling half of a contract, over a connection. */
export function clientOf<C extends Calls>(connection: Connection, { name, calls }: Contract<C>): ClientOf<C> {
  const methods = Object.entries(calls).map(([key, call]) => [key, bind(connection, `${name}.${key}`, call)]);
  return Object.fromEntries(methods) as ClientOf<C>;
}

/** The arguments of one call, by what becomes of them. */
interface Given {
  readonly input: unknown[];
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  body?: AsyncIterable<Uint8Array>;
  onItem?: (item: unknown) => Promise<void> | void;
}

function bind(connection: Connection, name: string, call: Call): (...args: unknown[]) => unknown {
  const method = methodOf(name, call);
  const { args: stated, returns } = call;
  const given = (args: readonly unknown[]): Given => sorted(stated, args);
  switch (method.kind) {
    case 'unary':
      return (...args) => {
        const { input, ...options } = given(args);
        return connection.unary(method, input, options);
      };
    case 'upload':
      return (...args) => {
        const { input, body = once(new Uint8Array(0)), signal } = given(args);
        return connection.upload(method, input, body, signal);
      };
    case 'download':
      return async (...args) => {
        const { input, signal } = given(args);
        const { head, body } = await connection.download(method, input, signal);
        if (!('result' in returns)) return body;
        if (returns.result === 'opened') return { ...(head as object), body };
        if (returns.result !== 'found') return body;
        const bytes = await collect(body, returns.maxBytes, { service: 'the other side', operation: name });
        return (head as { found: boolean }).found ? bytes : undefined;
      };
    case 'feed':
      return (...args) => {
        const { input, signal = NEVER, onItem } = given(args);
        if (onItem !== undefined) return connection.feed(method, input, onItem, signal);
        return pumped((take, until) => connection.feed(method, input, take, until), signal);
      };
  }
}

const NEVER = new AbortController().signal;

function sorted(stated: readonly Argument[], args: readonly unknown[]): Given {
  const given: Given = { input: [] };
  for (const [index, argument] of stated.entries()) {
    const value = args[index];
    if (!isSpecial(argument)) given.input.push(value);
    else if (argument.arg === 'timeout') given.timeoutMs = value as number | undefined;
    else if (argument.arg === 'body') given.body = value as AsyncIterable<Uint8Array>;
    else if (argument.arg === 'piece') given.body = once(value as Uint8Array);
    else if (argument.arg === 'newest' || argument.arg === 'every')
      given.onItem = value as NonNullable<Given['onItem']>;
    else given.signal = value as AbortSignal | undefined;
  }
  // JSON has no undefined: what is absent at the end is left out.
  while (given.input.length > 0 && given.input.at(-1) === undefined) given.input.pop();
  return given;
}
