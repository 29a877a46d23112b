// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntryCosts} from "../RollupTypes.sol";
import {NothingToRefund} from "./DisputeErrors.sol";
import {Challenge, Parties, Party} from "./DisputeTypes.sol";
import {IChallengeManager} from "./IChallengeManager.sol";
import {Subjects} from "./Subjects.sol";

/// @title Entries: what the parties' accepted calls cost, and who pays for them
/// @notice An entry counts against the stake of its opponent. A stake that is lost pays all entries against it, in proportion where
/// they are more than the Rollup lets it pay. So neither a friend who settles first nor the order of calls takes what another is due.
abstract contract Entries is Subjects, IChallengeManager {
    /// @notice What is refunded of a move that opens a challenge, in gas.
    uint256 public constant OPEN_GAS = 220_000;
    /// @notice The same of an answer to the position, in gas.
    uint256 public constant ANSWER_GAS = 115_000;
    /// @notice The same of an answer to a signed message, in gas.
    uint256 public constant JUMP_GAS = 125_000;
    /// @notice The same of the first answer about steps, in gas.
    uint256 public constant STEPS_GAS = 165_000;
    /// @notice The same of a settlement without its proof and preimage, in gas.
    uint256 public constant SETTLE_GAS = 144_000;
    /// @notice The most that is refunded of checking a proof and a preimage, in gas.
    uint256 public constant MAX_PROOF_GAS = 7_500_000;
    /// @notice What is added to the base fee, in wei per unit of gas.
    uint256 public constant TIP_WEI = 2 gwei;
    /// @notice The highest price that is refunded, in wei per unit of gas.
    uint256 public constant MAX_PRICE_WEI = 100 gwei;

    /// @notice What the entries against a stake cost, and what it pays for them once it is lost.
    /// @param entriesWei all accepted entries against it
    /// @param refundWei what it pays for them; 0 until it is lost
    /// @dev Once it is lost both are what is still to be paid.
    struct Refunds {
        uint128 entriesWei;
        uint128 refundWei;
    }

    /// @notice What the entries against a stake cost, and what it pays for them.
    mapping(uint256 stakeId => Refunds) public refundsOf;

    /// @dev At most a few entries of less than one ETH fit one record: 40 bits of gwei are a thousand ETH.
    function _credit(Challenge storage record, Parties calldata parties, bool isOpeners, uint256 gasUsed) internal {
        uint256 priceWei = block.basefee + TIP_WEI;
        if (priceWei > MAX_PRICE_WEI) priceWei = MAX_PRICE_WEI;
        uint40 costGwei = uint40(gasUsed * priceWei / 1 gwei);
        if (isOpeners) record.openerCreditGwei += costGwei;
        else record.responderCreditGwei += costGwei;
        uint256 against = isOpeners ? parties.responder.stakeId : parties.opener.stakeId;
        refundsOf[against].entriesWei += uint128(costGwei) * 1 gwei;
    }

    /// @dev Takes the loser's stake, which pays the winner's entries of this challenge at once. The Rollup calls nobody.
    function _eliminate(bytes32 challenge, Challenge storage record, Parties calldata parties, bool openerWon)
        internal
    {
        (Party calldata winner, Party calldata loser) =
            openerWon ? (parties.opener, parties.responder) : (parties.responder, parties.opener);
        emit ChallengeWon(challenge, winner.stakeId, loser.stakeId);
        uint128 creditWei = _takeCredit(record, openerWon);
        Refunds storage refunds = refundsOf[loser.stakeId];
        uint128 allWei = refunds.entriesWei;
        uint256 restWei =
            rollup.eliminate(winner.node, winner.stakeId, loser.node, loser.stakeId, EntryCosts(allWei, creditWei));
        (refunds.entriesWei, refunds.refundWei) = (allWei - creditWei, uint128(restWei));
    }

    /// @dev What a stake still has to pay and what is still claimed of it shrink together, so shares stay in proportion and their sum
    /// stays within what the stake pays.
    function _refund(
        bytes32 challenge,
        Challenge storage record,
        bool isOpeners,
        Party calldata to,
        Party calldata loser
    ) private returns (bool) {
        uint128 creditWei = _takeCredit(record, isOpeners);
        if (creditWei == 0) return false;
        Refunds storage refunds = refundsOf[loser.stakeId];
        uint128 amountWei = uint128(uint256(creditWei) * refunds.refundWei / refunds.entriesWei);
        refunds.entriesWei -= creditWei;
        refunds.refundWei -= amountWei;
        emit EntriesRefunded(challenge, to.stakeId, loser.stakeId, amountWei);
        rollup.assign(to.owner, amountWei);
        return true;
    }

    function _takeCredit(Challenge storage record, bool isOpeners) private returns (uint128 creditWei) {
        creditWei = uint128(isOpeners ? record.openerCreditGwei : record.responderCreditGwei) * 1 gwei;
        if (isOpeners) record.openerCreditGwei = 0;
        else record.responderCreditGwei = 0;
    }

    /// @dev Refunds whichever party's opponent is lost; both may be.
    function _refundBoth(bytes32 challenge, Challenge storage record, Parties calldata parties) internal {
        (Party calldata o, Party calldata r) = (parties.opener, parties.responder);
        bool isPaid = rollup.stakeOf(r.stakeId).isEliminated && _refund(challenge, record, true, o, r);
        if (rollup.stakeOf(o.stakeId).isEliminated) isPaid = _refund(challenge, record, false, r, o) || isPaid;
        if (!isPaid) revert NothingToRefund(challenge);
    }
}
