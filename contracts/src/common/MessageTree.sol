// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The depth of the tree of messages.
uint256 constant SEND_TREE_DEPTH = 32;

/// @notice A message from L2 to L1.
/// @param nonce its index in the tree, counted from 0
/// @param from the account on L2 that sent it
/// @param to the account on L1 that is called
/// @param value wei that the call carries
/// @param data what it is called with
struct L2Message {
    uint256 nonce;
    address from;
    address to;
    uint256 value;
    bytes data;
}

/// @title MessageTree: the Merkle tree of messages from L2 to L1
/// @notice A binary keccak256 tree of depth 32 whose missing leaves are zero. The Messenger on L2 appends, the Outbox on L1 proves.
/// A leaf hashes at least 192 bytes and an inner node 64, so neither passes for the other.
library MessageTree {
    /// @notice keccak256(abi.encode(nonce, from, to, value, data)).
    function leafOf(L2Message memory message) internal pure returns (bytes32) {
        return keccak256(abi.encode(message.nonce, message.from, message.to, message.value, message.data));
    }

    /// @notice The root that a leaf at `index` and its siblings, lowest first, give.
    function rootFrom(bytes32 leaf, uint256 index, bytes32[SEND_TREE_DEPTH] memory siblings)
        internal
        pure
        returns (bytes32 root)
    {
        root = leaf;
        for (uint256 i = 0; i < SEND_TREE_DEPTH; i++) {
            root = (index >> i) & 1 == 0 ? hashPair(root, siblings[i]) : hashPair(siblings[i], root);
        }
    }

    /// @notice The hash of an inner node.
    function hashPair(bytes32 left, bytes32 right) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            result := keccak256(0x00, 0x40)
        }
    }
}
