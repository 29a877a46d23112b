// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CheckpointEmpty,
    CheckpointForks,
    CheckpointLeaps,
    CheckpointShrinks,
    CheckpointUnknown,
    NodeUnknown,
    NotNodeController,
    NotNodeOwner,
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
/// The operator's key lies on the node. Whoever steals it may anchor a size that the log does not have, but only as far ahead as a log
/// could have grown, and the owner can strike that out: it stays readable, as struck, and anchoring goes on from what was before.
/// Predeploy at 0x4e43000000000000000000000000000000000003.
contract AuditAnchor {
    /// @notice An anchored tree head.
    /// @param root the RFC 6962 root
    /// @param size the number of leaves
    /// @param blockNumber the L2 block in which it was anchored
    /// @param timestamp the time of that block, in seconds since 1970
    /// @param struck whether the owner has struck it out
    struct Checkpoint {
        bytes32 root;
        uint64 size;
        uint64 blockNumber;
        uint56 timestamp;
        bool struck;
    }

    /// @notice The largest first checkpoint, in leaves.
    uint64 public constant MAX_FIRST_SIZE = 1_000_000_000;
    /// @notice How far a checkpoint may always be ahead of the last one, in leaves.
    uint64 public constant MAX_BURST = 1_000_000;
    /// @notice How much further for every second since the last one, in leaves: the whole network's load on one node.
    uint64 public constant MAX_LEAVES_PER_SECOND = 1_000;

    /// @notice The NodeRegistry, which says who speaks for a node.
    INodeControllers public immutable registry;

    mapping(bytes32 nodeId => Checkpoint[]) private _checkpoints;

    /// @notice A checkpoint was anchored.
    /// @param nodeId keccak256 of the node's peer id
    /// @param size the number of leaves
    /// @param root the RFC 6962 root
    event CheckpointAnchored(bytes32 indexed nodeId, uint64 size, bytes32 root);

    /// @notice The owner struck out the checkpoints from an index on.
    /// @param nodeId keccak256 of the node's peer id
    /// @param from the first of them
    /// @param evidence hash of what shows that the log never had them
    event CheckpointsStruck(bytes32 indexed nodeId, uint256 from, bytes32 evidence);

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

        (bool found, uint256 index) = _lastStanding(nodeId);
        if (found) {
            Checkpoint storage last = _checkpoints[nodeId][index];
            if (size < last.size) revert CheckpointShrinks(nodeId, size, last.size);
            if (size == last.size) {
                if (root != last.root) revert CheckpointForks(nodeId, size, last.root, root);
                return;
            }
        }
        uint64 most = maxNextSize(nodeId);
        if (size > most) revert CheckpointLeaps(nodeId, size, most);
        _checkpoints[nodeId].push(
            Checkpoint({
                root: root,
                size: size,
                blockNumber: uint64(block.number),
                timestamp: uint56(block.timestamp),
                struck: false
            })
        );
        emit CheckpointAnchored(nodeId, size, root);
    }

    /// @notice Strikes out checkpoints that the log never had, from the latest back to `from`. They stay readable. A log that
    /// really had them is still held against them by whoever verifies it: this only lets anchoring go on.
    /// @param nodeId keccak256 of the node's peer id; the caller is its owner
    /// @param from the index of the first of them
    /// @param evidence hash of what shows it, not zero
    function strike(bytes32 nodeId, uint256 from, bytes32 evidence) external {
        (address owner,) = registry.controllersOf(nodeId);
        if (owner == address(0)) revert NodeUnknown(nodeId);
        if (msg.sender != owner) revert NotNodeOwner(nodeId, msg.sender);
        if (evidence == bytes32(0)) revert ZeroRoot();
        Checkpoint[] storage checkpoints = _checkpoints[nodeId];
        if (from >= checkpoints.length) revert CheckpointUnknown(nodeId, from, checkpoints.length);
        for (uint256 i = checkpoints.length; i > from && !checkpoints[i - 1].struck; i--) {
            checkpoints[i - 1].struck = true;
        }
        emit CheckpointsStruck(nodeId, from, evidence);
    }

    /// @notice The largest size that is taken now.
    /// @param nodeId keccak256 of the node's peer id
    function maxNextSize(bytes32 nodeId) public view returns (uint64) {
        (bool found, uint256 index) = _lastStanding(nodeId);
        if (!found) return MAX_FIRST_SIZE;
        Checkpoint storage last = _checkpoints[nodeId][index];
        uint64 elapsed = uint64(block.timestamp) - last.timestamp;
        return last.size + MAX_BURST + MAX_LEAVES_PER_SECOND * elapsed;
    }

    /// @notice The latest checkpoint of a node that stands; all zero when there is none.
    /// @param nodeId keccak256 of the node's peer id
    function latest(bytes32 nodeId) external view returns (Checkpoint memory checkpoint) {
        (bool found, uint256 index) = _lastStanding(nodeId);
        if (found) checkpoint = _checkpoints[nodeId][index];
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

    /// @dev The latest checkpoint that is not struck. Only whoever strikes one after another makes this walk long, for itself.
    function _lastStanding(bytes32 nodeId) private view returns (bool found, uint256 index) {
        Checkpoint[] storage checkpoints = _checkpoints[nodeId];
        for (uint256 i = checkpoints.length; i > 0; i--) {
            if (!checkpoints[i - 1].struck) return (true, i - 1);
        }
    }
}
