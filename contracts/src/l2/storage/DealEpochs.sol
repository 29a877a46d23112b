// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AmountLocked, ChallengeOpen, DealOver, NoDeal, SettleFirst} from "./DealErrors.sol";
import {DealFunds} from "./DealFunds.sol";
import {Challenge, Deal} from "./DealTypes.sol";

/// @title DealEpochs: what deals there are, and what their epochs cost
/// @notice Every call accounts first for all epochs that are over; none is paid twice, none before it is over, none that a holder
/// failed, and none while a question about it is open.
abstract contract DealEpochs is DealFunds {
    /// @notice One epoch, in seconds. It is paid when it is over, by the bytes that were in force when it began.
    uint64 public constant EPOCH_S = 1 days;
    /// @notice Epochs that one call settles at most.
    uint64 public constant MAX_SETTLED = 64;

    uint256 private constant TIB_BITS = 40;

    mapping(bytes32 dealId => Deal) internal _deals;
    mapping(bytes32 dealId => Challenge) internal _challenges;
    /// @notice How many deals a pair had before.
    mapping(bytes32 dealId => uint32) public generationOf;
    mapping(bytes32 dealId => mapping(uint32 generation => mapping(uint64 epoch => bool))) internal _faulted;

    /// @notice Epochs were accounted for.
    event Settled(bytes32 indexed dealId, uint64 settled, uint256 paid, uint64 unpaidEpochs);

    /// @dev An open challenge holds settlement at its epoch: that it is paid is not known before.
    function _settle(bytes32 dealId, Deal storage deal) internal returns (uint64 due) {
        due = _epochsBefore(deal, uint64(block.timestamp));
        if (deal.endsAt != 0 && deal.endsAt < block.timestamp) due = _epochsBefore(deal, deal.endsAt);
        if (_challenges[dealId].deadline != 0) due = _least(due, _challenges[dealId].epoch);
        uint64 from = deal.settled;
        uint64 to = _least(due, from + MAX_SETTLED);
        if (to <= from) {
            _promote(deal, from);
            return due;
        }
        mapping(uint64 => bool) storage faulted = _faulted[dealId][generationOf[dealId]];
        uint256 paid = 0;
        for (uint64 epoch = from; epoch < to; epoch++) {
            _promote(deal, epoch);
            paid += _payEpoch(deal, faulted[epoch]);
        }
        _promote(deal, to);
        deal.settled = to;
        _owe(deal.token, deal.payout, paid);
        emit Settled(dealId, to, paid, deal.unpaidEpochs);
    }

    /// @dev Arrears are paid before anything else, so that a little money now and then buys no long storage.
    function _payEpoch(Deal storage deal, bool isFaulted) private returns (uint256 paid) {
        uint256 due = deal.arrears + (isFaulted ? 0 : _payOf(deal, deal.setBytes));
        uint256 left = deal.balance;
        paid = due > left ? left : due;
        deal.balance = uint128(left - paid);
        deal.arrears = _toUint128(due - paid);
        deal.unpaidEpochs = due == paid ? 0 : deal.unpaidEpochs + 1;
    }

    function _promote(Deal storage deal, uint64 epoch) internal {
        if (deal.nextFrom == 0 || epoch < deal.nextFrom) return;
        (deal.setRoot, deal.setBytes, deal.seq) = (deal.nextRoot, deal.nextBytes, deal.nextSeq);
        (deal.nextRoot, deal.nextBytes, deal.nextSeq, deal.nextFrom) = (0, 0, 0, 0);
    }

    function _deal(bytes32 dealId) internal view returns (Deal storage deal) {
        deal = _deals[dealId];
        if (deal.openedAt == 0) revert NoDeal(dealId);
    }

    /// @dev The deal with every epoch accounted for that can be.
    function _settledDeal(bytes32 dealId) internal returns (Deal storage deal) {
        deal = _deal(dealId);
        uint64 due = _settle(dealId, deal);
        if (deal.settled < due) revert SettleFirst(dealId, deal.settled, due);
    }

    /// @dev The same, of a deal that has not ended.
    function _runningDeal(bytes32 dealId) internal returns (Deal storage deal) {
        deal = _settledDeal(dealId);
        if (deal.endsAt != 0 && deal.endsAt <= block.timestamp) revert DealOver(dealId, deal.endsAt);
    }

    function _requireNoChallenge(bytes32 dealId) internal view {
        uint64 deadline = _challenges[dealId].deadline;
        if (deadline != 0) revert ChallengeOpen(dealId, deadline);
    }

    function _payOf(Deal storage deal, uint64 size) internal view returns (uint256) {
        return (uint256(deal.ratePerTiBDay) * size) >> TIB_BITS;
    }

    function _mostBytes(Deal storage deal) internal view returns (uint64) {
        return deal.nextBytes > deal.setBytes ? deal.nextBytes : deal.setBytes;
    }

    function _epochsBefore(Deal storage deal, uint64 time) internal view returns (uint64) {
        return (time - deal.openedAt) / EPOCH_S;
    }

    function _least(uint64 a, uint64 b) internal pure returns (uint64) {
        return a < b ? a : b;
    }

    function _toUint128(uint256 amount) internal pure returns (uint128) {
        if (amount > type(uint128).max) revert AmountLocked(amount, type(uint128).max);
        return uint128(amount);
    }
}
