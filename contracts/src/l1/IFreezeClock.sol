// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the Rollup and the Outbox read of the Guardian
interface IFreezeClock {
    /// @notice Seconds since 1970 less all the time that was frozen: it stands still in a freeze.
    function time() external view returns (uint64);

    /// @notice Whether confirmations and withdrawals are stopped now.
    function isFrozen() external view returns (bool);
}
