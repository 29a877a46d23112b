// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DelayedMessages: how a message from L1 to L2 is hashed
/// @notice The Inbox appends with these functions and the SequencerInbox checks with them. The node's derivation computes the same
/// (docs/design/0013-derivation.md).
library DelayedMessages {
    /// @notice All that the accumulator binds of a message.
    /// @param kind one of the Inbox's kinds
    /// @param sender the account that called the Inbox
    /// @param dataHash keccak256 of the message's data
    /// @param blockNumber the L1 block that took it
    /// @param timestamp the time of that block, in seconds since 1970
    struct Message {
        uint8 kind;
        address sender;
        bytes32 dataHash;
        uint256 blockNumber;
        uint256 timestamp;
    }

    /// @notice The hash of one message: every field as a word of 32 bytes.
    function hash(Message memory message) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(message.kind, message.sender, message.dataHash, message.blockNumber, message.timestamp)
            );
    }

    /// @notice The accumulator after a message.
    /// @param beforeAcc the accumulator before it; zero for the first
    /// @param messageHash what `hash` gives
    function accumulate(bytes32 beforeAcc, bytes32 messageHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(beforeAcc, messageHash));
    }
}
