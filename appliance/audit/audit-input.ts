import type { KnownEventType } from './balp-codes.ts';

/** On whose behalf, from where: what the gateway knows of a request. Personal data: it goes into sealed bodies only. */
export interface AccessContext {
  readonly actor: { readonly subject: string; readonly tokenId?: string; readonly name?: string };
  readonly address?: string;
  readonly requestId: string;
}

/** Something that happened. `type` is one of the known ones, or a dotted word of a later version. */
export interface AuditInput {
  readonly type: KnownEventType | (string & {});
  readonly outcome: 'success' | 'failure';
  readonly context: AccessContext;
  readonly recordId?: string;
  /** Patients that the record's labels name. */
  readonly patients?: readonly string[];
  readonly version?: number;
  readonly detail?: Readonly<Record<string, string | number>>;
}
