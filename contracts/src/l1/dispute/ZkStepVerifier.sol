// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, MachineState, Read} from "./IStepVerifier.sol";
import {IStepHonk} from "./IStepHonk.sol";

/// @title ZkStepVerifier: one step by a zk proof of circuits/step, which tells nothing of registers and memory
/// @dev The proof is checked by bb's contract; here a step gets its one encoding in field elements. docs/design/0035-step-circuit.md.
contract ZkStepVerifier is IStepVerifier {
    /// @dev The scalar field of BN254.
    uint256 private constant MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint8 private constant LAST_FLAG = 2;
    uint256 private constant PUBLIC_INPUTS = 16;
    /// @dev A true proof takes some 690,000. A false one has precompiles fail, which take all that they are given.
    uint256 private constant PROOF_GAS = 1_000_000;

    /// @notice The verifier of proofs, with the key of the circuit for the network's SRS.
    IStepHonk public immutable HONK;

    /// @param honk with the key for the SRS of the network, which its KEY_HASH says
    constructor(IStepHonk honk) {
        HONK = honk;
    }

    /// @inheritdoc IStepVerifier
    function verify(MachineState calldata pre, MachineState calldata post, Read calldata read, bytes calldata proof)
        external
        view
        returns (bool)
    {
        if (uint256(pre.core) >= MODULUS || uint256(post.core) >= MODULUS) return false;
        if (pre.flag > LAST_FLAG || post.flag > LAST_FLAG || pre.input != post.input) return false;
        try HONK.verify{gas: PROOF_GAS}(proof, _publicInputs(pre, post, read)) returns (bool isProved) {
            return isProved;
        } catch {
            return false;
        }
    }

    function _publicInputs(MachineState calldata pre, MachineState calldata post, Read calldata read)
        private
        pure
        returns (bytes32[] memory inputs)
    {
        inputs = new bytes32[](PUBLIC_INPUTS);
        inputs[0] = pre.core;
        inputs[1] = post.core;
        (inputs[2], inputs[3]) = _leaves(pre.input);
        (inputs[4], inputs[5]) = _leaves(pre.output);
        (inputs[6], inputs[7]) = _leaves(post.output);
        inputs[8] = bytes32(uint256(pre.flag));
        inputs[9] = bytes32(uint256(post.flag));
        inputs[10] = bytes32(uint256(read.kind));
        (inputs[11], inputs[12]) = _leaves(read.key);
        inputs[13] = bytes32(uint256(read.offset));
        inputs[14] = _leaf(read.data);
        inputs[15] = bytes32(uint256(read.length));
    }

    /// @dev Both halves of a word, the first first.
    function _leaves(bytes32 word) private pure returns (bytes32, bytes32) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return (_leaf(bytes16(word)), _leaf(bytes16(word << 128)));
    }

    /// @dev 16 bytes as a little-endian number.
    function _leaf(bytes16 half) private pure returns (bytes32) {
        uint256 x = uint128(half);
        x = ((x >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff) | ((x & 0x00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        x = ((x >> 16) & 0x0000ffff0000ffff0000ffff0000ffff) | ((x & 0x0000ffff0000ffff0000ffff0000ffff) << 16);
        x = ((x >> 32) & 0x00000000ffffffff00000000ffffffff) | ((x & 0x00000000ffffffff00000000ffffffff) << 32);
        return bytes32((x >> 64) | ((x & 0xffffffffffffffff) << 64));
    }
}
