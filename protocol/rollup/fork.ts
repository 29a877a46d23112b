/** The forks of Ethereum that a network may run; a parameter of its genesis. */
export const FORKS = ['cancun', 'prague', 'osaka'] as const;
export type Fork = (typeof FORKS)[number];

/** By which of Ethereum's rules a network runs from its first block on. */
export interface ForkRules {
  readonly fork: Fork;
  /** P-256 verification at 0x100 (RIP-7212, gas of EIP-7951) on a fork that does not have it anyway. */
  readonly p256: boolean;
}

/** What a new network runs: P-256 is what the smart cards of hospitals sign with. */
export const NEW_NETWORK_FORK: ForkRules = { fork: 'prague', p256: true };
