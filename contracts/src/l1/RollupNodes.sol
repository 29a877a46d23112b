// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StateOutOfRange, ZeroAddress} from "./Errors.sol";
import {IFreezeClock} from "./IFreezeClock.sol";
import {IRollup} from "./IRollup.sol";
import {ISequencerInbox} from "./ISequencerInbox.sol";
import {ISystemConfig} from "./ISystemConfig.sol";
import {GlobalState, Node, NodeStatus, RollupConfig} from "./RollupTypes.sol";

/// @title RollupNodes: the assertions that the Rollup knows
/// @notice The tree of assertions with its genesis, the times that follow from it, and what others read of it. Who may add to it and
/// what becomes of an assertion is the Rollup's.
abstract contract RollupNodes is IRollup {
    /// @notice How long a child may still be backed after a rival came, in seconds.
    uint64 public constant JOIN_S = 1 days;
    /// @notice How long confirmation waits after the last rival died, in seconds: a wrong verdict can still be acted upon.
    uint64 public constant GRACE_S = 2 days;
    /// @notice The batches that assertions are about.
    ISequencerInbox public immutable sequencerInbox;
    /// @notice Validators and configs.
    ISystemConfig public immutable systemConfig;
    /// @notice The clock that stands still in a freeze.
    IFreezeClock public immutable freezeClock;

    /// @notice The newest assertion that L1 believes.
    bytes32 public latestConfirmed;

    mapping(bytes32 nodeId => Node) internal _nodes;
    /// @notice Whether a stake counts among the backers of a node.
    mapping(bytes32 nodeId => mapping(uint256 stakeId => bool)) public isBacker;

    /// @notice An assertion is believed from now on.
    event NodeConfirmed(bytes32 indexed nodeId, bytes32 indexed parent);

    /// @param sequencerInbox_ the SequencerInbox, not zero
    /// @param systemConfig_ the SystemConfig, not zero
    /// @param freezeClock_ the Guardian, not zero
    /// @param genesis the state before the first batch: the genesis block's hash, the empty send root, 0, 0
    constructor(
        ISequencerInbox sequencerInbox_,
        ISystemConfig systemConfig_,
        IFreezeClock freezeClock_,
        GlobalState memory genesis
    ) {
        if (
            address(sequencerInbox_) == address(0) || address(systemConfig_) == address(0)
                || address(freezeClock_) == address(0)
        ) revert ZeroAddress();
        if (genesis.batch != 0 || genesis.offset != 0) revert StateOutOfRange(genesis.batch, genesis.offset, 0);
        sequencerInbox = sequencerInbox_;
        systemConfig = systemConfig_;
        freezeClock = freezeClock_;
        bytes32 stateHash = keccak256(abi.encode(genesis));
        bytes32 nodeId = keccak256(abi.encode(bytes32(0), stateHash, bytes32(0), bytes32(0)));
        _write(nodeId, bytes32(0), stateHash, genesis);
        _nodes[nodeId].status = NodeStatus.Confirmed;
        latestConfirmed = nodeId;
        emit NodeConfirmed(nodeId, bytes32(0));
    }

    /// @notice A node; all zero, status None, when there is none.
    /// @param nodeId the node
    function nodeOf(bytes32 nodeId) external view returns (Node memory) {
        return _nodes[nodeId];
    }

    /// @inheritdoc IRollup
    function isConfirmed(bytes32 nodeId) external view returns (bool) {
        return _nodes[nodeId].status == NodeStatus.Confirmed;
    }

    /// @inheritdoc IRollup
    function stateHashOf(bytes32 nodeId) external view returns (bytes32) {
        return _nodes[nodeId].stateHash;
    }

    /// @notice When a node may be confirmed on the freeze clock, if its rivals are dead by then and none comes.
    /// @param nodeId the node
    function confirmableAt(bytes32 nodeId) public view returns (uint64 time) {
        Node storage p = _nodes[_nodes[nodeId].parent];
        RollupConfig memory config = _configOf(p);
        time = p.firstChildAt + config.periodS;
        if (p.windowChildren > 1) {
            uint64 joined = _joinEnd(p, config);
            uint64 settled = p.lastDeathAt + GRACE_S;
            if (joined > time) time = joined;
            if (settled > time) time = settled;
        }
    }

    /// @notice Who may eliminate a staker where paths part at a node; zero while there are no challenges.
    /// @param nodeId the node
    function challengeManagerOf(bytes32 nodeId) public view returns (address manager) {
        manager = _configOf(_nodes[nodeId]).challengeManager;
        if (manager == address(0)) manager = systemConfig.rollupConfig(systemConfig.latestConfigId()).challengeManager;
    }

    /// @dev A node's own fields, with the config and the target that its children are bound to.
    function _write(bytes32 nodeId, bytes32 parent, bytes32 stateHash, GlobalState memory state) internal {
        Node storage node = _nodes[nodeId];
        uint64 batchCount = uint64(sequencerInbox.batchCount());
        (node.parent, node.stateHash, node.batch, node.offset) = (parent, stateHash, state.batch, state.offset);
        node.target = batchCount > state.batch ? batchCount : state.batch + 1;
        node.createdAt = freezeClock.time();
        node.configId = systemConfig.latestConfigId();
    }

    function _joinEnd(Node storage p, RollupConfig memory config) internal view returns (uint64) {
        uint64 period = p.firstChildAt + config.periodS;
        uint64 join = p.lastChildAt + JOIN_S;
        return period > join ? period : join;
    }

    /// @dev The accumulator after the last batch that the state has consumed, wholly or in part.
    function _accumulatorOf(GlobalState calldata state) internal view returns (bytes32) {
        uint256 consumed = state.offset == 0 ? state.batch : uint256(state.batch) + 1;
        return consumed == 0 ? bytes32(0) : sequencerInbox.accumulator(consumed - 1);
    }

    function _configOf(Node storage node) internal view returns (RollupConfig memory) {
        return systemConfig.rollupConfig(node.configId);
    }
}
