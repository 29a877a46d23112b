// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RollupConfig} from "./RollupTypes.sol";

/// @title What the Rollup reads of the SystemConfig
interface ISystemConfig {
    /// @notice Whether an account may stake: it is on the list, or the list is open.
    /// @param account the account
    function mayStake(address account) external view returns (bool);

    /// @notice The number of the newest config; the first is 0.
    function latestConfigId() external view returns (uint32);

    /// @notice A config by its number. Configs are only ever appended.
    /// @param configId the number
    function rollupConfig(uint32 configId) external view returns (RollupConfig memory);
}
