// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the AuditAnchor reads of the NodeRegistry
interface INodeControllers {
    /// @notice The accounts that speak for a node; both zero when there is no such node.
    /// @param nodeId keccak256 of the peer id
    function controllersOf(bytes32 nodeId) external view returns (address owner, address operator);
}
