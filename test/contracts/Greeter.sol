// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Greeter: what a dApp developer deploys first
contract Greeter {
    /// @dev A greeting may not be empty.
    error GreetingEmpty(address by);

    /// @notice The current greeting.
    string public greeting;
    /// @notice How often the greeting was changed.
    uint256 public changes;

    /// @notice The greeting was changed.
    event GreetingChanged(address indexed by, uint256 indexed changes, string greeting);

    /// @param greeting_ the first greeting
    constructor(string memory greeting_) {
        greeting = greeting_;
    }

    /// @notice Changes the greeting.
    /// @param greeting_ the new greeting, not empty
    function setGreeting(string calldata greeting_) external {
        if (bytes(greeting_).length == 0) revert GreetingEmpty(msg.sender);
        greeting = greeting_;
        changes++;
        emit GreetingChanged(msg.sender, changes, greeting_);
    }
}
