// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchOutOfOrder,
    BatchTooLarge,
    DelayedMessagesBackwards,
    DelayedMessagesTooFar,
    IndexOutOfRange,
    NotDirectCall,
    NotSequencer,
    ZeroAddress
} from "./Errors.sol";
import {IInbox} from "./IInbox.sol";

/// @title SequencerInbox: the order of L2
/// @notice The sequencer posts batches here, and anyone rebuilds L2 from them. A hash accumulator binds every batch, in order,
/// together with the delayed messages that it has read.
/// @dev The content of a batch is never checked on chain: decoding is total off chain, and a malformed batch is an empty one, the
/// same for everybody. There is no owner and no upgrade; a lost sequencer key needs a new deployment.
contract SequencerInbox {
    /// @notice The largest batch, in bytes: with the call's own encoding it stays below the 128 KiB at which L1 nodes refuse to
    /// relay a transaction.
    uint256 public constant MAX_BATCH_BYTES = 110_000;

    /// @notice The only account that may post batches.
    address public immutable sequencer;

    /// @notice The Inbox whose messages the batches read.
    IInbox public immutable inbox;

    /// @notice The number of delayed messages that the batches so far have read.
    uint256 public delayedMessagesRead;

    bytes32[] private _accumulators;

    /// @notice A batch was appended; its bytes are the argument `data` of the transaction that emitted this log.
    /// @param sequenceNumber the number of the batch, counted from 0
    /// @param beforeAcc the accumulator before it; zero for the first
    /// @param afterAcc the accumulator after it
    /// @param dataHash keccak256 of the batch
    /// @param afterDelayedMessages the number of delayed messages read up to and including this batch
    event BatchDelivered(
        uint256 indexed sequenceNumber,
        bytes32 indexed beforeAcc,
        bytes32 indexed afterAcc,
        bytes32 dataHash,
        uint256 afterDelayedMessages
    );

    /// @param sequencer_ the only account that may post batches, not zero
    /// @param inbox_ the Inbox, not zero
    constructor(address sequencer_, IInbox inbox_) {
        if (sequencer_ == address(0) || address(inbox_) == address(0)) revert ZeroAddress();
        sequencer = sequencer_;
        inbox = inbox_;
    }

    /// @notice Appends a batch.
    /// @dev The sequencer's account must call by its own transaction: a follower reads the batch back from the transaction's
    /// calldata. Equality with tx.origin is not enough for that, since an EIP-7702 account can call through its own code;
    /// so the account must have none.
    /// @param sequenceNumber the number of the batch; a repeated or overtaken transaction fails on it
    /// @param data the encoded batch, at most MAX_BATCH_BYTES
    /// @param afterDelayedMessages how many delayed messages L2 has read after this batch; never fewer than before
    function addBatch(uint256 sequenceNumber, bytes calldata data, uint256 afterDelayedMessages) external {
        if (msg.sender != sequencer) revert NotSequencer(msg.sender);
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotDirectCall(msg.sender, tx.origin);
        if (sequenceNumber != _accumulators.length) revert BatchOutOfOrder(sequenceNumber, _accumulators.length);
        if (data.length > MAX_BATCH_BYTES) revert BatchTooLarge(data.length, MAX_BATCH_BYTES);

        bytes32 delayedAcc = _readDelayedMessages(afterDelayedMessages);
        bytes32 beforeAcc = sequenceNumber == 0 ? bytes32(0) : _accumulators[sequenceNumber - 1];
        bytes32 dataHash = keccak256(data);
        bytes32 afterAcc = keccak256(abi.encodePacked(beforeAcc, dataHash, delayedAcc, afterDelayedMessages));
        _accumulators.push(afterAcc);
        emit BatchDelivered(sequenceNumber, beforeAcc, afterAcc, dataHash, afterDelayedMessages);
    }

    /// @notice The number of batches posted so far.
    function batchCount() external view returns (uint256) {
        return _accumulators.length;
    }

    /// @notice The accumulator after the batch `sequenceNumber`.
    /// @param sequenceNumber the number of a posted batch, counted from 0
    function accumulator(uint256 sequenceNumber) external view returns (bytes32) {
        if (sequenceNumber >= _accumulators.length) revert IndexOutOfRange(sequenceNumber, _accumulators.length);
        return _accumulators[sequenceNumber];
    }

    /// @dev Moves the mark of read messages; returns the Inbox accumulator there, zero while none has been read.
    function _readDelayedMessages(uint256 afterDelayedMessages) private returns (bytes32) {
        uint256 alreadyRead = delayedMessagesRead;
        if (afterDelayedMessages < alreadyRead) revert DelayedMessagesBackwards(afterDelayedMessages, alreadyRead);
        uint256 messageCount = inbox.messageCount();
        if (afterDelayedMessages > messageCount) revert DelayedMessagesTooFar(afterDelayedMessages, messageCount);
        if (afterDelayedMessages != alreadyRead) delayedMessagesRead = afterDelayedMessages;
        return afterDelayedMessages == 0 ? bytes32(0) : inbox.accumulator(afterDelayedMessages - 1);
    }
}
