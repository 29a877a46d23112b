// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AlreadyAnchored, ZeroRoot} from "./Errors.sol";

/// @title RecordRegistry: Merkle roots of record commitments
/// @notice An owner anchors the root of a batch of commitments and can show later, with a Merkle proof, that a record existed
/// unaltered by the time of that block.
/// @dev Holds roots of salted commitments only: nothing about a person, nothing that links to one, no count of records. Whoever
/// calls owns the anchor, so nobody can anchor in another's name, nor block another's root by anchoring it first.
/// Predeploy at 0x4e43000000000000000000000000000000000002.
contract RecordRegistry {
    mapping(address owner => mapping(bytes32 root => uint256 blockNumber)) private _anchoredAt;
    mapping(address owner => uint256 count) private _counts;

    /// @notice A root was anchored.
    /// @param owner the caller
    /// @param index the number of the root among its owner's, counted from 0
    /// @param root the Merkle root
    event Anchored(address indexed owner, uint256 indexed index, bytes32 indexed root);

    /// @notice Anchors a root for the caller, once.
    /// @param root the Merkle root, not zero
    /// @return index the number of the root among the caller's, counted from 0
    function anchor(bytes32 root) external returns (uint256 index) {
        if (root == bytes32(0)) revert ZeroRoot();
        uint256 anchoredAt = _anchoredAt[msg.sender][root];
        if (anchoredAt != 0) revert AlreadyAnchored(msg.sender, root, anchoredAt);
        _anchoredAt[msg.sender][root] = block.number;
        index = _counts[msg.sender]++;
        emit Anchored(msg.sender, index, root);
    }

    /// @notice The L2 block in which `owner` anchored `root`; 0 when it did not.
    /// @param owner the account that anchored
    /// @param root the Merkle root
    function anchorOf(address owner, bytes32 root) external view returns (uint256 blockNumber) {
        return _anchoredAt[owner][root];
    }

    /// @notice The number of roots that `owner` has anchored.
    /// @param owner the account that anchored
    function anchorCount(address owner) external view returns (uint256) {
        return _counts[owner];
    }
}
