// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Challenge, Deal} from "../../contracts/src/l2/storage/DealTypes.sol";
import {StorageDealsBase} from "./StorageDealsBase.sol";
import {StorageDeals} from "../../contracts/src/l2/storage/StorageDeals.sol";

/// @title One pair that does everything in any order, a holder that answers or not, and money counted beside the contract
contract DealsHandler is StorageDealsBase {
    uint256 public paidIn;
    uint256 public paidOut;
    /// @dev What the payout account earned by the rule, counted epoch by epoch; and by bonds.
    uint256 public slashedWithoutSilence;
    uint256 public paidForFault;
    uint64 private seq;
    mapping(uint32 generation => mapping(uint64 epoch => bool)) private faulted;
    mapping(uint32 generation => mapping(uint64 epoch => bool)) private paidEpoch;
    uint256 public epochsPaidTwice;

    constructor() {
        createDeals();
    }

    function theDeals() external view returns (StorageDeals) {
        return deals;
    }

    function theDealId() external view returns (bytes32) {
        return dealId;
    }

    function accounts() external view returns (address[4] memory) {
        return [owner, holder, payout, stranger];
    }

    function wait(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1 hours, 3 days));
        vm.roll(block.number + 1);
    }

    function openAgain() external {
        if (deals.dealOf(dealId).openedAt == 0) openDeal();
    }

    function fundSome(uint256 amount) external {
        amount = bound(amount, 1, 1 ether);
        vm.prank(owner);
        try deals.fund{value: amount}(dealId, amount) {
            paidIn += amount;
        } catch {}
    }

    function lockSome(uint256 amount) external {
        amount = bound(amount, 1, 1 ether);
        vm.prank(holder);
        try deals.lock{value: amount}(dealId, amount) {
            paidIn += amount;
        } catch {}
    }

    function withdrawSome(uint256 amount, bool byOwner) external {
        amount = bound(amount, 1, 2 ether);
        vm.prank(byOwner ? owner : holder);
        if (byOwner) try deals.withdraw(holder, amount) {} catch {} else try deals.unlock(owner, amount) {} catch {}
    }

    function postSome(uint256 kind) external {
        seq++;
        (bytes32 root, uint64 size) = (setRoot(), SIZE);
        if (kind % 3 == 1) (root, size) = (0, 0);
        if (kind % 3 == 2) (root, size) = (keccak256("none has these bytes"), 2 ** 36);
        uint32 generation = deals.generationOf(dealId);
        bytes memory byOwner = signSet(generation, seq, root, size, OWNER_KEY);
        bytes memory byHolder = signSet(generation, seq, root, size, HOLDER_KEY);
        try deals.postSet(owner, holder, seq, root, size, byOwner, byHolder) {} catch {}
    }

    function ask() external {
        vm.prank(owner);
        try deals.challenge{value: 0.002 ether}(holder) {
            paidIn += 0.002 ether;
        } catch {}
    }

    function answerSome(uint256 questions) external {
        Challenge memory asked = deals.challengeOf(dealId);
        if (asked.deadline == 0 || asked.setRoot != setRoot()) return;
        for (uint8 question = 0; question < 5; question++) {
            if ((questions >> question) & 1 == 1) {
                try deals.answer(dealId, question, answerTo(asked, question)) {} catch {}
            }
        }
    }

    function findFault() external {
        Challenge memory asked = deals.challengeOf(dealId);
        uint256 before = deals.dealOf(dealId).collateral;
        try deals.fault(owner, holder) {
            faulted[deals.generationOf(dealId)][asked.epoch] = true;
            bool isSilent = asked.deadline != 0 && block.timestamp > asked.deadline && asked.answered != 31;
            if (!isSilent && deals.dealOf(dealId).collateral < before) slashedWithoutSilence++;
        } catch {}
    }

    function settleAll() external {
        Deal memory before = deals.dealOf(dealId);
        uint256 owedBefore = deals.owed(address(0), payout);
        try deals.settle(dealId) {} catch {}
        Deal memory now_ = deals.dealOf(dealId);
        if (now_.openedAt == 0 || now_.settled == before.settled) return;
        uint32 generation = deals.generationOf(dealId);
        for (uint64 epoch = before.settled; epoch < now_.settled; epoch++) {
            if (paidEpoch[generation][epoch]) epochsPaidTwice++;
            paidEpoch[generation][epoch] = true;
        }
        // One epoch alone, and a faulted one: nothing new is owed but what was in arrears.
        bool isOne = now_.settled == before.settled + 1;
        uint256 paid = deals.owed(address(0), payout) - owedBefore;
        if (isOne && faulted[generation][before.settled] && paid > before.arrears) paidForFault++;
    }

    function endSomehow(uint256 how) external {
        if (how % 4 == 0) {
            vm.prank(owner);
            try deals.giveNotice(owner, holder) {} catch {}
        } else if (how % 4 == 1) {
            vm.prank(owner);
            try deals.letGo(holder) {} catch {}
        } else if (how % 4 == 2) {
            vm.prank(holder);
            try deals.leaveUnpaid(owner) {} catch {}
        }
        try deals.close(owner, holder) {} catch {}
    }

    function claimFor(uint256 who) external {
        address account_ = [owner, holder, payout, stranger][who % 4];
        uint256 amount = deals.owed(address(0), account_);
        try deals.claim(address(0), account_) {
            paidOut += amount;
        } catch {}
    }
}

contract StorageDealsInvariantTest is StorageDealsBase {
    DealsHandler private handler;

    function setUp() public {
        handler = new DealsHandler();
        deals = handler.theDeals();
        dealId = handler.theDealId();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Every wei that came in is prepaid, collateral, a bond, owed, or gone to whom it was owed.
    function invariant_nothingIsLostOrMade() public view {
        Deal memory deal = deals.dealOf(dealId);
        uint256 sum = uint256(deal.balance) + deal.collateral;
        if (deals.challengeOf(dealId).deadline != 0) sum += 0.002 ether;
        address[4] memory all = handler.accounts();
        for (uint256 i = 0; i < 4; i++) {
            sum += deals.owed(address(0), all[i]);
        }
        vm.assertEq(sum, handler.paidIn() - handler.paidOut(), "funds in = funds out");
        vm.assertEq(address(deals).balance, sum, "and they are here");
    }

    function invariant_noEpochIsPaidTwiceOrForAFault() public view {
        vm.assertEq(handler.epochsPaidTwice(), 0, "twice");
        vm.assertEq(handler.paidForFault(), 0, "for a fault");
    }

    function invariant_nobodyIsSlashedWithoutSilence() public view {
        vm.assertEq(handler.slashedWithoutSilence(), 0, "slashed");
    }
}
