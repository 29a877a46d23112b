/** Who asks, from where, in which request: goes into the audit log with every access. */
export interface AccessContext {
  readonly actor: { readonly subject: string; readonly tokenId?: string; readonly name?: string };
  readonly address?: string;
  readonly requestId: string;
}

/** The events that the gateway itself is the witness of; everything about records is appended by the store. */
export interface GatewayAuditEvent {
  readonly type:
    | 'auth.denied'
    | 'connection.refused'
    // Of a record that is not there: the store writes what happens to those that are.
    | 'record.read'
    | 'record.update'
    | 'record.delete'
    | 'record.export'
    | 'token.create'
    | 'token.list'
    | 'token.revoke'
    | 'token.restore'
    | 'client.authorities'
    | 'client.revocations'
    | 'key.unlock'
    | 'key.list'
    | 'key.rotate'
    | 'key.retire'
    | 'key.root'
    | 'key.enroll'
    | 'key.change'
    | 'key.remove'
    | 'key.resolve'
    | 'key.backup'
    | 'record.rewrap'
    | 'record.scrub'
    | 'network.join'
    | 'network.leave'
    | 'network.appeal'
    | 'auditor.decide'
    | 'chain.rewind'
    | 'chain.withdraw'
    | 'chain.claim'
    | 'chain.stake'
    | 'audit.verify'
    | 'hardening.report'
    | 'hardening.waive'
    | 'hardening.unwaive'
    | 'hardening.schedule'
    | 'backup.verify'
    | 'backup.schedule'
    | 'backup.prune'
    | 'notes.restore'
    | 'custody.begin'
    | 'custody.snapshot'
    | 'custody.read'
    | 'custody.remove'
    | 'custody.destroy'
    | 'node.backup'
    | 'node.restore'
    | 'node.log-level';
  readonly outcome: 'success' | 'failure';
  readonly context: AccessContext;
  readonly recordId?: string;
  readonly detail?: Record<string, string | number>;
}
