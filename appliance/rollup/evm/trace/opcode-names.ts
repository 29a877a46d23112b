/** The EVM's opcodes by the names that geth gives them. */

const NAMES: readonly (readonly [first: number, names: string])[] = [
  [0x00, 'STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND'],
  [0x10, 'LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CLZ'],
  [0x20, 'KECCAK256'],
  [0x30, 'ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY'],
  [0x38, 'CODESIZE CODECOPY GASPRICE EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH'],
  [0x40, 'BLOCKHASH COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBHASH BLOBBASEFEE'],
  [0x50, 'POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE MCOPY PUSH0'],
  [0xa0, 'LOG0 LOG1 LOG2 LOG3 LOG4'],
  [0xf0, 'CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2'],
  [0xfa, 'STATICCALL'],
  [0xfd, 'REVERT INVALID SELFDESTRUCT'],
];
/** PUSH1 to PUSH32, DUP1 to DUP16, SWAP1 to SWAP16. */
const COUNTED: readonly (readonly [first: number, count: number, name: string])[] = [
  [0x60, 32, 'PUSH'],
  [0x80, 16, 'DUP'],
  [0x90, 16, 'SWAP'],
];

const BY_CODE = new Map<number, string>([
  ...NAMES.flatMap(([first, names]) => names.split(' ').map((name, at) => [first + at, name] as const)),
  ...COUNTED.flatMap(([first, count, name]) =>
    Array.from({ length: count }, (_, at) => [first + at, `${name}${at + 1}`] as const),
  ),
]);

export function opcodeName(code: number): string {
  return BY_CODE.get(code) ?? `opcode 0x${code.toString(16)} not defined`;
}
