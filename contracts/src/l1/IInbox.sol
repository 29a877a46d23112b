// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the SequencerInbox reads of the Inbox
interface IInbox {
    /// @notice The number of messages delivered so far.
    function messageCount() external view returns (uint256);

    /// @notice The accumulator after the message `index`, counted from 0.
    /// @param index the index of a delivered message
    function accumulator(uint256 index) external view returns (bytes32);
}
