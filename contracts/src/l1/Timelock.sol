// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock: OpenZeppelin's TimelockController without an administrator
/// @notice Only its proposers queue a change, anyone executes it once the delay is over, and only the timelock itself changes its
/// roles and its delay, by the same way. A public network uses 30 days: longer than the worst dispute (18.6 days), the forcing of a
/// message (1 day) and the time to act on it.
contract Timelock is TimelockController {
    /// @param delayS the delay, in seconds
    /// @param proposers who may queue and cancel
    constructor(uint256 delayS, address[] memory proposers)
        TimelockController(delayS, proposers, _anyone(), address(0))
    {}

    /// @dev The zero address as an executor means that everybody is one.
    function _anyone() private pure returns (address[] memory executors) {
        executors = new address[](1);
    }
}
