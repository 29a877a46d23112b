// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What stands beside a node of the tree of a set on the way up.
/// @param hash the node
/// @param leaves leaves below it
/// @param isLeft whether it stands on the left
struct Beside {
    bytes32 hash;
    uint64 leaves;
    bool isLeft;
}

/// @notice What a holder answers for one place among a deal's leaves.
/// @param shardId the shard's random id
/// @param root R of the shard
/// @param shardLeaves its length, in leaves of 256 bytes
/// @param setPath from the shard to the root of the set, the lowest first
/// @param leaf 256 bytes
/// @param leafPath siblings in the tree of the shard, the lowest first
struct Answer {
    bytes32 shardId;
    bytes32 root;
    uint64 shardLeaves;
    Beside[] setPath;
    bytes leaf;
    bytes32[] leafPath;
}

/// @title ShardProof: whether an answer shows the leaf at a place among all leaves of a deal
/// @notice Two trees of keccak256, one in the other; both are the node's own. That of a shard is protocol/coding/shard-tree.ts:
/// leaf = keccak256(0x00 | 256 bytes), node = keccak256(0x01 | left | right), R = keccak256(0x03 | length, 8 bytes | top).
/// That of a set is protocol/storage/shard-set.ts: leaf = keccak256(0x10 | shard id | R | leaves, 8 bytes),
/// node = keccak256(0x11 | left | its leaves | right | its leaves); a node without a right half goes up as it is. Every node says how
/// many leaves are below it, so the way up gives the place of the shard among the deal's leaves: nobody has to be believed.
library ShardProof {
    /// @notice What is asked for, in bytes.
    uint256 internal constant LEAF_BYTES = 256;
    /// @dev A shard's tree has whole pieces of 64 leaves.
    uint256 private constant PIECE_LEAVES = 64;
    uint256 private constant PIECE_LEVELS = 6;
    /// @dev More levels than any set has: 2^40 shards.
    uint256 private constant MAX_SET_LEVELS = 40;

    bytes1 private constant LEAF = 0x00;
    bytes1 private constant NODE = 0x01;
    bytes1 private constant SHARD = 0x03;
    bytes1 private constant MEMBER = 0x10;
    bytes1 private constant SET_NODE = 0x11;

    /// @notice Whether `answer` shows the leaf at `place` of the set with this root and these leaves.
    function shows(Answer calldata answer, bytes32 setRoot, uint256 setLeaves, uint256 place)
        internal
        pure
        returns (bool)
    {
        uint256 leaves = answer.shardLeaves;
        if (answer.leaf.length != LEAF_BYTES || answer.setPath.length > MAX_SET_LEVELS) return false;
        if (answer.leafPath.length != depthOf(leaves)) return false;
        (bytes32 top, uint256 start, uint256 total) = _climbSet(answer);
        if (top != setRoot || total != setLeaves || place < start || place >= start + leaves) return false;
        bytes32 node = keccak256(bytes.concat(LEAF, answer.leaf));
        uint256 index = place - start;
        for (uint256 level = 0; level < answer.leafPath.length; level++) {
            bool isRight = (index >> level) & 1 == 1;
            (bytes32 left, bytes32 right) = isRight ? (answer.leafPath[level], node) : (node, answer.leafPath[level]);
            node = keccak256(abi.encodePacked(NODE, left, right));
        }
        // The length in bytes fits, since leaves are 64 bits of which the set's size leaves eight free; another one has no root.
        return keccak256(abi.encodePacked(SHARD, uint64(leaves * LEAF_BYTES), node)) == answer.root;
    }

    /// @notice Levels of a shard's tree.
    function depthOf(uint256 leaves) internal pure returns (uint256 levels) {
        uint256 pieces = (leaves + PIECE_LEAVES - 1) / PIECE_LEAVES;
        levels = PIECE_LEVELS;
        for (uint256 width = 1; width < pieces; width <<= 1) {
            levels++;
        }
    }

    /// @return top what the way up ends in
    /// @return start leaves of the set before the shard
    /// @return total all leaves of the set
    function _climbSet(Answer calldata answer) private pure returns (bytes32 top, uint256 start, uint256 total) {
        top = keccak256(abi.encodePacked(MEMBER, answer.shardId, answer.root, answer.shardLeaves));
        total = answer.shardLeaves;
        for (uint256 level = 0; level < answer.setPath.length; level++) {
            Beside calldata beside = answer.setPath[level];
            // A sum past 64 bits would be packed as another number: no set is as large, so the way is none.
            if (total > type(uint64).max) return (0, 0, 0);
            if (beside.isLeft) {
                top = keccak256(abi.encodePacked(SET_NODE, beside.hash, beside.leaves, top, uint64(total)));
                start += beside.leaves;
            } else {
                top = keccak256(abi.encodePacked(SET_NODE, top, uint64(total), beside.hash, beside.leaves));
            }
            total += beside.leaves;
        }
    }
}
