import { Interface } from 'ethers';

const PARTY = 'tuple(bytes32 node, uint256 stakeId, address owner, address signer)';
const PARTIES = `tuple(bytes32 parent, ${PARTY} opener, ${PARTY} responder) parties`;
const MOVE =
  'tuple(bytes32 challenge, uint8 round, uint8 choice, uint64 iteration, uint64 step, bytes32 prev, bytes32 start, bytes32 end, bytes32 root)';
const OPENING = 'tuple(bytes32 before, bytes32[5] beforePath, bytes32 denied, bytes32[5] deniedPath) opening';
const ANSWER = `tuple(uint8 choice, ${OPENING}, bytes32[32] points) reply`;
const STATE = 'tuple(bytes32 core, bytes32 input, bytes32 output, uint8 flag)';
const READ = 'tuple(uint32 kind, bytes32 key, uint32 offset, bytes16 data, uint32 length)';
const CLAIM = `tuple(uint8 choice, ${OPENING}, ${STATE} pre, ${STATE} post, ${READ} read, bytes preimage, bytes proof) claim`;
const GLOBAL = 'tuple(bytes32 blockHash, bytes32 sendRoot, uint64 batch, uint64 offset) g';
const RECORD =
  'tuple(bytes32 position, uint64 since, uint32 openerClockS, uint32 responderClockS, uint8 round, uint8 status, uint32 epoch, uint40 openerCreditGwei, uint40 responderCreditGwei)';

/** The ChallengeManager as a party calls it: contracts/src/l1/dispute/IChallengeManager.sol. */
export const CHALLENGE_MANAGER = new Interface([
  `function open(${PARTIES}, bytes32[32] points)`,
  `function answer(${PARTIES}, ${MOVE} prev, bytes signature, ${ANSWER})`,
  `function answerBySteps(${PARTIES}, ${MOVE} prev, bytes signature, ${ANSWER}, ${GLOBAL}, ${STATE} end)`,
  `function settle(${PARTIES}, ${MOVE} last, bytes signature, ${CLAIM})`,
  `function timeout(${PARTIES})`,
  `function refund(${PARTIES})`,
  'function refundsOf(uint256 stakeId) view returns (uint128 entriesWei, uint128 refundWei)',
  `function challengeOf(bytes32 challenge) view returns (${RECORD})`,
  `event Moved(bytes32 indexed challenge, uint8 indexed round, ${MOVE} move, bytes32[32] points)`,
]);

/** ChallengeStatus of DisputeTypes.sol. */
export const CHALLENGE_STATUS = { none: 0n, open: 1n, void: 5n } as const;
