import { type FrameReceiver, MAX_DATA_BYTES } from './frames.ts';
import { DEFAULT_MESSAGE_BYTES } from './method.ts';
import type { Route } from './route.ts';

const MAX_NAME_BYTES = 64;
/** Of the frame that ends an upload. */
const MAX_END_BYTES = 64;

/** Knows how far a request is, so that nothing is believed that is out of turn or too long for its operation. */
export interface RequestObserver extends FrameReceiver {
  /** From now on a call is expected. */
  begin(): void;
  /** Whether all of the request has arrived. */
  isWhole(): boolean;
}

export function createRequestObserver(routes: ReadonlyMap<string, Route>): RequestObserver {
  let awaited: 'call' | 'input' | 'body' | 'nothing' = 'call';
  let route: Route | undefined;
  return {
    begin() {
      awaited = 'call';
    },
    isWhole: () => awaited === 'nothing',
    maxBytes(type) {
      if (awaited === 'call' && type === 'call') return MAX_NAME_BYTES;
      if (awaited === 'input' && type === 'item') return route?.maxInputBytes ?? DEFAULT_MESSAGE_BYTES;
      if (awaited === 'body' && type === 'data') return MAX_DATA_BYTES;
      return awaited === 'body' && type === 'result' ? MAX_END_BYTES : 0;
    },
    take({ type, payload }) {
      if (type === 'call') {
        route = routes.get(Buffer.from(payload).toString('latin1'));
        awaited = 'input';
      } else if (type === 'item') awaited = route?.takesBody === true ? 'body' : 'nothing';
      else if (type === 'result') awaited = 'nothing';
    },
  };
}
