// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {AuditorSet} from "./AuditorSet.sol";
import {DueProcess} from "./DueProcess.sol";
import {
    ApplicationTooYoung,
    NodeStatusForbids,
    NothingToPay,
    NotNodeController,
    NotNodeOwner,
    PaymentFailed
} from "./Errors.sol";
import {INodeControllers} from "./INodeControllers.sol";
import {INodeRegistry} from "./INodeRegistry.sol";

/// @title NodeRegistry: the membership of the network
/// @notice A node applies, accredited auditors attest that it passed or failed an audit, and peers ask `isAuthorized` before they
/// talk to it. An attestation that lapses suspends the node by itself after a grace period; DueProcess has what auditors may do.
/// @dev Predeploy at 0x4e43000000000000000000000000000000000001.
contract NodeRegistry is DueProcess {
    using EnumerableSet for EnumerableSet.Bytes32Set;

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
        _requireServing(nodeId);
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

    /// @inheritdoc INodeControllers
    function controllersOf(bytes32 peerHash) external view returns (address owner, address operator) {
        Node storage node = _nodes[holderOf[peerHash]];
        return (node.owner, node.operator);
    }
}
