// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IStepHonk: bb's verifier (contracts/honk), which is no part of what slither can read: its one function is too long
interface IStepHonk {
    /// @notice True, or reverts.
    /// @param proof of UltraHonk
    /// @param publicInputs of the circuit
    function verify(bytes calldata proof, bytes32[] calldata publicInputs) external view returns (bool);
}
