/** How far sealing every record under new keys has come. */
export interface RekeyState {
  /** `failed`: it stopped at an error; `incomplete`: it went through, but some versions could not be sealed anew. */
  readonly state: 'running' | 'paused' | 'failed' | 'incomplete' | 'done';
  /** The KEK that was made for it. */
  readonly target: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** How much of its time it works, in percent; it rests for the others. */
  readonly load: number;
  /** Versions. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Of plaintext, sealed anew since the start of this process. */
  readonly bytes: number;
  /** Code of the error that stopped it. */
  readonly reason?: string;
}

export interface RekeyPlan {
  /** A KEK that is current now: begins. Undefined: goes on with the one that stopped. */
  readonly target?: string;
  /** 1 to 100. */
  readonly load: number;
}
