// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FIELD_MODULUS, Poseidon2} from "./Poseidon2.sol";

/// @title OpenedMemory: leaves of the machine's memory, opened under its root
/// @notice 2^28 leaves of 16 bytes, each a little-endian number; docs/design/0031-dispute-machine.md. Paths lie in a list of words, a
/// word a sibling, the lowest first.
library OpenedMemory {
    /// @notice Levels of the tree.
    uint256 internal constant LEVELS = 28;

    /// @notice The root that a leaf leads to; nothing (0, false) when a sibling is no canonical field element.
    /// @param rounds Poseidon2's constants
    /// @param path the list of words
    /// @param from where the siblings begin, in words
    /// @param levels how many there are
    /// @param index of the node among those of its level
    /// @param node the leaf, or a node `levels` below the root
    function rootFrom(
        bytes memory rounds,
        bytes calldata path,
        uint256 from,
        uint256 levels,
        uint256 index,
        uint256 node
    ) internal pure returns (uint256 root, bool isCanonical) {
        root = node;
        for (uint256 level = 0; level < levels; level++) {
            uint256 sibling = wordAt(path, from + level);
            if (sibling >= FIELD_MODULUS) return (0, false);
            root = (index >> level) & 1 == 0
                ? Poseidon2.hashPair(rounds, root, sibling)
                : Poseidon2.hashPair(rounds, sibling, root);
        }
        isCanonical = true;
    }

    /// @notice A word of a list of words; reverts when the list ends before.
    function wordAt(bytes calldata words, uint256 index) internal pure returns (uint256) {
        return uint256(bytes32(words[32 * index:32 * index + 32]));
    }

    /// @notice 16 bytes as a leaf, or a leaf as 16 bytes: the bytes turned.
    function reversed(uint256 half) internal pure returns (uint256) {
        half = ((half >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff) | ((half & 0x00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        half = ((half >> 16) & 0x0000ffff0000ffff0000ffff0000ffff) | ((half & 0x0000ffff0000ffff0000ffff0000ffff) << 16);
        half = ((half >> 32) & 0x00000000ffffffff00000000ffffffff) | ((half & 0x00000000ffffffff00000000ffffffff) << 32);
        return (half >> 64) | ((half & 0xffffffffffffffff) << 64);
    }

    /// @notice The leaf of the half 0 or 1 of 32 bytes.
    function leafOf(bytes32 word, uint256 half) internal pure returns (uint256) {
        return reversed(half == 0 ? uint256(word) >> 128 : uint256(word) & type(uint128).max);
    }

    /// @notice 32 bytes with one half replaced by a leaf.
    function withHalf(bytes32 word, uint256 half, uint256 leaf) internal pure returns (bytes32) {
        uint256 value = reversed(leaf);
        return half == 0
            ? bytes32((value << 128) | (uint256(word) & type(uint128).max))
            : bytes32(((uint256(word) >> 128) << 128) | value);
    }
}
