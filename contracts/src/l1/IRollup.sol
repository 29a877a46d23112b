// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the Outbox reads of the Rollup
interface IRollup {
    /// @notice Whether an assertion is confirmed.
    /// @param nodeId the assertion
    function isConfirmed(bytes32 nodeId) external view returns (bool);

    /// @notice keccak256 of the state that an assertion names; zero when there is no such assertion.
    /// @param nodeId the assertion
    function stateHashOf(bytes32 nodeId) external view returns (bytes32);
}
