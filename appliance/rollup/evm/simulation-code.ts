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

/** The machine's reasons for not running a call, as this method's errors. */
const REFUSALS: readonly (readonly [RegExp, keyof typeof SIMULATION_CODE, string?])[] = [
  [/^block gas limit reached/, 'blockGas'],
  [/^nonce too low/, 'nonceLow'],
  [/^nonce too high/, 'nonceHigh'],
  [/lack of funds|overflow payment/, 'funds', 'insufficient funds for gas * price + value'],
  [/less than basefee/, 'baseFee', 'max fee per gas less than block base fee'],
  [/initcode/, 'initCode', 'max initcode size exceeded'],
];

export function refusalOf(reason: string): SimulationRefused {
  const [, want, have] = /^(?:call gas cost|gas floor) \((\d+)\) exceeds the gas limit \((\d+)\)/.exec(reason) ?? [];
  if (want !== undefined)
    return new SimulationRefused('intrinsicGas', `intrinsic gas too low: have ${have}, want ${want}`);
  const known = REFUSALS.find(([pattern]) => pattern.test(reason));
  return known === undefined
    ? new SimulationRefused('refused', reason)
    : new SimulationRefused(known[1], known[2] ?? reason);
}
