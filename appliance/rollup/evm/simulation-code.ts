/** What eth_simulateV1 says of a simulation that the rules do not let run, and of a call that failed in it. */
export const SIMULATION_CODE = {
  refused: -32000,
  vm: -32015,
  reverted: 3,
  nonceLow: -38010,
  nonceHigh: -38011,
  baseFee: -38012,
  intrinsicGas: -38013,
  funds: -38014,
  blockGas: -38015,
  numberNotRising: -38020,
  timeNotRising: -38021,
  initCode: -38025,
  tooMuch: -38026,
} as const;
export type SimulationCode = (typeof SIMULATION_CODE)[keyof typeof SIMULATION_CODE];

/** Ends a simulation. It crosses no thread: the answer says what it says. */
export class SimulationRefused extends Error {
  readonly code: SimulationCode;

  constructor(what: keyof typeof SIMULATION_CODE, message: string) {
    super(message);
    this.code = SIMULATION_CODE[what];
  }
}
