import Type, { type Static } from 'typebox';
import { MembershipStanding } from './node-schemas.ts';
import { Instant, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: what an accredited auditor decides through its node, and an owner's appeal. */

const EXAMPLE_HASH = `0x${'5d'.repeat(32)}`;
const Evidence = Type.String({
  description: 'SHA-256 of what the decision rests on, 32 bytes of hex behind 0x.',
  pattern: '^0x[0-9a-f]{64}$',
  examples: [EXAMPLE_HASH],
});
const Peer = Type.String({ minLength: 1, maxLength: 128, description: 'Peer id of the node that is judged.' });
const Reason = Type.Union(
  [
    Type.Literal('harm'),
    Type.Literal('report'),
    Type.Literal('no-evidence'),
    Type.Literal('false-evidence'),
    Type.Literal('split-log'),
    Type.Literal('lost-data'),
    Type.Literal('other'),
  ],
  { description: 'Why; its number is on chain. `harm` puts a node out at once.' },
);

export const AuditorQueue = Type.Object(
  {
    account: Type.String({ description: 'Address of the operator account, which decides.' }),
    isAuditor: Type.Boolean({ description: 'Whether the registry lists that account as an auditor.' }),
    due: Type.Array(
      Type.Object(
        {
          peerId: Type.String(),
          nodeId: Type.String({ description: 'Of the entry.' }),
          owner: Type.String(),
          why: Type.Union([
            Type.Literal('application'),
            Type.Literal('appeal'),
            Type.Literal('lapsed'),
            Type.Literal('suspended'),
            Type.Literal('warned'),
            Type.Literal('attestation'),
          ]),
          at: Instant('Since when it waits, or when its attestation ends.'),
          standing: MembershipStanding,
        },
        strict,
      ),
    ),
  },
  { description: 'Who waits for an auditor, the oldest first.', ...strict },
);
export type AuditorQueue = Static<typeof AuditorQueue>;

export const AuditorDecision = Type.Union(
  [
    Type.Object(
      {
        verb: Type.Literal('attest'),
        peerId: Peer,
        evidence: Evidence,
        validUntil: Type.Integer({ description: 'End of the attestation, in seconds since 1970.', minimum: 1 }),
      },
      strict,
    ),
    Type.Object(
      {
        verb: Type.Union([Type.Literal('warn'), Type.Literal('suspend'), Type.Literal('eject')]),
        peerId: Peer,
        evidence: Evidence,
        reason: Reason,
      },
      strict,
    ),
    Type.Object({ verb: Type.Literal('readmit'), peerId: Peer, evidence: Evidence }, strict),
  ],
  { description: 'A decision about a node.' },
);
export type AuditorDecision = Static<typeof AuditorDecision>;

export const DecisionResult = Type.Object(
  {
    nodeId: Type.String({ description: 'Of the entry.' }),
    transaction: Type.String({ description: 'Hash of the transaction that decides.' }),
    isIncluded: Type.Boolean({ description: 'Whether the chain has it; false: no block came within a minute.' }),
  },
  { description: 'The decision.', ...strict },
);
export type DecisionResult = Static<typeof DecisionResult>;

export const AppealRequest = Type.Object({ evidence: Evidence }, { description: 'An appeal.', ...strict });
export type AppealRequest = Static<typeof AppealRequest>;
