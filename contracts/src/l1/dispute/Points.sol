// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ChoiceOutOfRange, PointInvalid} from "./DisputeErrors.sol";
import {Move, Opening, POINT_LEVELS, POINTS} from "./DisputeTypes.sol";

/// @title Points: the Merkle tree over the points of a move
/// @notice A point is its own leaf and a node is keccak256 of its two children. All leaves are at one depth, so no node passes for one.
library Points {
    /// @notice The root over all points.
    /// @param points the points
    /// @dev Each level is hashed into the first half of the one below, in memory that nothing else uses.
    function rootOf(bytes32[POINTS] calldata points) internal pure returns (bytes32 root) {
        bytes32[POINTS] memory nodes = points;
        assembly ("memory-safe") {
            for { let bytesOfLevel := 0x200 } bytesOfLevel { bytesOfLevel := and(shr(1, bytesOfLevel), 0x3e0) } {
                for { let offset := 0 } lt(offset, bytesOfLevel) { offset := add(offset, 0x20) } {
                    mstore(add(nodes, offset), keccak256(add(nodes, shl(1, offset)), 0x40))
                }
            }
            root := mload(nodes)
        }
    }

    /// @notice The state at which an answer begins, and the point that it denies; both are shown to lie in the move.
    /// @param move_ the move answered
    /// @param choice which point is denied
    /// @param opening the points with their paths
    function open(Move calldata move_, uint8 choice, Opening calldata opening)
        internal
        pure
        returns (bytes32 start, bytes32 denied)
    {
        if (choice >= POINTS) revert ChoiceOutOfRange(choice);
        start = move_.start;
        if (choice != 0) {
            start = opening.before;
            _requireUnder(move_.root, start, choice - 1, opening.beforePath);
        }
        denied = opening.denied;
        _requireUnder(move_.root, denied, choice, opening.deniedPath);
    }

    function _requireUnder(bytes32 root, bytes32 point, uint256 index, bytes32[POINT_LEVELS] calldata path)
        private
        pure
    {
        bytes32 node = point;
        for (uint256 level = 0; level < POINT_LEVELS; level++) {
            bool isLeft = (index >> level) & 1 == 0;
            node = isLeft ? Hashes.efficientKeccak256(node, path[level]) : Hashes.efficientKeccak256(path[level], node);
        }
        if (node != root) revert PointInvalid(point, index);
    }
}
