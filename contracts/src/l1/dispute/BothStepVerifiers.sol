// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ZeroAddress} from "../Errors.sol";
import {IStepVerifier, MachineState, Read} from "./IStepVerifier.sol";

/// @title BothStepVerifiers: a step holds when two verifiers of different make say so
/// @notice An error of one of them alone decides no dispute for a liar. The proof is abi.encode(bytes first, bytes second).
contract BothStepVerifiers is IStepVerifier {
    /// @notice The first verifier.
    IStepVerifier public immutable first;
    /// @notice The second verifier.
    IStepVerifier public immutable second;

    /// @param first_ not zero
    /// @param second_ not zero
    constructor(IStepVerifier first_, IStepVerifier second_) {
        if (address(first_) == address(0) || address(second_) == address(0)) revert ZeroAddress();
        (first, second) = (first_, second_);
    }

    /// @inheritdoc IStepVerifier
    function verify(MachineState calldata pre, MachineState calldata post, Read calldata read, bytes calldata proof)
        external
        view
        returns (bool)
    {
        (bytes memory one, bytes memory other) = abi.decode(proof, (bytes, bytes));
        return first.verify(pre, post, read, one) && second.verify(pre, post, read, other);
    }
}
