// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CheckpointEmpty,
    CheckpointForks,
    CheckpointShrinks,
    CheckpointUnknown,
    NodeUnknown,
    NotNodeController,
    ZeroAddress,
    ZeroRoot
} from "./Errors.sol";
import {INodeControllers} from "./INodeControllers.sol";

/// @title AuditAnchor: checkpoints of the nodes' audit logs
/// @notice A node anchors the size and root of its audit log (an RFC 6962 tree). What is anchored can neither be cut off nor
/// rewritten unnoticed, not even by the node's own administrator: a log that is shorter than its last anchor, or has another
/// root at that size, is proven to be tampered with.
/// @dev Whether a larger tree extends the smaller one is proven off chain by an RFC 6962 consistency proof; here only the size
/// can be compared. A node keeps the right to anchor whatever its status: the log of an ejected node is evidence.
/// Predeploy at 0x4e43000000000000000000000000000000000003.
contract AuditAnchor {
    /// @notice An anchored tree head.
    /// @param root the RFC 6962 root
    /// @param size the number of leaves
    /// @param blockNumber the L2 block in which it was anchored
    /// @param timestamp the time of that block, in seconds since 1970
    struct Checkpoint {
        bytes32 root;
        uint64 size;
        uint64 blockNumber;
        uint64 timestamp;
    }

    /// @notice The NodeRegistry, which says who speaks for a node.
    INodeControllers public immutable registry;

    mapping(bytes32 nodeId => Checkpoint[]) private _checkpoints;

    /// @notice A checkpoint was anchored.
    /// @param nodeId keccak256 of the node's peer id
    /// @param size the number of leaves
    /// @param root the RFC 6962 root
    event CheckpointAnchored(bytes32 indexed nodeId, uint64 size, bytes32 root);

    /// @param registry_ the NodeRegistry, not zero
    constructor(INodeControllers registry_) {
        if (address(registry_) == address(0)) revert ZeroAddress();
        registry = registry_;
    }

    /// @notice Anchors a checkpoint of the caller's node. Repeating the latest one changes nothing and succeeds, so that a node
    /// that crashed between sending and remembering may simply send again.
    /// @param nodeId keccak256 of the node's peer id; the caller is its owner or operator
    /// @param size the number of leaves, larger than the latest anchored
    /// @param root the RFC 6962 root, not zero
    function anchor(bytes32 nodeId, uint64 size, bytes32 root) external {
        (address owner, address operator) = registry.controllersOf(nodeId);
        if (owner == address(0)) revert NodeUnknown(nodeId);
        if (msg.sender != owner && msg.sender != operator) revert NotNodeController(nodeId, msg.sender);
        if (root == bytes32(0)) revert ZeroRoot();
        if (size == 0) revert CheckpointEmpty(nodeId);

        Checkpoint[] storage checkpoints = _checkpoints[nodeId];
        if (checkpoints.length != 0) {
            Checkpoint storage last = checkpoints[checkpoints.length - 1];
            if (size < last.size) revert CheckpointShrinks(nodeId, size, last.size);
            if (size == last.size) {
                if (root != last.root) revert CheckpointForks(nodeId, size, last.root, root);
                return;
            }
        }
        checkpoints.push(
            Checkpoint({root: root, size: size, blockNumber: uint64(block.number), timestamp: uint64(block.timestamp)})
        );
        emit CheckpointAnchored(nodeId, size, root);
    }

    /// @notice The latest checkpoint of a node; all zero when there is none.
    /// @param nodeId keccak256 of the node's peer id
    function latest(bytes32 nodeId) external view returns (Checkpoint memory checkpoint) {
        Checkpoint[] storage checkpoints = _checkpoints[nodeId];
        if (checkpoints.length != 0) checkpoint = checkpoints[checkpoints.length - 1];
    }

    /// @notice The number of checkpoints of a node.
    /// @param nodeId keccak256 of the node's peer id
    function checkpointCount(bytes32 nodeId) external view returns (uint256) {
        return _checkpoints[nodeId].length;
    }

    /// @notice The checkpoint of a node at an index, oldest first.
    /// @param nodeId keccak256 of the node's peer id
    /// @param index counted from 0
    function checkpointAt(bytes32 nodeId, uint256 index) external view returns (Checkpoint memory) {
        Checkpoint[] storage checkpoints = _checkpoints[nodeId];
        if (index >= checkpoints.length) revert CheckpointUnknown(nodeId, index, checkpoints.length);
        return checkpoints[index];
    }
}
