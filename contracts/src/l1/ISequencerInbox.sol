// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the Rollup reads of the SequencerInbox
interface ISequencerInbox {
    /// @notice The number of batches posted so far.
    function batchCount() external view returns (uint256);

    /// @notice The accumulator after the batch `sequenceNumber`.
    /// @param sequenceNumber the number of a posted batch, counted from 0
    function accumulator(uint256 sequenceNumber) external view returns (bytes32);
}
