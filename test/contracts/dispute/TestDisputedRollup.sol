// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputedRollup} from "../../../contracts/src/l1/dispute/IDisputedRollup.sol";
import {IStepVerifier, MachineState, Read} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {IFreezeClock} from "../../../contracts/src/l1/IFreezeClock.sol";
import {ISequencerInbox} from "../../../contracts/src/l1/ISequencerInbox.sol";
import {ISystemConfig} from "../../../contracts/src/l1/ISystemConfig.sol";
import {EntryCosts, Node, RollupConfig, Stake} from "../../../contracts/src/l1/RollupTypes.sol";

/// @title All that a ChallengeManager asks, in one contract that does what it is told
/// @notice Two children of one parent, two stakes, a clock that is set, a verifier that answers what it was set to.
contract TestDisputedRollup is IDisputedRollup, IFreezeClock, ISequencerInbox, ISystemConfig, IStepVerifier {
    bytes32 public constant PARENT = bytes32("parent");
    uint64 public constant TARGET = 10;
    bytes32 public constant CORE0 = bytes32(uint256(0xc0));

    address public manager;
    uint64 public time;
    bool public isTrue;
    mapping(bytes32 nodeId => bytes32) public stateHashOf;
    mapping(uint256 stakeId => Stake) private stakes;
    mapping(bytes32 nodeId => uint256) private backer;

    function setManager(address manager_) external {
        manager = manager_;
    }

    /// @dev A game begins: the ends of the two children, and two live stakes.
    function begin(bytes32 start, bytes32[2] calldata nodes, bytes32[2] calldata ends, Stake[2] calldata parties)
        external
    {
        stateHashOf[PARENT] = start;
        for (uint256 i = 0; i < 2; i++) {
            stateHashOf[nodes[i]] = ends[i];
            stakes[i] = parties[i];
            backer[nodes[i]] = i + 1;
        }
        time = 1_000_000;
    }

    function set(uint64 time_, bool isTrue_) external {
        (time, isTrue) = (time_, isTrue_);
    }

    function sequencerInbox() external view returns (ISequencerInbox) {
        return this;
    }

    function systemConfig() external view returns (ISystemConfig) {
        return this;
    }

    function freezeClock() external view returns (IFreezeClock) {
        return this;
    }

    function isFrozen() external pure returns (bool) {
        return false;
    }

    function batchCount() external pure returns (uint256) {
        return TARGET;
    }

    function accumulator(uint256 sequenceNumber) external pure returns (bytes32) {
        return bytes32(sequenceNumber);
    }

    function mayStake(address) external pure returns (bool) {
        return true;
    }

    function latestConfigId() external pure returns (uint32) {
        return 0;
    }

    function rollupConfig(uint32) external view returns (RollupConfig memory config) {
        (config.core0, config.verifier, config.challengeManager) = (CORE0, address(this), manager);
    }

    function nodeOf(bytes32) external pure returns (Node memory node) {
        node.target = TARGET;
    }

    function stakeOf(uint256 stakeId) external view returns (Stake memory) {
        return stakes[stakeId];
    }

    function areLive(uint256 stakeId, uint256 otherId) external view returns (bool) {
        return stakes[stakeId].isLive && stakes[otherId].isLive;
    }

    function partingOf(bytes32 nodeId, uint256 stakeId, bytes32 otherNodeId, uint256 otherId)
        external
        view
        returns (bytes32)
    {
        bool areRivals = nodeId != otherNodeId && backer[nodeId] == stakeId + 1 && backer[otherNodeId] == otherId + 1
            && stakes[stakeId].isLive && stakes[otherId].isLive;
        return areRivals ? PARENT : bytes32(0);
    }

    function challengeManagerOf(bytes32) external view returns (address) {
        return manager;
    }

    function eliminate(bytes32, uint256, bytes32, uint256 loserId, EntryCosts calldata) external returns (uint256) {
        (stakes[loserId].isLive, stakes[loserId].isEliminated) = (false, true);
        return 0;
    }

    function assign(address, uint256) external pure {}

    function verify(MachineState calldata, MachineState calldata, Read calldata, bytes calldata)
        external
        view
        returns (bool)
    {
        return isTrue;
    }
}
