import type { Hex } from '../../../protocol/brand.ts';
import type { Assertion, AssertionStatus, GlobalState } from './assertion.ts';
import type { AssertionEvent } from './rollup-logs.ts';

/** The assertions that still matter: the latest confirmed one and all that is not behind it. */
export interface AssertionBook {
  readonly assertions: ReadonlyMap<Hex, Assertion>;
  /** Undefined until the Rollup has been seen on L1. */
  readonly latestConfirmed: Hex | undefined;
}

export const EMPTY_BOOK: AssertionBook = { assertions: new Map(), latestConfirmed: undefined };

/** The Rollup begins with the genesis, confirmed, without a NodeCreated. Its children go to the first batch. */
const FIRST_TARGET = 1n;

/** The book after an event. The events are verified and the contract orders them: what does not fit is from before the book began. */
export function applyEvent(
  book: AssertionBook,
  event: AssertionEvent,
  at: { readonly l1Number: bigint; readonly genesis: GlobalState },
): AssertionBook {
  const { l1Number } = at;
  const assertions = new Map(book.assertions);
  if (event.kind === 'created') {
    const { kind: _, ...assertion } = event;
    assertions.set(event.nodeId, { ...assertion, l1Number, status: 'live' });
    return { ...book, assertions };
  }
  const known = assertions.get(event.nodeId) ?? genesisNode(book, event.nodeId, at);
  if (known === undefined) return book;
  const status: AssertionStatus = event.kind === 'confirmed' ? 'confirmed' : 'dead';
  assertions.set(event.nodeId, { ...known, status });
  if (status === 'dead') return { ...book, assertions };
  return { assertions: withoutPassed(assertions, event.nodeId), latestConfirmed: event.nodeId };
}

function genesisNode(
  book: AssertionBook,
  nodeId: Hex,
  { l1Number, genesis }: { readonly l1Number: bigint; readonly genesis: GlobalState },
): Assertion | undefined {
  if (book.latestConfirmed !== undefined) return undefined;
  const parent: Hex = `0x${'00'.repeat(32)}`;
  return { nodeId, parent, state: genesis, target: FIRST_TARGET, stakeId: 0n, l1Number, status: 'confirmed' };
}

/** What lies behind the latest confirmed assertion, or beside it, can never be confirmed any more. */
function withoutPassed(assertions: ReadonlyMap<Hex, Assertion>, latest: Hex): Map<Hex, Assertion> {
  const kept = new Map<Hex, Assertion>();
  const isReached = (node: Assertion | undefined): boolean =>
    node !== undefined && (node.nodeId === latest || isReached(assertions.get(node.parent)));
  for (const [nodeId, node] of assertions) if (isReached(node)) kept.set(nodeId, node);
  return kept;
}

/** The living children of an assertion. */
export function childrenOf(book: AssertionBook, parent: Hex): readonly Assertion[] {
  return [...book.assertions.values()].filter((node) => node.parent === parent && node.status === 'live');
}
