// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GlobalState} from "../RollupTypes.sol";
import {Answer, Challenge, Move, Parties, POINTS, StepClaim} from "./DisputeTypes.sol";
import {IStepVerifier, MachineState} from "./IStepVerifier.sol";

/// @title What L1 decides of a dispute between two stakers
/// @notice State table, gas and reasons: docs/design/0034-challenges.md. EIP-712 domain: name "Nectar ChallengeManager", version
/// "1". A signature is 65 bytes, r s v, with low s; it is empty where the move given is the one that L1 holds.
interface IChallengeManager {
    /// @notice A challenge has a record on L1, for the first time or again after it was void.
    event ChallengeOpened(
        bytes32 indexed challenge, uint256 indexed openerStake, uint256 indexed responderStake, Parties parties
    );
    /// @notice A move is the position of the challenge now. Its digest is the challenge's `position`.
    event Moved(bytes32 indexed challenge, uint8 indexed round, Move move, bytes32[POINTS] points);
    /// @notice One party won; the other's stake is eliminated.
    event ChallengeWon(bytes32 indexed challenge, uint256 indexed winnerStake, uint256 indexed loserStake);
    /// @notice The challenge has no object any more: a party's stake is gone.
    event ChallengeMoot(bytes32 indexed challenge);
    /// @notice Entries of a stake against one that lost elsewhere were refunded, to be claimed from the Rollup.
    event EntriesRefunded(
        bytes32 indexed challenge, uint256 indexed toStake, uint256 indexed loserStake, uint256 amountWei
    );
    /// @notice All open challenges are void. Those under nodes with a config up to `configId` are decided by `verifier` from now on.
    event ChallengesVoided(uint32 indexed epoch, uint32 indexed configId, IStepVerifier verifier);

    /// @notice Opens a challenge by round 1. By the opener's signer.
    /// @param parties who challenges whom
    /// @param points the 32 points; the last is the state hash of the opener's node
    function open(Parties calldata parties, bytes32[POINTS] calldata points) external;

    /// @notice Answers the position on L1, or a higher message that the other signed, which may also open the challenge. By the
    /// signer of the party whose round follows `prev`. Every round but 1 and 5.
    /// @param parties who challenges whom
    /// @param prev the message answered
    /// @param signature the other's on `prev`; empty when `prev` is the position on L1
    /// @param reply the answer
    function answer(Parties calldata parties, Move calldata prev, bytes calldata signature, Answer calldata reply)
        external;

    /// @notice The same for round 5, the first about steps: from the iteration that starts at `g` to a state of the machine.
    /// @param parties who challenges whom
    /// @param prev the message answered, of round 4
    /// @param signature the other's on `prev`; empty when `prev` is the position on L1
    /// @param reply the answer; its last point is the hash of `end`
    /// @param g the state behind the agreed point before the choice
    /// @param end the machine's last state, whose result is not the point denied
    function answerBySteps(
        Parties calldata parties,
        Move calldata prev,
        bytes calldata signature,
        Answer calldata reply,
        GlobalState calldata g,
        MachineState calldata end
    ) external;

    /// @notice Ends the challenge by one proven step. By the opener's signer.
    /// @param parties who challenges whom
    /// @param last the responder's move of the last round
    /// @param signature the responder's on `last`; empty when `last` is the position on L1
    /// @param claim the step
    function settle(Parties calldata parties, Move calldata last, bytes calldata signature, StepClaim calldata claim)
        external;

    /// @notice Ends the challenge when the clock of the party whose turn it is has run out. Anyone may call it.
    /// @param parties who challenges whom
    function timeout(Parties calldata parties) external;

    /// @notice Ends the challenge by the loser's signed concession, Concede(bytes32 challenge). Anyone may call it.
    /// @param parties who challenges whom
    /// @param byOpener whether the opener concedes
    /// @param signature the loser's
    function concede(Parties calldata parties, bool byOpener, bytes calldata signature) external;

    /// @notice Closes a challenge one of whose stakes is gone. Anyone may call it; nothing depends on it.
    /// @param parties who challenges whom
    function closeMoot(Parties calldata parties) external;

    /// @notice Refunds the entries of the party whose opponent lost its stake in another challenge: in full, or in proportion to
    /// all entries against that stake. Those of a winner are refunded when it wins. Anyone may call it, once.
    /// @param parties who challenges whom
    function refund(Parties calldata parties) external;

    /// @notice Voids all open challenges, and has a new verifier decide those under the configs so far. By the timelock.
    /// @param verifier the new one, not zero
    function voidAll(IStepVerifier verifier) external;

    /// @notice keccak256(abi.encode(block.chainid, this, parties)).
    /// @param parties who challenges whom
    function challengeIdOf(Parties calldata parties) external view returns (bytes32);

    /// @notice A challenge by its id; all zero without a record.
    /// @param challenge the challenge's id
    function challengeOf(bytes32 challenge) external view returns (Challenge memory);

    /// @notice The EIP-712 digest of a move, by which others name it.
    /// @param move_ the move
    function digestOf(Move calldata move_) external view returns (bytes32);

    /// @notice The EIP-712 digest of a concession.
    /// @param challenge the challenge's id
    function concessionDigestOf(bytes32 challenge) external view returns (bytes32);

    /// @notice Who checks a step in challenges about children of a node.
    /// @param parent the node
    function verifierOf(bytes32 parent) external view returns (IStepVerifier);
}
