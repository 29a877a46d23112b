// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors of StorageDeals
/// @notice Every reason for which a call is refused; each carries the facts that explain it.

/// @dev No open deal has this id.
error NoDeal(bytes32 dealId);

/// @dev The two parties have an open deal.
error DealOpen(bytes32 dealId);

/// @dev The deal has ended, or notice was given.
error DealOver(bytes32 dealId, uint64 endsAt);

/// @dev The caller is not the party that may do this.
error NotParty(bytes32 dealId, address caller);

/// @dev A signature is not that of the account.
error WrongSignature(address account);

/// @dev The terms are too old, or name an earlier deal of the two.
error TermsStale(uint64 validUntil, uint32 generation);

/// @dev The rate is above the highest.
error RateTooHigh(uint128 rate, uint128 highest);

/// @dev A party is the zero account, or both are the same.
error WrongParties(address owner, address holder);

/// @dev More epochs wait than one call settles: call `settle` first.
error SettleFirst(bytes32 dealId, uint64 settled, uint64 current);

/// @dev A set's number is not above the newest one.
error SetStale(uint64 seq, uint64 newest);

/// @dev The set takes bytes without a root, or a root without bytes, its bytes are no whole leaves, or too many.
error WrongSet(bytes32 root, uint64 bytes_);

/// @dev The collateral is smaller than the bytes need.
error CollateralTooSmall(uint256 collateral, uint256 needed);

/// @dev More is asked for than may leave: the rest has to cover what is locked.
error AmountLocked(uint256 amount, uint256 available);

/// @dev A challenge is open.
error ChallengeOpen(bytes32 dealId, uint64 deadline);

/// @dev No challenge is open.
error NoChallenge(bytes32 dealId);

/// @dev This epoch was asked about.
error AskedAlready(bytes32 dealId, uint64 epoch);

/// @dev There are no bytes to ask about.
error NothingStored(bytes32 dealId);

/// @dev The wei sent along are not what the call takes.
error WrongValue(uint256 sent, uint256 expected);

/// @dev It is too late for an answer, or too early to find fault.
error DeadlineIs(uint64 deadline);

/// @dev The question has no such number, or is answered.
error NoQuestion(uint8 question);

/// @dev The answer does not show the leaf that was asked for.
error WrongAnswer(uint8 question);

/// @dev The deal does not end yet.
error NotEnded(bytes32 dealId, uint64 endsAt);

/// @dev The deal was paid within the last days that it has to go unpaid.
error NotUnpaid(bytes32 dealId, uint64 unpaidEpochs);

/// @dev Nothing is owed.
error NothingOwed(address token, address account);

/// @dev A payment was refused.
error PaymentRefused(address account, uint256 amount);
