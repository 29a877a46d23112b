// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors of the L1 contracts
/// @notice One place for every reason for which an L1 call is refused; each carries the facts that explain it.

/// @dev A deposit carries no ETH.
error DepositEmpty();

/// @dev A deposit is not a whole number of gwei, the unit of an EIP-4895 withdrawal on L2.
/// @param amountWei the value sent, in wei
error DepositNotWholeGwei(uint256 amountWei);

/// @dev A deposit does not fit the 64 bits of gwei of an EIP-4895 withdrawal.
/// @param amountWei the value sent, in wei
/// @param maxWei the largest deposit, in wei
error DepositTooLarge(uint256 amountWei, uint256 maxWei);

/// @dev A deposit to the zero address would be lost on L2.
error DepositToZeroAddress();

/// @dev There is no entry at this place of the accumulator.
/// @param index the index asked for
/// @param count the number of entries
error IndexOutOfRange(uint256 index, uint256 count);

/// @dev A constructor argument that must be an account is the zero address.
error ZeroAddress();

/// @dev Someone else than the sequencer posts a batch.
/// @param caller the account that called
error NotSequencer(address caller);

/// @dev The call does not come straight from a codeless account's own transaction.
/// @param caller the account that called
/// @param origin the account that signed the transaction
error NotDirectCall(address caller, address origin);

/// @dev The batch is not the next one.
/// @param sequenceNumber the number that the caller gave
/// @param expected the number of the next batch
error BatchOutOfOrder(uint256 sequenceNumber, uint256 expected);

/// @dev The batch is larger than MAX_BATCH_BYTES.
/// @param size the size of the batch, in bytes
/// @param maxSize the largest size, in bytes
error BatchTooLarge(uint256 size, uint256 maxSize);

/// @dev The batch would take back delayed messages that an earlier one has read.
/// @param afterDelayedMessages the number that the caller gave
/// @param alreadyRead the number that the previous batch has read
error DelayedMessagesBackwards(uint256 afterDelayedMessages, uint256 alreadyRead);

/// @dev The batch reads delayed messages that do not exist.
/// @param afterDelayedMessages the number that the caller gave
/// @param messageCount the number of messages in the Inbox
error DelayedMessagesTooFar(uint256 afterDelayedMessages, uint256 messageCount);
