// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the SequencerInbox reads of the SystemConfig
interface IPosters {
    /// @notice Whether an account may post batches.
    /// @param account the account
    function isPoster(address account) external view returns (bool);
}
