// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MachineState, Read} from "./IStepVerifier.sol";

/// @dev Points of a move.
uint256 constant POINTS = 32;
/// @dev Levels of the Merkle tree over the points of a move.
uint256 constant POINT_LEVELS = 5;
/// @dev Rounds about iterations; the next round is the first about steps.
uint8 constant ITERATION_ROUNDS = 4;
/// @dev The round after which the opener proves.
uint8 constant LAST_ROUND = 12;

/// @notice One party of a challenge, as the Rollup knows it.
/// @param node the child that the party backs
/// @param stakeId the party's stake
/// @param owner the stake's owner, who is paid
/// @param signer the stake's signer, who signs and sends the party's messages
struct Party {
    bytes32 node;
    uint256 stakeId;
    address owner;
    address signer;
}

/// @notice Who challenges whom. The challenge's id is keccak256(abi.encode(block.chainid, challengeManager, parties)).
/// @param parent the node where the two paths part
/// @param opener O, who moves in odd rounds and proves at the end
/// @param responder R, who moves in even rounds
struct Parties {
    bytes32 parent;
    Party opener;
    Party responder;
}

/// @notice What a party signs, by EIP-712: Move(bytes32 challenge,uint8 round,uint8 choice,uint64 iteration,uint64 step,bytes32
/// prev,bytes32 start,bytes32 end,bytes32 root).
/// @param challenge the challenge's id
/// @param round 1 to LAST_ROUND
/// @param choice which point of `prev` is denied, 0 to 31; 0 in round 1
/// @param iteration how many iterations lie before `start`
/// @param step how many steps of that iteration lie before `start`; 0 up to the first round about steps
/// @param prev the EIP-712 digest of the message answered; 0 in round 1
/// @param start the state before the first point, agreed by both
/// @param end the last point
/// @param root root of the Merkle tree over the 32 points: a point is its own leaf, a node is keccak256 of its two children
struct Move {
    bytes32 challenge;
    uint8 round;
    uint8 choice;
    uint64 iteration;
    uint64 step;
    bytes32 prev;
    bytes32 start;
    bytes32 end;
    bytes32 root;
}

/// @notice The two points of a move at which its answer begins, with their paths to the move's root, the lowest sibling first.
/// @param before the point choice - 1, on which both agree; not looked at when choice is 0: then it is the move's start
/// @param beforePath its path
/// @param denied the point `choice`
/// @param deniedPath its path
struct Opening {
    bytes32 before;
    bytes32[POINT_LEVELS] beforePath;
    bytes32 denied;
    bytes32[POINT_LEVELS] deniedPath;
}

/// @notice An answer to a move, without what L1 computes by itself.
/// @param choice which point is denied, 0 to 31
/// @param opening the points around the choice
/// @param points the 32 points of the answer
struct Answer {
    uint8 choice;
    Opening opening;
    bytes32[POINTS] points;
}

/// @notice What the opener shows at the end.
/// @param choice which point of the last move is denied
/// @param opening the points around the choice
/// @param pre the state behind the point before it
/// @param post the state that follows in truth
/// @param read what the step asked for
/// @param preimage what `read` is an answer from, by its kind. No read: empty. Keccak: the preimage. Blob element: 192 bytes, namely
/// the versioned hash (32), the element's index (32), the element (32), the commitment (48) and the KZG proof (48). ecrecover: the
/// 128 bytes of its input
/// @param proof for the verifier
struct StepClaim {
    uint8 choice;
    Opening opening;
    MachineState pre;
    MachineState post;
    Read read;
    bytes preimage;
    bytes proof;
}

/// @notice Where a challenge stands.
enum ChallengeStatus {
    None,
    Open,
    OpenerWon,
    ResponderWon,
    Moot,
    Void
}

/// @notice A challenge on L1. Times are the freeze clock's, in seconds.
/// @param position EIP-712 digest of the newest move
/// @param since when it came
/// @param openerClockS what the opener has left
/// @param responderClockS what the responder has left
/// @param round of the newest move: odd, and it is the responder's turn; even, and it is the opener's
/// @param status Void reads as Open in storage, with an older epoch
/// @param epoch how often the timelock had voided challenges when this one was opened
/// @param openerCreditGwei what the opener's entries cost, to be refunded by the responder's stake
/// @param responderCreditGwei the reverse
struct Challenge {
    bytes32 position;
    uint64 since;
    uint32 openerClockS;
    uint32 responderClockS;
    uint8 round;
    ChallengeStatus status;
    uint32 epoch;
    uint40 openerCreditGwei;
    uint40 responderCreditGwei;
}
