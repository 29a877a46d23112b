// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the AuditAnchor reads of the NodeRegistry
interface INodeControllers {
    /// @notice The accounts that speak for a peer: those of the entry that an auditor passed last, whatever became of it since;
    /// both zero when none ever was.
    /// @param peerHash keccak256 of the peer id
    function controllersOf(bytes32 peerHash) external view returns (address owner, address operator);
}
