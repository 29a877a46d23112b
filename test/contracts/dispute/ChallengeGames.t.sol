// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeStatus} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {Challenge, Parties} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title Whole challenges between the truth and a lie, on either side
contract ChallengeGamesTest is ChallengeTestBase {
    function setUp() public {
        setUpChallenges();
    }

    function test_theHonestOpenerProvesTheFalseStepOfASilentLiar() public {
        Parties memory p = parties();
        Message memory last = playTo(p, told(), invented(), 12);
        vm.assertEq(uint256(last.move_.iteration), LIE_ITERATION, "iteration");
        settle(p, last, "");
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
        vm.assertTrue(rollup.stakeOf(liar).isEliminated, "the liar stays");
        vm.assertTrue(rollup.stakeOf(honest).isLive, "the honest goes");
    }

    function test_oneTransactionEndsItWhereTheLiarTalked() public {
        Parties memory p = parties();
        Message memory last = talkTo(p, told(), invented(), 12);
        settle(p, last, signed(p, last));
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
        vm.assertTrue(rollup.stakeOf(liar).isEliminated, "the liar stays");
    }

    function test_aLyingOpenerHasNothingToProveAndRunsOutOfTime() public {
        Parties memory p = reversed();
        Message memory last = playTo(p, invented(), told(), 12);
        vm.assertEq(choose(told(), last), NO_CHOICE, "the responder lied");
        Challenge memory record = recordOf(p);
        vm.warp(block.timestamp + record.openerClockS);
        challenges.timeout(p);
        assertOutcome(p, ChallengeStatus.ResponderWon, "outcome");
        vm.assertTrue(rollup.stakeOf(liar).isEliminated, "the liar stays");
    }
}
