// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {NothingDenied, OtherChallenge, RoundWrong, SignatureInvalid} from "./DisputeErrors.sol";
import {Answer, ITERATION_ROUNDS, LAST_ROUND, Move, Parties, Party, POINTS} from "./DisputeTypes.sol";
import {Points} from "./Points.sol";

/// @title Moves: the messages of a challenge, their digests and signatures, and what follows from them
/// @notice What L1 can compute of an answer it computes, so that an accepted move is valid or begins at a message that its victim
/// signed.
abstract contract Moves is EIP712 {
    bytes32 private constant MOVE_TYPEHASH = keccak256(
        "Move(bytes32 challenge,uint8 round,uint8 choice,uint64 iteration,uint64 step,bytes32 prev,bytes32 start,bytes32 end,bytes32 root)"
    );
    bytes32 private constant CONCEDE_TYPEHASH = keccak256("Concede(bytes32 challenge)");

    constructor() EIP712("Nectar ChallengeManager", "1") {}

    function _challengeId(Parties calldata parties) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), parties));
    }

    function _digest(Move memory move_) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(MOVE_TYPEHASH, move_)));
    }

    function _concessionDigest(bytes32 challenge) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CONCEDE_TYPEHASH, challenge)));
    }

    /// @dev Who makes the move of a round.
    function _moverOf(Parties calldata parties, uint8 round) internal pure returns (Party calldata) {
        return round % 2 == 1 ? parties.opener : parties.responder;
    }

    /// @dev Low s alone: OpenZeppelin refuses the other.
    function _requireSigned(bytes32 digest, bytes calldata signature, address signer) internal pure {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem != ECDSA.RecoverError.NoError || recovered != signer) revert SignatureInvalid(digest, signer);
    }

    /// @dev The first move; it answers nothing.
    function _firstMove(bytes32 challenge, bytes32 start, bytes32[POINTS] calldata points)
        internal
        pure
        returns (Move memory next)
    {
        next.challenge = challenge;
        next.round = 1;
        next.start = start;
        next.end = points[POINTS - 1];
        next.root = Points.rootOf(points);
    }

    /// @dev The move that an answer is. Its start is the agreed point before the choice; that of round 5 is the caller's to replace.
    function _moveAfter(bytes32 challenge, Move calldata prev, Answer calldata reply)
        internal
        view
        returns (Move memory next, bytes32 denied)
    {
        if (prev.challenge != challenge) revert OtherChallenge(prev.challenge, challenge);
        if (prev.round == 0 || prev.round >= LAST_ROUND) revert RoundWrong(prev.round);
        (next.start, denied) = Points.open(prev, reply.choice, reply.opening);
        next.challenge = challenge;
        next.round = prev.round + 1;
        next.choice = reply.choice;
        uint64 distance = reply.choice * _width(prev.round);
        bool isOfIterations = prev.round <= ITERATION_ROUNDS;
        next.iteration = isOfIterations ? prev.iteration + distance : prev.iteration;
        next.step = isOfIterations ? 0 : prev.step + distance;
        next.prev = _digest(prev);
        next.end = reply.points[POINTS - 1];
        next.root = Points.rootOf(reply.points);
    }

    function _requireDenied(bytes32 end, bytes32 denied) internal pure {
        if (end == denied) revert NothingDenied(denied);
    }

    /// @dev From one point of a round to the next: in iterations, later in steps. POINTS is 2^5.
    function _width(uint8 round) private pure returns (uint64) {
        uint8 end = round <= ITERATION_ROUNDS ? ITERATION_ROUNDS : LAST_ROUND;
        return uint64(1) << (5 * (end - round));
    }
}
