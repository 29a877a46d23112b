// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFreezeClock} from "../IFreezeClock.sol";
import {ISequencerInbox} from "../ISequencerInbox.sol";
import {ISystemConfig} from "../ISystemConfig.sol";
import {EntryCosts, Node, Stake} from "../RollupTypes.sol";

/// @title What the ChallengeManager reads of the Rollup, and asks of it
interface IDisputedRollup {
    /// @notice The batches that assertions are about.
    function sequencerInbox() external view returns (ISequencerInbox);

    /// @notice The configs.
    function systemConfig() external view returns (ISystemConfig);

    /// @notice The clock that stands still in a freeze.
    function freezeClock() external view returns (IFreezeClock);

    /// @notice A node; all zero when there is none.
    /// @param nodeId the node
    function nodeOf(bytes32 nodeId) external view returns (Node memory);

    /// @notice keccak256 of the state that a node names.
    /// @param nodeId the node
    function stateHashOf(bytes32 nodeId) external view returns (bytes32);

    /// @notice A stake; all zero when there is none.
    /// @param stakeId the stake
    function stakeOf(uint256 stakeId) external view returns (Stake memory);

    /// @notice Whether both stakes are live.
    /// @param stakeId one stake
    /// @param otherId another
    function areLive(uint256 stakeId, uint256 otherId) external view returns (bool);

    /// @notice The node where the paths of two live stakes part, the next on the paths being these children; zero when they do not.
    /// @param nodeId the child that the one backs
    /// @param stakeId the one stake
    /// @param otherNodeId the child that the other backs
    /// @param otherId the other stake
    function partingOf(bytes32 nodeId, uint256 stakeId, bytes32 otherNodeId, uint256 otherId)
        external
        view
        returns (bytes32);

    /// @notice The manager that may eliminate where paths part at a node.
    /// @param nodeId the node
    function challengeManagerOf(bytes32 nodeId) external view returns (address);

    /// @notice Takes the loser's stake.
    /// @param winnerChild the child that the winner backs
    /// @param winnerId the winner's stake
    /// @param loserChild the child that the loser backs
    /// @param loserId the loser's stake
    /// @param costs what the entries of the loser's opponents cost; the winner's are refunded at once
    /// @return restWei what is owed to the caller now, to be assigned to the other opponents
    function eliminate(
        bytes32 winnerChild,
        uint256 winnerId,
        bytes32 loserChild,
        uint256 loserId,
        EntryCosts calldata costs
    ) external returns (uint256 restWei);

    /// @notice Has another account owed what the caller is owed.
    /// @param account the account
    /// @param amountWei how much, in wei
    function assign(address account, uint256 amountWei) external;
}
