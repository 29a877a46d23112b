// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NotTimelock, ZeroAddress} from "../Errors.sol";
import {GlobalState} from "../RollupTypes.sol";
import {
    ChallengeClosed,
    ChallengeExists,
    ChallengeNotOpen,
    ClockOut,
    ClockRuns,
    EndWrong,
    NotSigner,
    OtherChallenge,
    PartiesLive,
    ProofRefused,
    RoundTooLow,
    RoundWrong
} from "./DisputeErrors.sol";
import {
    Answer,
    Challenge,
    ChallengeStatus,
    ITERATION_ROUNDS,
    LAST_ROUND,
    Move,
    Parties,
    Party,
    POINTS,
    StepClaim
} from "./DisputeTypes.sol";
import {Entries} from "./Entries.sol";
import {IChallengeManager} from "./IChallengeManager.sol";
import {IDisputedRollup} from "./IDisputedRollup.sol";
import {IStepVerifier, MachineState} from "./IStepVerifier.sol";
import {Moves} from "./Moves.sol";
import {Points} from "./Points.sol";
import {Preimages} from "./Preimages.sol";
import {Subjects} from "./Subjects.sol";

/// @title ChallengeManager: who wins a dispute between two stakers
/// @notice The parties dissect off chain; a party whose opponent is silent goes on here. Only the opener proves, and only that a point
/// of the responder is false; all else is decided by clocks. State table and reasons: docs/design/0034-challenges.md.
/// @dev The caller gives the parties with each call; a record lies under the id that they hash to, so they are checked against the
/// Rollup once. The Rollup and the verifier are the network's own contracts; no other is called.
contract ChallengeManager is Moves, Entries {
    /// @notice What each party has for all its moves, in seconds.
    uint32 public constant CLOCK_S = 302_400;
    /// @notice What a party has at least when its turn begins, in seconds.
    uint32 public constant ENTRY_S = 10_800;
    /// @notice The same after the last round about iterations: the opener traces an iteration for the first time. In seconds.
    uint32 public constant TRACE_ENTRY_S = 21_600;

    /// @notice Who may void challenges.
    address public immutable timelock;
    /// @notice How often challenges were voided.
    uint32 public epoch;

    mapping(bytes32 challenge => Challenge) private _challenges;

    /// @param rollup_ the Rollup, not zero
    /// @param timelock_ the timelock, not zero
    constructor(IDisputedRollup rollup_, address timelock_) Subjects(rollup_) {
        if (timelock_ == address(0)) revert ZeroAddress();
        timelock = timelock_;
    }

    /// @inheritdoc IChallengeManager
    function open(Parties calldata parties, bytes32[POINTS] calldata points) external {
        _requireSender(parties.opener.signer);
        bytes32 id = _challengeId(parties);
        Challenge storage record = _challenges[id];
        if (_isOpen(record)) revert ChallengeExists(id);
        bytes32 end = rollup.stateHashOf(parties.opener.node);
        if (points[POINTS - 1] != end) revert EndWrong(points[POINTS - 1], end);
        uint64 time = _time();
        _begin(id, record, parties);
        _enter(record, _firstMove(id, rollup.stateHashOf(parties.parent), points), points, time);
        _credit(record, parties, true, OPEN_GAS);
    }

    /// @inheritdoc IChallengeManager
    function answer(Parties calldata parties, Move calldata prev, bytes calldata signature, Answer calldata reply)
        external
    {
        if (prev.round == ITERATION_ROUNDS) revert RoundWrong(prev.round);
        (Move memory next, bytes32 denied) = _moveAfter(_challengeId(parties), prev, reply);
        _requireDenied(next.end, denied);
        _reply(parties, prev, signature, next, reply.points);
    }

    /// @inheritdoc IChallengeManager
    function answerBySteps(
        Parties calldata parties,
        Move calldata prev,
        bytes calldata signature,
        Answer calldata reply,
        GlobalState calldata g,
        MachineState calldata end
    ) external {
        if (prev.round != ITERATION_ROUNDS) revert RoundWrong(prev.round);
        (Move memory next, bytes32 denied) = _moveAfter(_challengeId(parties), prev, reply);
        bytes32 input;
        (next.start, input) = _firstState(parties.parent, next.start, g);
        next.step = 0;
        _requireDenied(_resultOf(g, input, end, next.end), denied);
        _reply(parties, prev, signature, next, reply.points);
    }

    /// @inheritdoc IChallengeManager
    function settle(Parties calldata parties, Move calldata last, bytes calldata signature, StepClaim calldata claim)
        external
    {
        _requireSender(parties.opener.signer);
        bytes32 id = _challengeId(parties);
        if (last.challenge != id) revert OtherChallenge(last.challenge, id);
        if (last.round != LAST_ROUND) revert RoundWrong(last.round);
        Challenge storage record = _challenges[id];
        uint64 time = _time();
        _requirePlayable(id, record, parties);
        bytes32 digest = _digest(last);
        bool isStored = _isOpen(record) && record.position == digest;
        if (!isStored) _requireSigned(digest, signature, parties.responder.signer);
        if (_isOpen(record) && record.round % 2 == 0) _charge(id, record, time);
        uint256 proofGas = _prove(parties.parent, last, claim);
        _credit(record, parties, true, SETTLE_GAS + proofGas);
        _close(id, record, parties, true);
    }

    /// @inheritdoc IChallengeManager
    function timeout(Parties calldata parties) external {
        bytes32 id = _challengeId(parties);
        Challenge storage record = _openRecord(id);
        uint64 time = _time();
        _requireLive(id, parties);
        bool isOpenersTurn = record.round % 2 == 0;
        uint64 clockS = isOpenersTurn ? record.openerClockS : record.responderClockS;
        uint64 elapsedS = time - record.since;
        if (elapsedS < clockS) revert ClockRuns(id, clockS - elapsedS);
        _close(id, record, parties, !isOpenersTurn);
    }

    /// @inheritdoc IChallengeManager
    function concede(Parties calldata parties, bool byOpener, bytes calldata signature) external {
        bytes32 id = _challengeId(parties);
        Challenge storage record = _challenges[id];
        _time();
        _requirePlayable(id, record, parties);
        Party calldata loser = byOpener ? parties.opener : parties.responder;
        _requireSigned(_concessionDigest(id), signature, loser.signer);
        _close(id, record, parties, !byOpener);
    }

    /// @inheritdoc IChallengeManager
    function closeMoot(Parties calldata parties) external {
        bytes32 id = _challengeId(parties);
        Challenge storage record = _openRecord(id);
        if (rollup.areLive(parties.opener.stakeId, parties.responder.stakeId)) revert PartiesLive(id);
        record.status = ChallengeStatus.Moot;
        emit ChallengeMoot(id);
    }

    /// @inheritdoc IChallengeManager
    function refund(Parties calldata parties) external {
        bytes32 id = _challengeId(parties);
        _refundBoth(id, _challenges[id], parties);
    }

    /// @inheritdoc IChallengeManager
    function voidAll(IStepVerifier verifier) external {
        if (msg.sender != timelock) revert NotTimelock(msg.sender);
        if (address(verifier) == address(0)) revert ZeroAddress();
        uint32 configId = systemConfig.latestConfigId();
        epoch++;
        (_replacedConfigs, _replacement) = (configId + 1, verifier);
        emit ChallengesVoided(epoch, configId, verifier);
    }

    /// @inheritdoc IChallengeManager
    function challengeIdOf(Parties calldata parties) external view returns (bytes32) {
        return _challengeId(parties);
    }

    /// @inheritdoc IChallengeManager
    function challengeOf(bytes32 challenge) external view returns (Challenge memory record) {
        record = _challenges[challenge];
        bool isVoid = record.status == ChallengeStatus.Open && record.epoch != epoch;
        if (isVoid) record.status = ChallengeStatus.Void;
    }

    /// @inheritdoc IChallengeManager
    function digestOf(Move calldata move_) external view returns (bytes32) {
        return _digest(move_);
    }

    /// @inheritdoc IChallengeManager
    function concessionDigestOf(bytes32 challenge) external view returns (bytes32) {
        return _concessionDigest(challenge);
    }

    /// @inheritdoc IChallengeManager
    function verifierOf(bytes32 parent) external view returns (IStepVerifier) {
        return _rulesOf(parent).verifier;
    }

    /// @dev An answer takes its place: on the position, or on a higher message that the other signed, with or without a record.
    function _reply(
        Parties calldata parties,
        Move calldata prev,
        bytes calldata signature,
        Move memory next,
        bytes32[POINTS] calldata points
    ) private {
        _requireSender(_moverOf(parties, next.round).signer);
        bytes32 id = next.challenge;
        Challenge storage record = _challenges[id];
        uint64 time = _time();
        bool wasOpen = _isOpen(record);
        bool isStored = wasOpen && record.position == next.prev;
        if (!isStored) {
            if (wasOpen && prev.round <= record.round) revert RoundTooLow(prev.round, record.round);
            _requireSigned(next.prev, signature, _moverOf(parties, prev.round).signer);
        }
        if (wasOpen) {
            _requireLive(id, parties);
            _charge(id, record, time);
        } else {
            _begin(id, record, parties);
        }
        _enter(record, next, points, time);
        uint256 gasUsed = isStored ? ANSWER_GAS : JUMP_GAS;
        if (next.round == ITERATION_ROUNDS + 1) gasUsed = STEPS_GAS;
        if (!wasOpen) gasUsed = OPEN_GAS;
        _credit(record, parties, next.round % 2 == 1, gasUsed);
    }

    /// @dev A record for the first time, or again after a void; what was owed for entries before stays owed.
    function _begin(bytes32 id, Challenge storage record, Parties calldata parties) private {
        _requireUndecided(id, record);
        _requireRivals(parties);
        record.status = ChallengeStatus.Open;
        record.epoch = epoch;
        (record.openerClockS, record.responderClockS) = (CLOCK_S, CLOCK_S);
        emit ChallengeOpened(id, parties.opener.stakeId, parties.responder.stakeId, parties);
    }

    /// @dev The turn is the other's, who has at least E.
    function _enter(Challenge storage record, Move memory next, bytes32[POINTS] calldata points, uint64 time) private {
        record.position = _digest(next);
        record.since = time;
        record.round = next.round;
        uint32 leastS = next.round == ITERATION_ROUNDS ? TRACE_ENTRY_S : ENTRY_S;
        if (next.round % 2 == 0) {
            if (record.openerClockS < leastS) record.openerClockS = leastS;
        } else {
            if (record.responderClockS < leastS) record.responderClockS = leastS;
        }
        emit Moved(next.challenge, next.round, next, points);
    }

    /// @dev The time since the last entry leaves the clock of whose turn it is, of which something must stay.
    function _charge(bytes32 id, Challenge storage record, uint64 time) private {
        uint64 elapsedS = time - record.since;
        if (record.round % 2 == 0) {
            if (elapsedS >= record.openerClockS) revert ClockOut(id);
            record.openerClockS -= uint32(elapsedS);
        } else {
            if (elapsedS >= record.responderClockS) revert ClockOut(id);
            record.responderClockS -= uint32(elapsedS);
        }
    }

    /// @dev Checks the step; returns what that cost beyond the settlement itself, in gas.
    function _prove(bytes32 parent, Move calldata last, StepClaim calldata claim)
        private
        view
        returns (uint256 gasUsed)
    {
        uint256 gasBefore = gasleft();
        (bytes32 start, bytes32 denied) = Points.open(last, claim.choice, claim.opening);
        _requireOpens(claim.pre, start);
        _requireCanonical(claim.post);
        _requireDenied(_hash(claim.post), denied);
        Preimages.requireAnswer(claim.read, claim.preimage);
        if (!_rulesOf(parent).verifier.verify(claim.pre, claim.post, claim.read, claim.proof)) revert ProofRefused();
        gasUsed = gasBefore - gasleft() + 16 * (claim.proof.length + claim.preimage.length);
        if (gasUsed > MAX_PROOF_GAS) gasUsed = MAX_PROOF_GAS;
    }

    function _close(bytes32 id, Challenge storage record, Parties calldata parties, bool openerWon) private {
        record.status = openerWon ? ChallengeStatus.OpenerWon : ChallengeStatus.ResponderWon;
        record.epoch = epoch;
        _eliminate(id, record, parties, openerWon);
    }

    /// @dev With a record the parties are known; without one they are checked against the Rollup.
    function _requirePlayable(bytes32 id, Challenge storage record, Parties calldata parties) private view {
        _requireUndecided(id, record);
        if (_isOpen(record)) _requireLive(id, parties);
        else _requireRivals(parties);
    }

    function _requireUndecided(bytes32 id, Challenge storage record) private view {
        bool isUndecided = record.status == ChallengeStatus.None || record.status == ChallengeStatus.Open;
        if (!isUndecided) revert ChallengeClosed(id);
    }

    function _openRecord(bytes32 id) private view returns (Challenge storage record) {
        record = _challenges[id];
        _requireUndecided(id, record);
        if (!_isOpen(record)) revert ChallengeNotOpen(id);
    }

    function _isOpen(Challenge storage record) private view returns (bool) {
        return record.status == ChallengeStatus.Open && record.epoch == epoch;
    }

    function _requireSender(address signer) private view {
        if (msg.sender != signer) revert NotSigner(msg.sender, signer);
    }
}
