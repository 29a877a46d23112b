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

/// @dev The caller may not post batches.
/// @param caller the account that called
error NotPoster(address caller);

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
/// @param delayedCount the number that the caller gave
/// @param alreadyRead the number that the previous batch has read
error DelayedMessagesBackwards(uint256 delayedCount, uint256 alreadyRead);

/// @dev The batch reads delayed messages that do not exist.
/// @param delayedCount the number that the caller gave
/// @param messageCount the number of messages in the Inbox
error DelayedMessagesTooFar(uint256 delayedCount, uint256 messageCount);

/// @dev A transaction that should carry a batch in blobs carries none.
error BatchWithoutBlobs();

/// @dev All of these messages are read already.
/// @param count the number that the caller gave
/// @param alreadyRead the number that the batches so far have read
error NothingToForce(uint256 count, uint256 alreadyRead);

/// @dev The message that the caller describes is not the one that the Inbox took.
/// @param index the index of the message
error DelayedMessageDiffers(uint256 index);

/// @dev The posters still have time to read the message.
/// @param index the index of the message
/// @param forceableAt when anyone may force it, in seconds since 1970
error DelayedMessageTooYoung(uint256 index, uint256 forceableAt);

/// @dev A signed transaction is empty or larger than MAX_TRANSACTION_BYTES.
/// @param size its size, in bytes
/// @param maxSize the largest size, in bytes
error TransactionSizeInvalid(uint256 size, uint256 maxSize);

/// @dev The caller is not the Outbox.
/// @param caller the account that called
error NotOutbox(address caller);

/// @dev The caller is not the SystemConfig.
/// @param caller the account that called
error NotSystemConfig(address caller);

/// @dev The Inbox could not pay the Outbox.
/// @param amountWei the amount, in wei
error ReleaseFailed(uint256 amountWei);

/// @dev The caller is not the timelock.
/// @param caller the account that called
error NotTimelock(address caller);

/// @dev The caller is neither the steward nor the timelock.
/// @param caller the account that called
error NotSteward(address caller);

/// @dev A config of the Rollup is out of bounds.
/// @param stakeWei the stake given
/// @param periodS the challenge period given
/// @param intervalS the interval given
error ConfigInvalid(uint128 stakeWei, uint64 periodS, uint64 intervalS);

/// @dev The fee floor is above its bound.
/// @param feeFloorWei the floor given
/// @param maxWei the bound
error FeeFloorTooHigh(uint64 feeFloorWei, uint64 maxWei);

/// @dev A chain does not go back to an earlier fork.
/// @param fork the fork given
/// @param present the present fork
error ForkBackwards(uint8 fork, uint8 present);

/// @dev The caller is not the guardian.
/// @param caller the account that called
error NotGuardian(address caller);

/// @dev The guardian froze not long ago.
/// @param allowedAt when the next freeze is allowed, in seconds since 1970
error FreezeTooSoon(uint64 allowedAt);

/// @dev There is no freeze.
error NotFrozen();

/// @dev The guardian has stopped confirmations and withdrawals for now.
error Frozen();

/// @dev The timelock has no such operation waiting.
/// @param operation the operation's id
error NoChangeQueued(bytes32 operation);

/// @dev The account is not on the list of validators, and the list is not open.
/// @param account the account
error NotValidator(address account);

/// @dev The stake is not the caller's, or is no longer live.
/// @param stakeId the stake
/// @param caller the account that called
error NotStakeOwner(uint256 stakeId, address caller);

/// @dev The value is not what a stake takes, or what is locked is less than the node asks for.
/// @param amountWei what was given or is locked
/// @param expectedWei what is asked for
error StakeAmountWrong(uint256 amountWei, uint256 expectedWei);

/// @dev The stake stands elsewhere.
/// @param stakeId the stake
/// @param standsOn where it stands
/// @param expected where it would have to stand
error StakeElsewhere(uint256 stakeId, bytes32 standsOn, bytes32 expected);

/// @dev The node's status does not allow the call.
/// @param node the node
/// @param status the status, as the number of NodeStatus
error NodeStatusForbids(bytes32 node, uint8 status);

/// @dev The assertion exists and is alive: back it.
/// @param node the node
error NodeExists(bytes32 node);

/// @dev Only the latest confirmed node, and pending ones, take children.
/// @param node the parent
/// @param latestConfirmed the latest confirmed node
error ParentPassed(bytes32 node, bytes32 latestConfirmed);

/// @dev The assertion goes neither to its parent's target nor, short of it, beyond its parent.
/// @param batch the batch given
/// @param offset the offset given
/// @param target the parent's target
error StateOutOfRange(uint64 batch, uint64 offset, uint64 target);

/// @dev The batches up to the parent's target are not posted yet.
/// @param batchCount the number of batches
/// @param target the parent's target
error TargetNotReached(uint256 batchCount, uint64 target);

/// @dev It is too early on the freeze clock.
/// @param node the node
/// @param allowedAt when it is allowed
error TooEarly(bytes32 node, uint64 allowedAt);

/// @dev It is too late on the freeze clock.
/// @param node the node
/// @param endedAt the last second in which it was allowed
error TooLate(bytes32 node, uint64 endedAt);

/// @dev The node still has living rivals.
/// @param parent their parent
/// @param liveChildren how many children live
error StillRivaled(bytes32 parent, uint32 liveChildren);

/// @dev The stake is not eliminated, or does not back the node.
/// @param node the node
/// @param stakeId the stake
error NothingToPrune(bytes32 node, uint256 stakeId);

/// @dev The caller is not the parent's ChallengeManager.
/// @param caller the account that called
error NotChallengeManager(address caller);

/// @dev The two stakes are not on paths that part at this node.
/// @param parent the node
error NotRivals(bytes32 parent);

/// @dev The account is not owed so much.
/// @param account the account
/// @param owedWei what it is owed
/// @param amountWei what it would give away
error NotOwedEnough(address account, uint256 owedWei, uint256 amountWei);

/// @dev Text that says how to reach a staker is too long.
/// @param size its size, in bytes
/// @param maxSize the largest size, in bytes
error ContactTooLong(uint256 size, uint256 maxSize);

/// @dev There is nothing to pay to the account.
/// @param account the account
error NothingToPay(address account);

/// @dev ETH could not be sent.
/// @param to the account
/// @param amountWei the amount, in wei
error PaymentFailed(address to, uint256 amountWei);

/// @dev The assertion is not confirmed.
/// @param node the assertion
error NotConfirmed(bytes32 node);

/// @dev The state is not the one that the assertion names.
/// @param node the assertion
error StateDiffers(bytes32 node);

/// @dev The proof does not lead to the assertion's send root.
/// @param nonce the message
error ProofInvalid(uint256 nonce);

/// @dev The message has been executed.
/// @param nonce the message
error AlreadyExecuted(uint256 nonce);

/// @dev A message may not call the rollup's own contracts.
/// @param to the account that it would call
error TargetForbidden(address to);

/// @dev Only the Inbox pays the Outbox.
/// @param caller the account that sent ETH
error NotInbox(address caller);
