import type { Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';

const DAY_MS = 86_400_000;
/** After a failure: the disk may have room again by then. */
const RETRY_MS = 3_600_000;

/** What runs out in a node that nobody restarts, and who makes it anew. */
export interface Renewable {
  /** For the log. */
  readonly name: string;
  isDue(now: number): Promise<boolean>;
  renew(now: number): Promise<void>;
}

export interface RenewalDependencies {
  readonly log: Logger;
  readonly now: () => number;
  /** Injected in tests. Calls once, after so many milliseconds; the result cancels. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
}

/** Looks at its start and every day whether something is near its end, and renews it. A failure is logged and tried again. */
export function createRenewal(renewables: readonly Renewable[], deps: RenewalDependencies): Service {
  const log = deps.log.child({ service: 'renewal' });
  const schedule = deps.schedule ?? scheduleByTimer;
  let cancel: (() => void) | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = true;

  async function look(): Promise<void> {
    let failed = false;
    for (const renewable of renewables) {
      try {
        if (!(await renewable.isDue(deps.now()))) continue;
        await renewable.renew(deps.now());
        log.info({ renewed: renewable.name }, 'certificate or token renewed');
      } catch (error) {
        failed = true;
        log.error({ renewable: renewable.name, err: error }, 'certificate or token not renewed');
      }
    }
    if (!stopped) cancel = schedule(again, failed ? RETRY_MS : DAY_MS);
  }

  function again(): void {
    looking = look();
  }

  return {
    name: 'renewal',
    async start() {
      stopped = false;
      looking = look();
      await looking;
    },
    async stop() {
      stopped = true;
      cancel?.();
      await looking;
    },
    readiness: () => ({ ready: true }),
  };
}

function scheduleByTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
