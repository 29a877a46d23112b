import type { Logger } from '../telemetry/index.ts';
import { now } from '../wiring.ts';

interface LifeLog {
  append(event: {
    readonly type: 'node.start' | 'node.stop';
    readonly outcome: 'success';
    readonly context: { readonly actor: { readonly subject: string }; readonly requestId: string };
    readonly detail: Readonly<Record<string, string>>;
  }): Promise<unknown>;
}

/** Puts on record that a role starts or stops. A role that cannot say so still runs: what is private needs its own record. */
export async function reportLife(
  type: 'node.start' | 'node.stop',
  life: { readonly role: string; readonly version: string; readonly startedEmpty?: string },
  { audit, log }: { readonly audit: LifeLog; readonly log: Logger },
): Promise<void> {
  const { role } = life;
  const context = { actor: { subject: `system:${role}` }, requestId: `${type}/${role}/${now()}` };
  await audit
    .append({ type, outcome: 'success', context, detail: { ...life } })
    .catch((error: unknown) => log.warn({ err: error, type }, 'an event is not in the audit log'));
}
