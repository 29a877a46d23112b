// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "./DelayedMessages.sol";
import {
    BatchOutOfOrder,
    BatchTooLarge,
    BatchWithoutBlobs,
    DelayedMessageDiffers,
    DelayedMessageTooYoung,
    DelayedMessagesBackwards,
    DelayedMessagesTooFar,
    IndexOutOfRange,
    NotDirectCall,
    NotPoster,
    NothingToForce,
    ZeroAddress
} from "./Errors.sol";
import {IInbox} from "./IInbox.sol";
import {IPosters} from "./IPosters.sol";
import {ISequencerInbox} from "./ISequencerInbox.sol";

/// @title SequencerInbox: the order of L2
/// @notice Posters append batches here, and anyone rebuilds L2 from them. A hash accumulator binds every batch, in order, with the
/// delayed messages that L2 must have read after it, with the L1 block in which it came (its number, its time and its parent's
/// hash), and with how it came: the same 32 bytes may be a batch in calldata, or the versioned hash of a blob. So whoever holds one
/// accumulator can decide everything that derivation asks of L1.
/// @dev acc[n] = keccak256(abi.encode(acc[n-1], dataHash, delayedAcc, delayedCount, block.number, block.timestamp,
/// blockhash(block.number - 1), source)). The content of a batch is never checked on chain: decoding is total off chain, and a
/// malformed batch holds no block, the same for everybody. `delayedCount` binds all the same: derivation itself appends the blocks that
/// consume the messages which the batch's own blocks left. There is no owner and no upgrade.
contract SequencerInbox is ISequencerInbox {
    /// @notice How a batch came, which says where its bytes are.
    enum Source {
        Calldata,
        Blobs,
        Forced
    }

    /// @notice The largest batch in calldata, in bytes: with the call's own encoding it stays below the 128 KiB at which L1 nodes
    /// refuse to relay a transaction.
    uint256 public constant MAX_BATCH_BYTES = 110_000;

    /// @notice Who may post batches.
    IPosters public immutable posters;

    /// @notice The Inbox whose messages the batches read.
    IInbox public immutable inbox;

    /// @notice How old a delayed message must be before anyone may force it, in seconds.
    uint256 public immutable forceDelay;

    /// @notice The number of delayed messages that L2 has to have read after the batches so far.
    uint256 public delayedMessagesRead;

    bytes32[] private _accumulators;

    /// @notice A batch was appended. Its bytes are the argument `data` of the transaction that emitted this log, or in that
    /// transaction's blobs, or it is empty, by its source.
    /// @param sequenceNumber the number of the batch, counted from 0
    /// @param beforeAcc the accumulator before it; zero for the first
    /// @param afterAcc the accumulator after it
    /// @param dataHash keccak256 of the batch, or of its blobs' versioned hashes one after another
    /// @param delayedCount the number of delayed messages that L2 must have read after this batch
    /// @param source how the batch came
    event BatchDelivered(
        uint256 indexed sequenceNumber,
        bytes32 indexed beforeAcc,
        bytes32 indexed afterAcc,
        bytes32 dataHash,
        uint256 delayedCount,
        Source source
    );

    /// @dev A poster's account must call by its own transaction: a follower reads the batch back from the transaction. Equality
    /// with tx.origin is not enough for that, since an EIP-7702 account can call through its own code; so it must have none.
    modifier onlyPosterDirectly() {
        if (!posters.isPoster(msg.sender)) revert NotPoster(msg.sender);
        // slither-disable-next-line tx-origin
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotDirectCall(msg.sender, tx.origin);
        _;
    }

    /// @param posters_ who may post batches, not zero
    /// @param inbox_ the Inbox, not zero
    /// @param forceDelay_ how old a delayed message must be before anyone may force it, in seconds
    constructor(IPosters posters_, IInbox inbox_, uint256 forceDelay_) {
        if (address(posters_) == address(0) || address(inbox_) == address(0)) revert ZeroAddress();
        posters = posters_;
        inbox = inbox_;
        forceDelay = forceDelay_;
    }

    /// @notice Appends a batch whose bytes are in this call.
    /// @param sequenceNumber the number of the batch; a repeated or overtaken transaction fails on it
    /// @param data the encoded batch, at most MAX_BATCH_BYTES
    /// @param delayedCount how many delayed messages L2 must have read after this batch; never fewer than before
    function addBatch(uint256 sequenceNumber, bytes calldata data, uint256 delayedCount) external onlyPosterDirectly {
        if (data.length > MAX_BATCH_BYTES) revert BatchTooLarge(data.length, MAX_BATCH_BYTES);
        _append(sequenceNumber, keccak256(data), delayedCount, Source.Calldata);
    }

    /// @notice Appends a batch whose bytes are in the EIP-4844 blobs of this transaction, all of them in order.
    /// @param sequenceNumber the number of the batch; a repeated or overtaken transaction fails on it
    /// @param delayedCount how many delayed messages L2 must have read after this batch; never fewer than before
    function addBatchBlobs(uint256 sequenceNumber, uint256 delayedCount) external onlyPosterDirectly {
        bytes memory hashes;
        for (uint256 i = 0; blobhash(i) != bytes32(0); i++) {
            hashes = bytes.concat(hashes, blobhash(i));
        }
        if (hashes.length == 0) revert BatchWithoutBlobs();
        _append(sequenceNumber, keccak256(hashes), delayedCount, Source.Blobs);
    }

    /// @notice Appends an empty batch that obliges L2 to read the first `count` delayed messages. Anyone may call it once the last
    /// of them is older than `forceDelay`: so no poster can keep a message from L2 for longer.
    /// @param count how many delayed messages L2 must have read then; more than before
    /// @param last the message `count - 1`, as the Inbox took it
    function forceInclusion(uint256 count, DelayedMessages.Message calldata last) external {
        if (count <= delayedMessagesRead) revert NothingToForce(count, delayedMessagesRead);
        uint256 messageCount = inbox.messageCount();
        if (count > messageCount) revert DelayedMessagesTooFar(count, messageCount);
        bytes32 beforeAcc = count == 1 ? bytes32(0) : inbox.accumulator(count - 2);
        bytes32 acc = DelayedMessages.accumulate(beforeAcc, DelayedMessages.hash(last));
        if (acc != inbox.accumulator(count - 1)) revert DelayedMessageDiffers(count - 1);
        if (block.timestamp <= last.timestamp + forceDelay) {
            revert DelayedMessageTooYoung(count - 1, last.timestamp + forceDelay + 1);
        }
        _append(_accumulators.length, keccak256(""), count, Source.Forced);
    }

    /// @inheritdoc ISequencerInbox
    function batchCount() external view returns (uint256) {
        return _accumulators.length;
    }

    /// @inheritdoc ISequencerInbox
    function accumulator(uint256 sequenceNumber) external view returns (bytes32) {
        if (sequenceNumber >= _accumulators.length) revert IndexOutOfRange(sequenceNumber, _accumulators.length);
        return _accumulators[sequenceNumber];
    }

    function _append(uint256 sequenceNumber, bytes32 dataHash, uint256 delayedCount, Source source) private {
        if (sequenceNumber != _accumulators.length) revert BatchOutOfOrder(sequenceNumber, _accumulators.length);
        bytes32 delayedAcc = _readDelayedMessages(delayedCount);
        bytes32 beforeAcc = sequenceNumber == 0 ? bytes32(0) : _accumulators[sequenceNumber - 1];
        bytes32 afterAcc = keccak256(
            abi.encode(
                beforeAcc,
                dataHash,
                delayedAcc,
                delayedCount,
                block.number,
                block.timestamp,
                blockhash(block.number - 1),
                source
            )
        );
        _accumulators.push(afterAcc);
        emit BatchDelivered(sequenceNumber, beforeAcc, afterAcc, dataHash, delayedCount, source);
    }

    /// @dev Moves the mark of read messages; returns the Inbox accumulator there, zero while none has been read.
    function _readDelayedMessages(uint256 delayedCount) private returns (bytes32) {
        uint256 alreadyRead = delayedMessagesRead;
        if (delayedCount < alreadyRead) revert DelayedMessagesBackwards(delayedCount, alreadyRead);
        uint256 messageCount = inbox.messageCount();
        if (delayedCount > messageCount) revert DelayedMessagesTooFar(delayedCount, messageCount);
        if (delayedCount != alreadyRead) delayedMessagesRead = delayedCount;
        return delayedCount == 0 ? bytes32(0) : inbox.accumulator(delayedCount - 1);
    }
}
