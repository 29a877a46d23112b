// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The preimage of a machine state's hash, keccak256(abi.encode(MachineState)). docs/design/0031-dispute-machine.md.
/// @param core hash of registers, pc and memory: a field element of BN254, big-endian
/// @param input what the machine was given
/// @param output what it answers
/// @param flag 0 runs, 1 ended well, 2 failed
struct MachineState {
    bytes32 core;
    bytes32 input;
    bytes32 output;
    uint8 flag;
}

/// @notice What a step asked for, and the answer that it took. A step that asks nothing has kind NO_READ and zeros.
/// @param kind of the preimage
/// @param key of the preimage
/// @param offset into the preimage, a multiple of 16
/// @param data the 16 bytes from there on, filled up with zeros
/// @param length of the whole preimage
struct Read {
    uint32 kind;
    bytes32 key;
    uint32 offset;
    bytes16 data;
    uint32 length;
}

/// @dev The kind of a step that asks nothing.
uint32 constant NO_READ = type(uint32).max;

/// @title IStepVerifier: whether one step of the machine leads from one state to another
interface IStepVerifier {
    /// @notice Says true only for the one state that follows, in its one encoding: a core below the field's modulus, a flag of at
    /// most 2, the same input. That `read` is what its key says is not looked at: the caller checks it.
    /// @param pre the state before
    /// @param post the state after
    /// @param read what the step asked for
    /// @param proof what this verifier needs
    function verify(MachineState calldata pre, MachineState calldata post, Read calldata read, bytes calldata proof)
        external
        view
        returns (bool);
}
