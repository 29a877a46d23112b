import { isNectarError, type NectarError } from '../../protocol/errors.ts';

/** How often a key file that did not open the node is looked at again. */
const TRY_EVERY_MS = 5_000;

/**
 * A key file may be mounted, or mended, while the node waits: then it opens the node, and why it does not is never the reason of the start.
 * Only key files are tried again: a program or a token may count attempts.
 */
export function createKeyFileRetry(of: {
  /** Why the node is not open; undefined once it is, or is stopped. */
  readonly unopened: () => NectarError | undefined;
  readonly open: () => Promise<void>;
  readonly failed: (error: NectarError) => void;
}): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const isDue = (): boolean => of.unopened()?.code.startsWith('KEY_FILE_') === true;
  const look = async (): Promise<void> => {
    if (!isDue()) return;
    try {
      await of.open();
    } catch (error) {
      if (isNectarError(error) && isDue()) of.failed(error);
    }
  };
  return {
    start() {
      timer = setInterval(() => void look(), TRY_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}
