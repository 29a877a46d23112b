// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title TestToken: the ERC-20 of tests and benchmarks
contract TestToken is ERC20 {
    /// @param supply the whole supply, in the token's smallest unit; the deployer gets it
    constructor(uint256 supply) ERC20("Test Token", "TEST") {
        _mint(msg.sender, supply);
    }
}
