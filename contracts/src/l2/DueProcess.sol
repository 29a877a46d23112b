// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AppealClosed,
    InvalidValidity,
    NodeStatusForbids,
    NodeUnknown,
    NotLapsed,
    NotNodeOwner,
    PeerEjected,
    PeerHeld,
    ReasonMissing,
    VotedForEjection,
    WarnedAlready
} from "./Errors.sol";
import {INodeRegistry} from "./INodeRegistry.sol";
import {NodeEntries} from "./NodeEntries.sol";

/// @title DueProcess: how a node passes, fails, and is put out of the network
/// @notice One auditor passes, warns and, in a second step, suspends. Ejection takes several, a reason and evidence; an ejected
/// node drains for DRAIN_PERIOD, in which owners fetch what it holds, unless it does active harm. Auditors who did not vote for the
/// ejection judge the appeal.
/// @dev The state table is docs/design/0033.
abstract contract DueProcess is INodeRegistry, NodeEntries {
    /// @notice The longest validity of an attestation, in seconds: a yearly audit and some slack.
    uint64 public constant MAX_VALIDITY = 400 days;
    /// @notice How long after the vote that ejected it a node may appeal, in seconds.
    uint64 public constant APPEAL_WINDOW = 14 days;
    /// @notice How long after the appeal it may be judged, in seconds.
    uint64 public constant DECISION_PERIOD = 60 days;
    /// @notice The reason code of active harm, whose ejection takes effect at once.
    uint16 public constant REASON_HARM = 1;

    /// @inheritdoc INodeRegistry
    function attest(bytes32 nodeId, uint64 validUntil, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        _requireMember(nodeId);
        uint64 latest = uint64(block.timestamp) + MAX_VALIDITY;
        if (validUntil <= block.timestamp || validUntil > latest) revert InvalidValidity(validUntil, latest);
        _hold(nodeId, node);
        node.validUntil = validUntil;
        _moveTo(nodeId, node, Status.Active);
        _keepAudit(nodeId, node, evidence);
        emit NodeAttested(nodeId, msg.sender, validUntil, evidence);
    }

    /// @inheritdoc INodeRegistry
    function warn(bytes32 nodeId, uint16 reason, uint64 cureBy, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        Status status = _requireMember(nodeId);
        if (status != Status.Active) revert NodeStatusForbids(nodeId, uint8(status));
        _requireReason(reason, evidence);
        // Whatever end the auditor names: the grace period is left to put things right.
        uint64 end = cureBy < block.timestamp ? uint64(block.timestamp) : cureBy;
        if (end < node.validUntil) node.validUntil = end;
        _moveTo(nodeId, node, Status.Warned);
        _keepAudit(nodeId, node, evidence);
        emit NodeWarned(nodeId, msg.sender, reason, node.validUntil, evidence);
    }

    /// @inheritdoc INodeRegistry
    function suspend(bytes32 nodeId, uint16 reason, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        Status status = _requireMember(nodeId);
        if (status == Status.Active) revert NodeStatusForbids(nodeId, uint8(status));
        _requireReason(reason, evidence);
        uint64 allowedAt = node.attestedAt + GRACE_PERIOD;
        if (status == Status.Warned && node.auditor == msg.sender && block.timestamp <= allowedAt) {
            revert WarnedAlready(nodeId, msg.sender, allowedAt);
        }
        _moveTo(nodeId, node, Status.Suspended);
        _keepAudit(nodeId, node, evidence);
        emit NodeSuspended(nodeId, msg.sender, reason, evidence);
    }

    /// @inheritdoc INodeRegistry
    function lapse(bytes32 nodeId) external {
        Node storage node = _nodes[nodeId];
        bool isMember = node.status == Status.Active || node.status == Status.Warned;
        if (!isMember) revert NodeStatusForbids(nodeId, uint8(node.status));
        if (_effectiveStatus(node) != Status.Suspended) revert NotLapsed(nodeId, node.validUntil + GRACE_PERIOD);
        _moveTo(nodeId, node, Status.Suspended);
        emit NodeLapsed(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function eject(bytes32 nodeId, uint16 reason, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        Status status = _effectiveStatus(node);
        bool isHarm = reason == REASON_HARM;
        if (status == Status.None) revert NodeUnknown(nodeId);
        if (status == Status.Ejected || (status == Status.Draining && !isHarm)) {
            revert NodeStatusForbids(nodeId, uint8(status));
        }
        _requireReason(reason, evidence);
        bytes32 topic = _ejection(nodeId, isHarm);
        uint8 votes = _vote(topic, nodeId);
        emit NodeVoted(nodeId, msg.sender, false, votes, reason, evidence);
        if (votes < ejectionQuorum) return;
        _ejectedBy[nodeId] = _ballotOf(topic);
        node.validUntil = 0;
        node.ejectedAt = uint64(block.timestamp);
        node.appealedAt = 0;
        _releaseDeposit(nodeId, node, true);
        // An applicant, and who has left, serve nobody.
        bool isOut = isHarm || status == Status.Applied || status == Status.Left;
        _moveTo(nodeId, node, isOut ? Status.Ejected : Status.Draining);
        emit NodeEjected(nodeId, reason, isOut ? node.ejectedAt : node.ejectedAt + DRAIN_PERIOD, evidence);
    }

    /// @inheritdoc INodeRegistry
    function appeal(bytes32 nodeId, bytes32 evidence) external {
        Node storage node = _nodes[nodeId];
        if (msg.sender != node.owner) revert NotNodeOwner(nodeId, msg.sender);
        _requireEjection(nodeId, node);
        uint64 end = node.ejectedAt + APPEAL_WINDOW;
        if (node.appealedAt != 0 || block.timestamp > end) revert AppealClosed(nodeId, end);
        node.appealedAt = uint64(block.timestamp);
        emit NodeAppealed(nodeId, evidence);
    }

    /// @inheritdoc INodeRegistry
    function readmit(bytes32 nodeId, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        _requireEjection(nodeId, node);
        if (evidence == bytes32(0)) revert ReasonMissing();
        Ballot storage ballot = _ejectedBy[nodeId];
        bool isAppeal = node.appealedAt != 0 && block.timestamp <= node.appealedAt + DECISION_PERIOD;
        if (isAppeal && _votedIn(ballot, msg.sender)) revert VotedForEjection(nodeId, msg.sender);
        uint8 votes = _vote(keccak256(abi.encode("readmit", nodeId, node.ejectedAt, isAppeal)), nodeId);
        emit NodeVoted(nodeId, msg.sender, true, votes, 0, evidence);
        uint256 needed = ejectionQuorum;
        uint256 judges = isAppeal ? _othersThan(ballot) : needed;
        if (votes < (judges < needed ? judges : needed)) return;
        // The votes that ejected it must not count a second time.
        _ejectionsDecided[nodeId]++;
        node.ejectedAt = 0;
        node.appealedAt = 0;
        _moveTo(nodeId, node, Status.Suspended);
        emit NodeReadmitted(nodeId, evidence);
    }

    /// @inheritdoc INodeRegistry
    function ejectionRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt) {
        return _describe(_roundOf(_ejection(nodeId, false)));
    }

    /// @inheritdoc INodeRegistry
    function harmRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt) {
        return _describe(_roundOf(_ejection(nodeId, true)));
    }

    /// @inheritdoc INodeRegistry
    function votedForEjection(bytes32 nodeId, address auditor) external view returns (bool) {
        return _votedIn(_ejectedBy[nodeId], auditor);
    }

    /// @inheritdoc INodeRegistry
    function depositRequired() public view override(INodeRegistry, NodeEntries) returns (uint256) {
        return NodeEntries.depositRequired();
    }

    /// @dev Makes an entry the holder of its peer id.
    function _hold(bytes32 nodeId, Node storage node) private {
        bytes32 peerHash = keccak256(node.peerId);
        bytes32 holder = holderOf[peerHash];
        if (holder == nodeId) return;
        if (_isMember(holder)) revert PeerHeld(peerHash, holder);
        Status status = _nodes[holder].status;
        if (status == Status.Ejected || status == Status.Draining) revert PeerEjected(peerHash, holder);
        holderOf[peerHash] = nodeId;
    }

    /// @dev What the last audit leaves; an application is decided by it.
    function _keepAudit(bytes32 nodeId, Node storage node, bytes32 evidence) private {
        node.attestedAt = uint64(block.timestamp);
        node.auditor = msg.sender;
        node.attestation = evidence;
        _releaseDeposit(nodeId, node, false);
    }

    function _requireEjection(bytes32 nodeId, Node storage node) private view {
        Status status = _effectiveStatus(node);
        if (status != Status.Draining && status != Status.Ejected) revert NodeStatusForbids(nodeId, uint8(status));
    }

    function _requireReason(uint16 reason, bytes32 evidence) private pure {
        if (reason == 0 || evidence == bytes32(0)) revert ReasonMissing();
    }

    function _describe(Round memory current) private pure returns (uint32, uint8, uint64) {
        return (current.round, current.votes, current.round == 0 ? 0 : current.openedAt + VOTING_PERIOD);
    }

    /// @dev A vote for harm counts with its like alone: nobody is put out at once by votes for something less.
    function _ejection(bytes32 nodeId, bool isHarm) private view returns (bytes32) {
        return keccak256(abi.encode(isHarm ? "harm" : "eject", nodeId, _ejectionsDecided[nodeId]));
    }
}
