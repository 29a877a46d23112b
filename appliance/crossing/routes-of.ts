import { collect, once } from './collect.ts';
import type { Argument, Call, Calls, Contract, ServerOf } from './contract.ts';
import { isSpecial, methodOf } from './method-of.ts';
import { createProgress } from './progress.ts';
import { callerOf, downloadRoute, feedRoute, type Route, unaryRoute, uploadRoute } from './route.ts';

/** The serving half of a contract: what `server`, such as the service itself, does for each call. */
export function routesOf<C extends Calls>({ name, calls }: Contract<C>, server: ServerOf<C>): Route[] {
  const served = server as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  return Object.entries(calls).map(([key, call]) => routeOf(`${name}.${key}`, call, (args) => served[key]?.(...args)));
}

/** What the arguments of a call are made from. */
interface Coming {
  readonly input: readonly unknown[];
  readonly signal: AbortSignal;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array;
  readonly onItem?: (item: unknown) => unknown;
}

function routeOf(name: string, call: Call, serve: (args: unknown[]) => unknown): Route {
  const method = methodOf(name, call);
  const { args: stated, returns, freesPieces } = call;
  const ask = (coming: Coming): unknown => serve(inOrder(stated, coming));
  switch (method.kind) {
    case 'unary':
      return unaryRoute(method, (input, signal) => ask({ input: input as unknown[], signal }));
    case 'upload': {
      const whole = stated.find((argument) => isSpecial(argument) && argument.arg === 'piece');
      if (whole === undefined || !isSpecial(whole) || whole.arg !== 'piece')
        return uploadRoute(method, async (input, body, signal) => ask({ input: input as unknown[], body, signal }), {
          freesPieces,
        });
      return uploadRoute(method, async (input, pieces, signal) => {
        const body = await collect(pieces, whole.maxBytes, callerOf(name));
        try {
          return await ask({ input: input as unknown[], body, signal });
        } finally {
          if (whole.isSecret) body.fill(0);
        }
      });
    }
    case 'download':
      return downloadRoute(
        method,
        async (input, signal) => answered(returns, await ask({ input: input as unknown[], signal })),
        { freesPieces },
      );
    case 'feed':
      return feedRoute(method, async (input, send, signal) => {
        const coming = { input: input as unknown[], signal };
        if ('result' in returns) {
          for await (const item of ask(coming) as AsyncIterable<unknown>) await send(item);
          return undefined;
        }
        if (stated.some((argument) => isSpecial(argument) && argument.arg === 'every'))
          return ask({ ...coming, onItem: send });
        const progress = createProgress(send);
        const result = await ask({ ...coming, onItem: progress.tell });
        await progress.settled();
        return result;
      });
  }
}

function inOrder(stated: readonly Argument[], { input, signal, body, onItem }: Coming): unknown[] {
  const args: unknown[] = [];
  let next = 0;
  for (const argument of stated) {
    if (!isSpecial(argument)) args.push(input[next++]);
    else if (argument.arg === 'body' || argument.arg === 'piece') args.push(body);
    else if (argument.arg === 'newest' || argument.arg === 'every') args.push(onItem);
    else if (argument.arg !== 'timeout') args.push(signal);
  }
  return args;
}

interface Answered {
  readonly head: unknown;
  readonly body: AsyncIterable<Uint8Array>;
}

async function answered(returns: Call['returns'], answer: unknown): Promise<Answered> {
  if (!('result' in returns) || returns.result === 'stream')
    return { head: null, body: await begun(answer as AsyncIterable<Uint8Array>) };
  if (returns.result === 'opened') {
    const { body, ...head } = answer as { body: AsyncIterable<Uint8Array> };
    return { head, body };
  }
  const bytes = answer as Uint8Array | undefined;
  return { head: { found: bytes !== undefined }, body: once(bytes ?? new Uint8Array(0)) };
}

/** A body whose first piece is there: what goes wrong before it is an answer of its own, not a broken stream. */
async function begun(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await pieces.next()) yield next.value;
    } finally {
      await pieces.return?.();
    }
  })();
}
