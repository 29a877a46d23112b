// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    PrecompileFailed,
    PreimageInvalid,
    ReadKindUnknown,
    ReadWrong
} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {NO_READ, Read} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {Preimages} from "../../../contracts/src/l1/dispute/Preimages.sol";
import {TestBase} from "../TestBase.sol";

/// @title Which answers follow from which preimages
contract PreimagesTest is TestBase {
    uint32 private constant KECCAK = 0;
    uint32 private constant BLOB = 1;
    uint32 private constant ECRECOVER = 2;
    string private vectors;

    function setUp() public {
        vectors = vm.readFile("test/contracts/vectors/blob-elements.json");
    }

    function requireAnswer(Read calldata read, bytes calldata preimage) external view {
        Preimages.requireAnswer(read, preimage);
    }

    function refuse(Read memory read, bytes memory preimage, bytes memory reason) private {
        vm.expectRevert(reason);
        // A precompile that refuses its input takes all the gas that it was given.
        this.requireAnswer{gas: 2_000_000}(read, preimage);
    }

    function slice(bytes memory data, uint256 offset) private pure returns (bytes16 part) {
        for (uint256 i = 0; i < 16 && offset + i < data.length; i++) {
            part |= bytes16(data[offset + i]) >> (8 * i);
        }
    }

    function test_aStepThatAsksNothingHasNoPreimage() public {
        this.requireAnswer(Read(NO_READ, 0, 0, 0, 0), "");
        refuse(Read(NO_READ, 0, 0, 0, 0), "x", abi.encodeWithSelector(PreimageInvalid.selector, NO_READ, bytes32(0)));
    }

    function test_kindsThatL1DoesNotKnowAreRefused() public {
        uint32[4] memory kinds = [uint32(3), 16, 17, NO_READ - 1];
        for (uint256 i = 0; i < 4; i++) {
            refuse(
                Read(kinds[i], keccak256(""), 0, 0, 0), "", abi.encodeWithSelector(ReadKindUnknown.selector, kinds[i])
            );
        }
    }

    function testFuzz_aKeccakAnswerIsSixteenBytesOfThePreimageFilledUpWithZeros(bytes memory data, uint256 where)
        public
    {
        uint32 offset = uint32(bound(where, 0, data.length / 16 + 2) * 16);
        Read memory read = Read(KECCAK, keccak256(data), offset, slice(data, offset), uint32(data.length));
        this.requireAnswer(read, data);
        bytes memory reason = abi.encodeWithSelector(ReadWrong.selector, read.data, data.length);
        read.length++;
        refuse(read, data, reason);
        read.length--;
        read.data ^= bytes16(uint128(1));
        refuse(read, data, reason);
        refuse(read, bytes.concat(data, "x"), abi.encodeWithSelector(PreimageInvalid.selector, KECCAK, keccak256(data)));
    }

    function blobPreimage(uint256 i) private view returns (bytes memory preimage, bytes32 element) {
        string memory entry = string.concat(".elements[", vm.toString(i), "]");
        bytes32 versionedHash = vm.parseJsonBytes32(vectors, ".versionedHash");
        uint256 index = vm.parseJsonUint(vectors, string.concat(entry, ".index"));
        element = vm.parseJsonBytes32(vectors, string.concat(entry, ".element"));
        bytes memory proof = vm.parseJsonBytes(vectors, string.concat(entry, ".proof"));
        bytes memory commitment = vm.parseJsonBytes(vectors, ".commitment");
        preimage = bytes.concat(versionedHash, bytes32(index), element, commitment, proof);
    }

    function keyOf(bytes memory preimage) private pure returns (bytes32) {
        (bytes32 versionedHash, bytes32 index) = abi.decode(preimage, (bytes32, bytes32));
        return keccak256(abi.encode(versionedHash, uint256(index)));
    }

    function test_aBlobElementIsShownByPointEvaluation() public {
        for (uint256 i = 0; i < 4; i++) {
            (bytes memory preimage, bytes32 element) = blobPreimage(i);
            bytes32 key = keyOf(preimage);
            this.requireAnswer(Read(BLOB, key, 0, bytes16(element), 32), preimage);
            this.requireAnswer(Read(BLOB, key, 16, bytes16(element << 128), 32), preimage);
            this.requireAnswer(Read(BLOB, key, 32, 0, 32), preimage);
            bytes memory reason = abi.encodeWithSelector(ReadWrong.selector, bytes16(element << 128), 32);
            refuse(Read(BLOB, key, 16, bytes16(element), 32), preimage, reason);
            refuse(Read(BLOB, key, 16, bytes16(element << 128), 31), preimage, reason);
        }
    }

    function test_aBlobElementOfAnotherPlaceOrValueIsRefused() public {
        (bytes memory preimage, bytes32 element) = blobPreimage(2);
        bytes memory failed = abi.encodeWithSelector(PrecompileFailed.selector, address(0x0a));
        for (uint256 i = 64; i < preimage.length; i += 7) {
            bytes memory changed = bytes.concat(preimage);
            changed[i] ^= 0x01;
            refuse(Read(BLOB, keyOf(changed), 0, bytes16(element), 32), changed, failed);
        }
        bytes memory elsewhere = bytes.concat(preimage);
        elsewhere[63] ^= 0x01;
        refuse(Read(BLOB, keyOf(elsewhere), 0, bytes16(element), 32), elsewhere, failed);
        bytes32 key = keyOf(preimage);
        bytes memory wrong = abi.encodeWithSelector(PreimageInvalid.selector, BLOB, key);
        refuse(Read(BLOB, key, 0, bytes16(element), 32), elsewhere, wrong);
        refuse(Read(BLOB, key, 0, bytes16(element), 32), bytes.concat(preimage, "x"), wrong);
        elsewhere[62] = 0x10;
        refuse(
            Read(BLOB, keyOf(elsewhere), 0, bytes16(element), 32),
            elsewhere,
            abi.encodeWithSelector(PreimageInvalid.selector, BLOB, keyOf(elsewhere))
        );
    }

    function signatureOf(uint256 key) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256("message"));
        return abi.encode(keccak256("message"), uint256(v), r, s);
    }

    function test_anAnswerOfEcrecoverIsThePrecompiles() public {
        bytes memory input = signatureOf(0xa11ce);
        bytes32 word = bytes32(uint256(uint160(vm.addr(0xa11ce))));
        this.requireAnswer(Read(ECRECOVER, keccak256(input), 0, bytes16(word), 32), input);
        this.requireAnswer(Read(ECRECOVER, keccak256(input), 16, bytes16(word << 128), 32), input);
        bytes memory reason = abi.encodeWithSelector(ReadWrong.selector, bytes16(word), 32);
        refuse(Read(ECRECOVER, keccak256(input), 0, 0, 0), input, reason);
        bytes memory bad = signatureOf(0xa11ce);
        bad[63] = 0x05;
        this.requireAnswer(Read(ECRECOVER, keccak256(bad), 0, 0, 0), bad);
        reason = abi.encodeWithSelector(ReadWrong.selector, bytes16(0), 0);
        refuse(Read(ECRECOVER, keccak256(bad), 0, bytes16(word), 32), bad, reason);
        bytes memory long = bytes.concat(input, "x");
        reason = abi.encodeWithSelector(PreimageInvalid.selector, ECRECOVER, keccak256(long));
        refuse(Read(ECRECOVER, keccak256(long), 0, bytes16(word), 32), long, reason);
    }

    /// @dev Whatever the gas, nobody gets "no signer" of a good signature.
    function test_tooLittleGasIsNeverAnAnswer() public view {
        bytes memory input = signatureOf(0xa11ce);
        bytes memory call = abi.encodeCall(this.requireAnswer, (Read(ECRECOVER, keccak256(input), 0, 0, 0), input));
        for (uint256 gasGiven = 500; gasGiven < 12_000; gasGiven += 50) {
            (bool isDone,) = address(this).staticcall{gas: gasGiven}(call);
            vm.assertTrue(!isDone, vm.toString(gasGiven));
        }
    }
}
