// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the other L1 contracts ask of the Inbox
interface IInbox {
    /// @notice The number of messages delivered so far.
    function messageCount() external view returns (uint256);

    /// @notice The accumulator after the message `index`, counted from 0.
    /// @param index the index of a delivered message
    function accumulator(uint256 index) external view returns (bytes32);

    /// @notice The only account to which ETH leaves.
    function outbox() external view returns (address);

    /// @notice Appends a message of kind KIND_CONFIG. The caller is the SystemConfig.
    /// @param data what derivation decodes as the chain's parameters
    function deliverConfig(bytes calldata data) external returns (uint256 index);

    /// @notice Sends ETH to the Outbox, which pays one withdrawal with it. The caller is the Outbox.
    /// @param amountWei the amount, in wei
    function release(uint256 amountWei) external;
}
