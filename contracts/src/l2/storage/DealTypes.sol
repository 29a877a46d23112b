// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What both parties agree on, once; the holder signs it and the owner opens the deal with it.
/// @param owner who stores and pays
/// @param holder who keeps the shards
/// @param payout who gets what the holder earns
/// @param token what is paid with; zero for L2's own coin
/// @param ratePerTiBDay units of the token for 2^40 bytes through one epoch
/// @param generation how many deals the two had before
/// @param validUntil the last second in which it may be opened
struct Terms {
    address owner;
    address holder;
    address payout;
    address token;
    uint128 ratePerTiBDay;
    uint32 generation;
    uint64 validUntil;
}

/// @notice A deal of a pair. Epochs are days since `openedAt`.
/// @param payout who gets what the holder earns
/// @param token what is paid with
/// @param ratePerTiBDay units of the token for 2^40 bytes through one epoch
/// @param balance prepaid and unspent
/// @param collateral the holder's
/// @param openedAt when epoch 0 began; 0 for no deal
/// @param endsAt when it ends; 0 while nobody gave notice
/// @param settled epochs that are accounted for
/// @param arrears what the balance did not cover; paid first
/// @param unpaidEpochs settled epochs since there are arrears
/// @param setRoot root of the set in force
/// @param setBytes its bytes
/// @param seq its number
/// @param nextRoot root of the set that comes into force
/// @param nextBytes its bytes
/// @param nextSeq its number
/// @param nextFrom the epoch from which on; 0 for none
struct Deal {
    address payout;
    address token;
    uint128 ratePerTiBDay;
    uint128 balance;
    uint128 collateral;
    uint128 arrears;
    uint64 openedAt;
    uint64 endsAt;
    uint64 settled;
    uint64 unpaidEpochs;
    bytes32 setRoot;
    uint64 setBytes;
    uint64 seq;
    bytes32 nextRoot;
    uint64 nextBytes;
    uint64 nextSeq;
    uint64 nextFrom;
}

/// @notice Questions that a holder has to answer.
/// @param setRoot the set that they are about
/// @param setBytes its bytes
/// @param seed what the places follow from
/// @param epoch the epoch in which they were asked, and which is not paid if they stay unanswered
/// @param deadline the last second for an answer; 0 for no challenge
/// @param answered a bit for each question
struct Challenge {
    bytes32 setRoot;
    uint64 setBytes;
    bytes32 seed;
    uint64 epoch;
    uint64 deadline;
    uint8 answered;
}
