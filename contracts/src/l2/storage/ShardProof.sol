// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a holder answers for one position of a deal's bytes.
/// @param shardId the shard's random id
/// @param root R of the shard
/// @param shardBytes its length
/// @param start the deal's bytes before it
/// @param setIndex its place in the set
/// @param setPath siblings in the tree of the set, the lowest first
/// @param leaf 256 bytes
/// @param leafPath siblings in the tree of the shard, the lowest first
struct Answer {
    bytes32 shardId;
    bytes32 root;
    uint64 shardBytes;
    uint64 start;
    uint256 setIndex;
    bytes32[] setPath;
    bytes leaf;
    bytes32[] leafPath;
}

/// @title ShardProof: whether an answer shows the leaf at a position of a deal's bytes
/// @notice Two trees of keccak256, one in the other. That of a shard is protocol/coding/shard-tree.ts:
/// leaf = keccak256(0x00 | 256 bytes), node = keccak256(0x01 | left | right), R = keccak256(0x03 | length, 8 bytes | top).
/// That of a set: leaf = keccak256(0x04 | shard id | R | length, 8 bytes | start, 8 bytes), node = keccak256(0x05 | left | right),
/// root = keccak256(0x06 | bytes, 8 | top). The first byte tells all of them apart.
library ShardProof {
    /// @notice What is asked for, in bytes.
    uint256 internal constant LEAF_BYTES = 256;
    /// @dev A shard's tree has whole pieces of 64 leaves.
    uint256 private constant PIECE_LEVELS = 6;
    /// @dev More levels than any set has: 2^40 shards.
    uint256 private constant MAX_SET_LEVELS = 40;

    bytes1 private constant LEAF = 0x00;
    bytes1 private constant NODE = 0x01;
    bytes1 private constant SHARD = 0x03;
    bytes1 private constant MEMBER = 0x04;
    bytes1 private constant SET_NODE = 0x05;
    bytes1 private constant SET = 0x06;

    /// @notice Whether `answer` shows the leaf at `position` of the set with this root and these bytes.
    function shows(Answer calldata answer, bytes32 setRoot, uint64 setBytes, uint64 position)
        internal
        pure
        returns (bool)
    {
        uint64 shardBytes = answer.shardBytes;
        if (position < answer.start || position - answer.start >= shardBytes) return false;
        if (answer.leaf.length != LEAF_BYTES || answer.setPath.length > MAX_SET_LEVELS) return false;
        if (answer.leafPath.length != depthOf(shardBytes)) return false;
        bytes32 top = _climb(
            NODE, keccak256(bytes.concat(LEAF, answer.leaf)), (position - answer.start) / LEAF_BYTES, answer.leafPath
        );
        if (keccak256(abi.encodePacked(SHARD, shardBytes, top)) != answer.root) return false;
        bytes32 member = keccak256(abi.encodePacked(MEMBER, answer.shardId, answer.root, shardBytes, answer.start));
        top = _climb(SET_NODE, member, answer.setIndex, answer.setPath);
        return keccak256(abi.encodePacked(SET, setBytes, top)) == setRoot;
    }

    /// @notice Levels of a shard's tree.
    function depthOf(uint64 shardBytes) internal pure returns (uint256 levels) {
        uint256 pieceBytes = LEAF_BYTES << PIECE_LEVELS;
        uint256 pieces = (shardBytes + pieceBytes - 1) / pieceBytes;
        levels = PIECE_LEVELS;
        for (uint256 width = 1; width < pieces; width <<= 1) {
            levels++;
        }
    }

    function _climb(bytes1 kind, bytes32 leaf, uint256 index, bytes32[] calldata path)
        private
        pure
        returns (bytes32 node)
    {
        node = leaf;
        for (uint256 level = 0; level < path.length; level++) {
            bool isRight = (index >> level) & 1 == 1;
            (bytes32 left, bytes32 right) = isRight ? (path[level], node) : (node, path[level]);
            node = keccak256(abi.encodePacked(kind, left, right));
        }
    }
}
