// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NothingToRefund} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {Parties, Party} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title What a lost stake pays: all opponents' entries, the reward, and the fire
contract ChallengeRefundsTest is ChallengeTestBase {
    uint256 private constant PRICE = 32 gwei;
    uint256 private constant FRIEND_KEY = 0xf1e4d;
    address private friend = account("friend");
    Parties private p;

    function setUp() public {
        setUpChallenges();
        p = parties();
    }

    function entriesAgainst(uint256 stakeId) private view returns (uint256 entriesWei) {
        (entriesWei,) = challenges.refundsOf(stakeId);
    }

    function concede(Parties memory lost) private {
        bytes32 digest = challenges.concessionDigestOf(challenges.challengeIdOf(lost));
        challenges.concede(lost, false, sign(lost.responder, digest));
    }

    function test_eachEntryCountsAgainstTheOpponentAtTheBoundedPrice() public {
        Message memory message = open(p, told());
        vm.assertEq(entriesAgainst(liar), 220_000 * PRICE, "open");
        message = answer(p, invented(), message, "");
        vm.assertEq(entriesAgainst(honest), 115_000 * PRICE, "answer");
        vm.fee(1_000 gwei);
        Message memory fourth = talkTo(p, told(), invented(), 6);
        answer(p, told(), fourth, signed(p, fourth));
        vm.assertEq(entriesAgainst(liar), 220_000 * PRICE + 125_000 * 100 gwei, "a jump at the highest price");
    }

    function test_theFirstAnswerAboutStepsCountsMore() public {
        Message memory message = playTo(p, told(), invented(), 4);
        uint256 before = entriesAgainst(liar);
        answer(p, told(), message, "");
        vm.assertEq(entriesAgainst(liar) - before, 165_000 * PRICE, "steps");
    }

    function test_theWinnerIsRefundedAtOnce() public {
        open(p, told());
        concede(p);
        vm.assertEq(rollup.owedWei(alice), 1 ether + 220_000 * PRICE, "winner");
        vm.assertEq(rollup.burnedWei(), 9 ether - 220_000 * PRICE, "burned");
        vm.expectRevert(abi.encodeWithSelector(NothingToRefund.selector, challenges.challengeIdOf(p)));
        challenges.refund(p);
    }

    /// @dev docs/design/0030: a friend who settles first took the honest side's refund.
    function test_aFriendWhoWinsFirstTakesNobodysRefund() public {
        Message memory message = open(p, told());
        message = answer(p, invented(), message, "");
        answer(p, told(), message, "");
        vm.prank(address(timelock));
        systemConfig.openToAll();
        vm.deal(friend, STAKE);
        uint256 friends = stakeWith(friend, FRIEND_KEY);
        backAs(friend, friends, truth);
        Parties memory other = parties();
        other.opener = Party(truth, friends, friend, vm.addr(FRIEND_KEY));
        Message memory opening = firstMessage(other, told());
        vm.prank(other.opener.signer);
        challenges.open(other, opening.points);
        concede(other);
        vm.assertEq(rollup.owedWei(friend), 1 ether + 220_000 * PRICE, "friend");
        vm.assertEq(rollup.owedWei(alice), 0, "before");
        vm.prank(stranger);
        challenges.refund(p);
        vm.assertEq(rollup.owedWei(alice), 335_000 * PRICE, "the honest side's entries");
        vm.assertEq(rollup.owedWei(address(challenges)), 0, "nothing stays");
        vm.expectRevert(abi.encodeWithSelector(NothingToRefund.selector, challenges.challengeIdOf(p)));
        challenges.refund(p);
    }

    function test_nothingIsRefundedWhileBothLive() public {
        open(p, told());
        vm.expectRevert(abi.encodeWithSelector(NothingToRefund.selector, challenges.challengeIdOf(p)));
        challenges.refund(p);
    }

    function test_aVoidKeepsWhatEntriesCost() public {
        open(p, told());
        vm.prank(address(timelock));
        challenges.voidAll(verifier);
        open(p, told());
        concede(p);
        vm.assertEq(rollup.owedWei(alice), 1 ether + 440_000 * PRICE, "winner");
    }

    function test_aSettlementCountsWithItsProofWithinItsBound() public {
        Message memory last = talkTo(p, told(), invented(), 12);
        settle(p, last, signed(p, last));
        uint256 refundWei = rollup.owedWei(alice) - 1 ether;
        vm.assertTrue(refundWei > 144_000 * PRICE, "less than the settlement");
        vm.assertTrue(refundWei < 400_000 * PRICE, "more than it cost");
    }

    function test_nobodyIsPaidByTheManagerItself() public {
        open(p, told());
        vm.expectRevert();
        rollup.claim(address(challenges));
    }
}
