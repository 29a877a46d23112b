// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {AuditorSet} from "./AuditorSet.sol";
import {
    AppealClosed,
    ApplicationTooYoung,
    InvalidValidity,
    NodeStatusForbids,
    NodeUnknown,
    NothingToPay,
    NotLapsed,
    NotNodeController,
    NotNodeOwner,
    PaymentFailed,
    PeerEjected,
    PeerHeld,
    ReasonMissing,
    WarnedAlready
} from "./Errors.sol";
import {INodeControllers} from "./INodeControllers.sol";
import {INodeRegistry} from "./INodeRegistry.sol";
import {NodeEntries} from "./NodeEntries.sol";

/// @title NodeRegistry: the membership of the network
/// @notice A node applies, accredited auditors attest that it passed or failed an audit, and peers ask `isAuthorized` before they
/// talk to it. An attestation that lapses suspends the node by itself after a grace period; ejection takes several auditors, a
/// reason and evidence, and can be appealed; leaving is graceful.
/// @dev Predeploy at 0x4e43000000000000000000000000000000000001.
contract NodeRegistry is INodeRegistry, NodeEntries {
    using EnumerableSet for EnumerableSet.Bytes32Set;

    /// @notice The longest validity of an attestation, in seconds: a yearly audit and some slack.
    uint64 public constant MAX_VALIDITY = 400 days;
    /// @notice How long after its ejection a node may appeal, in seconds.
    uint64 public constant APPEAL_WINDOW = 30 days;
    /// @notice How long after the appeal auditors may readmit it, in seconds.
    uint64 public constant DECISION_PERIOD = 60 days;
    /// @notice How long an application stands before its owner may withdraw it with its deposit, in seconds.
    uint64 public constant APPLICATION_PERIOD = 7 days;

    /// @param auditors_ the accredited auditors: distinct, not zero, at least one
    /// @param ejectionQuorum_ how many of them eject a node, at least 1
    constructor(address[] memory auditors_, uint8 ejectionQuorum_) AuditorSet(auditors_, ejectionQuorum_) {}

    /// @inheritdoc INodeRegistry
    function submitApplication(Application calldata application) external payable returns (bytes32 nodeId) {
        _checkApplication(application);
        nodeId = keccak256(abi.encode(keccak256(application.peerId), msg.sender));
        Node storage node = _nodes[nodeId];
        if (node.status != Status.None && node.status != Status.Left) {
            revert NodeStatusForbids(nodeId, uint8(_effectiveStatus(node)));
        }
        // Nothing of an earlier attestation survives: who left is audited anew.
        delete _nodes[nodeId];
        node.peerId = application.peerId;
        node.owner = msg.sender;
        node.operator = application.operator;
        node.kind = application.kind;
        node.status = Status.Applied;
        node.appliedAt = uint64(block.timestamp);
        node.evidence = application.evidence;
        node.depositWei = uint128(msg.value);
        node.statement = application.statement;
        _setAddresses(node, application.addresses);
        _pending.add(nodeId);
        emit NodeApplied(
            nodeId,
            msg.sender,
            application.operator,
            application.kind,
            application.peerId,
            application.evidence,
            msg.value
        );
    }

    /// @inheritdoc INodeRegistry
    function attest(bytes32 nodeId, bool pass, uint64 validUntil, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        Status status = _requireMember(nodeId);
        if (pass) {
            uint64 latest = uint64(block.timestamp) + MAX_VALIDITY;
            if (validUntil <= block.timestamp || validUntil > latest) revert InvalidValidity(validUntil, latest);
            _hold(nodeId, node);
            node.validUntil = validUntil;
            _moveTo(nodeId, node, Status.Active);
        } else {
            _fail(nodeId, node, status, validUntil);
        }
        node.attestedAt = uint64(block.timestamp);
        node.auditor = msg.sender;
        node.attestation = evidence;
        _releaseDeposit(nodeId, node, false);
        emit NodeAttested(nodeId, msg.sender, pass, node.status, node.validUntil, evidence);
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
        if (node.status == Status.None) revert NodeUnknown(nodeId);
        if (node.status == Status.Ejected) revert NodeStatusForbids(nodeId, uint8(Status.Ejected));
        if (reason == 0 || evidence == bytes32(0)) revert ReasonMissing();
        uint8 votes = _vote(_ejection(nodeId), nodeId);
        emit NodeVoted(nodeId, msg.sender, false, votes, reason, evidence);
        if (votes < ejectionQuorum) return;
        node.validUntil = 0;
        node.ejectedAt = uint64(block.timestamp);
        node.appealedAt = 0;
        _releaseDeposit(nodeId, node, true);
        _moveTo(nodeId, node, Status.Ejected);
        emit NodeEjected(nodeId, reason, evidence);
    }

    /// @inheritdoc INodeRegistry
    function appeal(bytes32 nodeId, bytes32 evidence) external {
        Node storage node = _nodes[nodeId];
        if (msg.sender != node.owner) revert NotNodeOwner(nodeId, msg.sender);
        if (node.status != Status.Ejected) revert NodeStatusForbids(nodeId, uint8(_effectiveStatus(node)));
        uint64 end = node.ejectedAt + APPEAL_WINDOW;
        if (node.appealedAt != 0 || block.timestamp > end) revert AppealClosed(nodeId, end);
        node.appealedAt = uint64(block.timestamp);
        emit NodeAppealed(nodeId, evidence);
    }

    /// @inheritdoc INodeRegistry
    function readmit(bytes32 nodeId, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        if (node.status != Status.Ejected) revert NodeStatusForbids(nodeId, uint8(_effectiveStatus(node)));
        uint64 end = node.appealedAt == 0 ? 0 : node.appealedAt + DECISION_PERIOD;
        if (block.timestamp > end) revert AppealClosed(nodeId, end);
        uint8 votes = _vote(keccak256(abi.encode("readmit", nodeId, node.ejectedAt)), nodeId);
        emit NodeVoted(nodeId, msg.sender, true, votes, 0, evidence);
        if (votes < ejectionQuorum) return;
        // The votes that ejected it must not count a second time.
        _ejectionsDecided[nodeId]++;
        node.ejectedAt = 0;
        _moveTo(nodeId, node, Status.Suspended);
        emit NodeReadmitted(nodeId, evidence);
    }

    /// @inheritdoc INodeRegistry
    function leaveNetwork(bytes32 nodeId) external {
        Node storage node = _nodes[nodeId];
        _requireMember(nodeId);
        if (msg.sender != node.owner) revert NotNodeOwner(nodeId, msg.sender);
        uint64 allowedAt = node.appliedAt + APPLICATION_PERIOD;
        if (node.status == Status.Applied && block.timestamp < allowedAt) {
            revert ApplicationTooYoung(nodeId, allowedAt);
        }
        node.validUntil = 0;
        _releaseDeposit(nodeId, node, false);
        _moveTo(nodeId, node, Status.Left);
        emit NodeLeft(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function setAddresses(bytes32 nodeId, string[] calldata addresses) external {
        Node storage node = _nodes[nodeId];
        _requireMember(nodeId);
        if (msg.sender != node.owner && msg.sender != node.operator) revert NotNodeController(nodeId, msg.sender);
        _setAddresses(node, addresses);
        emit NodeAddressesChanged(nodeId, addresses);
    }

    /// @inheritdoc INodeRegistry
    function claim(address account) external {
        uint256 amountWei = owedWei[account];
        if (amountWei == 0) revert NothingToPay(account);
        owedWei[account] = 0;
        emit Claimed(account, amountWei);
        // slither-disable-next-line arbitrary-send-eth,low-level-calls
        (bool sent,) = account.call{value: amountWei}("");
        if (!sent) revert PaymentFailed(account, amountWei);
    }

    /// @inheritdoc INodeRegistry
    function isAuthorized(bytes calldata peerId) external view returns (bool) {
        return _isMember(holderOf[keccak256(peerId)]);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(bytes calldata peerId) external view returns (Node memory) {
        return _read(holderOf[keccak256(peerId)]);
    }

    /// @inheritdoc INodeRegistry
    function nodeById(bytes32 nodeId) external view returns (Node memory) {
        return _read(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function memberCount() external view returns (uint256) {
        return _members.length();
    }

    /// @inheritdoc INodeRegistry
    function membersPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes) {
        return _page(_members, offset, limit);
    }

    /// @inheritdoc INodeRegistry
    function pendingCount() external view returns (uint256) {
        return _pending.length();
    }

    /// @inheritdoc INodeRegistry
    function pendingPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes) {
        return _page(_pending, offset, limit);
    }

    /// @inheritdoc INodeRegistry
    function depositRequired() public view override(INodeRegistry, NodeEntries) returns (uint256) {
        return NodeEntries.depositRequired();
    }

    /// @inheritdoc INodeControllers
    function controllersOf(bytes32 peerHash) external view returns (address owner, address operator) {
        Node storage node = _nodes[holderOf[peerHash]];
        return (node.owner, node.operator);
    }

    /// @inheritdoc INodeRegistry
    function ejectionRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt) {
        Round memory current = _roundOf(_ejection(nodeId));
        if (current.round != 0) closesAt = current.openedAt + VOTING_PERIOD;
        return (current.round, current.votes, closesAt);
    }

    /// @dev A failed audit. A warning leaves the grace period to put things right, whatever end the auditor names.
    function _fail(bytes32 nodeId, Node storage node, Status status, uint64 validUntil) private {
        if (status == Status.Warned) {
            uint64 allowedAt = node.attestedAt + GRACE_PERIOD;
            if (node.auditor == msg.sender && block.timestamp <= allowedAt) {
                revert WarnedAlready(nodeId, msg.sender, allowedAt);
            }
        }
        _moveTo(nodeId, node, status == Status.Active ? Status.Warned : Status.Suspended);
        uint64 end = validUntil < block.timestamp ? uint64(block.timestamp) : validUntil;
        if (end < node.validUntil) node.validUntil = end;
    }

    /// @dev Makes an entry the holder of its peer id.
    function _hold(bytes32 nodeId, Node storage node) private {
        bytes32 peerHash = keccak256(node.peerId);
        bytes32 holder = holderOf[peerHash];
        if (holder == nodeId) return;
        if (_isMember(holder)) revert PeerHeld(peerHash, holder);
        if (_nodes[holder].status == Status.Ejected) revert PeerEjected(peerHash, holder);
        holderOf[peerHash] = nodeId;
    }

    function _ejection(bytes32 nodeId) private view returns (bytes32) {
        return keccak256(abi.encode("eject", nodeId, _ejectionsDecided[nodeId]));
    }
}
