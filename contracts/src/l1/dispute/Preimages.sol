// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PrecompileFailed, PreimageInvalid, ReadKindUnknown, ReadWrong} from "./DisputeErrors.sol";
import {NO_READ, Read} from "./IStepVerifier.sol";

/// @title Preimages: whether the answer that a step took is the one that its key stands for
/// @notice The answer is computed anew from the preimage, for each kind of docs/design/0031-dispute-machine.md.
/// @dev A precompile's failure is never an answer: a caller who leaves it too little gas would make "no signer" of a good signature.
library Preimages {
    uint32 private constant KECCAK = 0;
    uint32 private constant BLOB_ELEMENT = 1;
    uint32 private constant ECRECOVER = 2;

    address private constant ECRECOVER_PRECOMPILE = address(0x01);
    address private constant POINT_EVALUATION_PRECOMPILE = address(0x0a);

    /// @dev Versioned hash, index, element: 32 bytes each; commitment and proof: 48 each.
    uint256 private constant BLOB_PREIMAGE_BYTES = 192;
    uint256 private constant ECRECOVER_INPUT_BYTES = 128;
    uint256 private constant BLOB_ELEMENTS = 4_096;
    uint256 private constant BLOB_INDEX_BITS = 12;
    /// @dev The scalar field of BLS12-381, and its primitive root of unity of order BLOB_ELEMENTS: 7^((modulus - 1) / 4096).
    uint256 private constant BLS_MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant ROOT_OF_UNITY = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;

    /// @notice Reverts unless `read` is the preimage's answer.
    /// @param read what the step asked for and took
    /// @param preimage of read.key; empty when the step asked nothing
    function requireAnswer(Read calldata read, bytes calldata preimage) internal view {
        if (read.kind == NO_READ) {
            if (preimage.length != 0) revert PreimageInvalid(read.kind, read.key);
        } else if (read.kind == KECCAK) {
            if (keccak256(preimage) != read.key) revert PreimageInvalid(read.kind, read.key);
            bool isInside = read.offset < preimage.length;
            _requireEqual(read, isInside ? bytes16(preimage[read.offset:]) : bytes16(0), preimage.length);
        } else if (read.kind == BLOB_ELEMENT) {
            _requireWord(read, _blobElement(read, preimage), 32);
        } else if (read.kind == ECRECOVER) {
            (bytes32 word, uint256 length) = _recovered(read, preimage);
            _requireWord(read, word, length);
        } else {
            revert ReadKindUnknown(read.kind);
        }
    }

    function _requireWord(Read calldata read, bytes32 word, uint256 length) private pure {
        bytes16 data = 0;
        if (read.offset == 0) data = bytes16(word);
        if (read.offset == 16) data = bytes16(word << 128);
        _requireEqual(read, data, length);
    }

    function _requireEqual(Read calldata read, bytes16 data, uint256 length) private pure {
        if (read.data != data || read.length != length) revert ReadWrong(data, length);
    }

    /// @dev The element is the value at the index's root of unity of the polynomial to which the versioned hash commits.
    function _blobElement(Read calldata read, bytes calldata preimage) private view returns (bytes32 element) {
        if (preimage.length != BLOB_PREIMAGE_BYTES || keccak256(preimage[:64]) != read.key) {
            revert PreimageInvalid(read.kind, read.key);
        }
        uint256 index = uint256(bytes32(preimage[32:64]));
        if (index >= BLOB_ELEMENTS) revert PreimageInvalid(read.kind, read.key);
        element = bytes32(preimage[64:96]);
        (bool isDone, bytes memory answer) = POINT_EVALUATION_PRECOMPILE.staticcall(
            bytes.concat(preimage[:32], bytes32(_rootOfUnity(index)), preimage[64:])
        );
        // slither-disable-next-line incorrect-equality
        bool isShown = isDone && keccak256(answer) == keccak256(abi.encode(BLOB_ELEMENTS, BLS_MODULUS));
        if (!isShown) revert PrecompileFailed(POINT_EVALUATION_PRECOMPILE);
    }

    /// @dev The elements of a blob are values at the roots of unity in bit-reversed order (EIP-4844).
    function _rootOfUnity(uint256 index) private pure returns (uint256 root) {
        root = 1;
        uint256 power = ROOT_OF_UNITY;
        for (uint256 bit = BLOB_INDEX_BITS; bit != 0; bit--) {
            if ((index >> (bit - 1)) & 1 == 1) root = mulmod(root, power, BLS_MODULUS);
            power = mulmod(power, power, BLS_MODULUS);
        }
    }

    function _recovered(Read calldata read, bytes calldata preimage) private view returns (bytes32, uint256) {
        if (preimage.length != ECRECOVER_INPUT_BYTES || keccak256(preimage) != read.key) {
            revert PreimageInvalid(read.kind, read.key);
        }
        (bool isDone, bytes memory answer) = ECRECOVER_PRECOMPILE.staticcall(preimage);
        if (!isDone) revert PrecompileFailed(ECRECOVER_PRECOMPILE);
        return (bytes32(answer), answer.length);
    }
}
