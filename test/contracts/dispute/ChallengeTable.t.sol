// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ChallengeClosed,
    ChallengeExists,
    ChallengeNotOpen,
    ClockOut,
    ClockRuns,
    NotParties,
    NotSigner,
    PartiesLive,
    PartyGone,
    RoundTooLow,
    RoundWrong,
    SignatureInvalid
} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {
    Answer,
    Challenge,
    ChallengeStatus,
    Parties,
    Party,
    StepClaim
} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title The state table of docs/design/0034-challenges.md: who may call what in which state, and the clocks
contract ChallengeTableTest is ChallengeTestBase {
    uint32 private constant C = 302_400;
    uint32 private constant E = 10_800;
    Parties private p;

    function setUp() public {
        setUpChallenges();
        p = parties();
    }

    function id() private view returns (bytes32) {
        return challenges.challengeIdOf(p);
    }

    function assertClocks(uint256 opener, uint256 responder, string memory claim) private view {
        Challenge memory record = recordOf(p);
        vm.assertEq(record.openerClockS, opener, string.concat(claim, ": opener"));
        vm.assertEq(record.responderClockS, responder, string.concat(claim, ": responder"));
    }

    function elapse(uint256 seconds_) private {
        vm.warp(block.timestamp + seconds_);
    }

    function tryAnswer(Message memory prev, Tale memory tale, bytes memory signature, address from, bytes memory reason)
        private
    {
        Message memory next = reply(tale, prev, choose(tale, prev));
        Answer memory given = Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
        vm.expectRevert(reason);
        vm.prank(from);
        challenges.answer(p, prev.move_, signature, given);
    }

    // none

    function test_none_theOpenersSignerOpensWithBothClocksFull() public {
        Message memory message = firstMessage(p, told());
        vm.expectRevert(abi.encodeWithSelector(NotSigner.selector, alice, p.opener.signer));
        vm.prank(alice);
        challenges.open(p, message.points);
        open(p, told());
        Challenge memory record = recordOf(p);
        vm.assertEq(record.position, challenges.digestOf(message.move_), "position");
        vm.assertEq(record.round, 1, "round");
        vm.assertEq(record.since, guardian.time(), "since");
        assertClocks(C, C, "opened");
        assertOutcome(p, ChallengeStatus.Open, "status");
    }

    function test_none_anAnswerToASignedMessageOpens() public {
        Message memory prev = talkTo(p, told(), invented(), 7);
        answer(p, invented(), prev, signed(p, prev));
        vm.assertEq(recordOf(p).round, 8, "round");
        assertClocks(C, C, "opened");
    }

    function test_none_anAnswerToTheTwelfthMessageOrToNoneIsNoMove() public {
        Message memory prev = talkTo(p, told(), invented(), 12);
        Message memory next = talkTo(p, told(), invented(), 11);
        Answer memory given = Answer(0, openingOf(prev, 0), next.points);
        bytes memory signature = signed(p, prev);
        vm.expectRevert(abi.encodeWithSelector(RoundWrong.selector, 12));
        vm.prank(p.opener.signer);
        challenges.answer(p, prev.move_, signature, given);
        prev.move_.round = 0;
        vm.expectRevert(abi.encodeWithSelector(RoundWrong.selector, 0));
        vm.prank(p.opener.signer);
        challenges.answer(p, prev.move_, signature, given);
    }

    function test_none_onlyRivalsAsTheRollupHasThemBegin() public {
        Parties[9] memory wrong;
        for (uint256 i = 0; i < 9; i++) {
            wrong[i] = parties();
        }
        wrong[0].parent = truth;
        wrong[1].parent = bytes32(0);
        wrong[2].responder.node = truth;
        wrong[3].opener.stakeId = liar;
        wrong[4].responder.owner = stranger;
        wrong[5].responder.signer = stranger;
        wrong[6].opener.owner = stranger;
        wrong[7].responder = wrong[7].opener;
        // No rivals, who part at no node: that is not the node of id 0.
        (wrong[8].parent, wrong[8].responder.node) = (bytes32(0), wrong[8].opener.node);
        for (uint256 i = 0; i < 9; i++) {
            Message memory message = firstMessage(wrong[i], told());
            vm.expectRevert(abi.encodeWithSelector(NotParties.selector, wrong[i].parent));
            vm.prank(wrong[i].opener.signer);
            challenges.open(wrong[i], message.points);
        }
        wrong[5].opener.signer = stranger;
        Message memory other = firstMessage(wrong[5], told());
        vm.expectRevert(abi.encodeWithSelector(NotParties.selector, root));
        vm.prank(stranger);
        challenges.open(wrong[5], other.points);
    }

    function test_none_nothingToTimeOutOrToClose() public {
        vm.expectRevert(abi.encodeWithSelector(ChallengeNotOpen.selector, id()));
        challenges.timeout(p);
        vm.expectRevert(abi.encodeWithSelector(ChallengeNotOpen.selector, id()));
        challenges.closeMoot(p);
    }

    function test_none_aSettlementNeedsTheRespondersSignature() public {
        Message memory last = talkTo(p, told(), invented(), 12);
        bytes memory openers = sign(p.opener, challenges.digestOf(last.move_));
        StepClaim memory claim = claimOn(last);
        bytes32 digest = challenges.digestOf(last.move_);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, digest, p.responder.signer));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, openers, claim);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, digest, p.responder.signer));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", claim);
        bytes memory good = signed(p, last);
        vm.expectRevert(abi.encodeWithSelector(NotSigner.selector, stranger, p.opener.signer));
        vm.prank(stranger);
        challenges.settle(p, last.move_, good, claim);
        settle(p, last, good);
    }

    // open

    function test_open_theSecondOpeningIsRefused() public {
        Message memory message = open(p, told());
        vm.expectRevert(abi.encodeWithSelector(ChallengeExists.selector, id()));
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
    }

    function test_open_anAnswerChargesItsAuthorAndGivesTheOtherALeastClock() public {
        Message memory message = open(p, told());
        elapse(C - 1);
        message = answer(p, invented(), message, "");
        assertClocks(C, 1, "round 2");
        elapse(100);
        message = answer(p, told(), message, "");
        assertClocks(C - 100, E, "round 3");
        elapse(E - 1);
        message = answer(p, invented(), message, "");
        assertClocks(C - 100, 1, "round 4");
        elapse(C - 101);
        answer(p, told(), message, "");
        assertClocks(1, E, "round 5");
    }

    function test_open_theFirstTraceHasALongerLeastClock() public {
        Message memory message = playTo(p, told(), invented(), 2);
        elapse(C - 1);
        message = answer(p, told(), message, "");
        assertClocks(1, C, "round 3");
        answer(p, invented(), message, "");
        assertClocks(2 * E, C, "round 4");
    }

    function test_open_anAnswerAfterTheClockIsRefusedAndTheOtherWins() public {
        Message memory message = open(p, told());
        elapse(C - 1);
        vm.expectRevert(abi.encodeWithSelector(ClockRuns.selector, id(), 1));
        challenges.timeout(p);
        elapse(1);
        tryAnswer(message, invented(), "", p.responder.signer, abi.encodeWithSelector(ClockOut.selector, id()));
        vm.prank(stranger);
        challenges.timeout(p);
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
        vm.assertTrue(rollup.stakeOf(liar).isEliminated, "the silent one stays");
    }

    function test_open_theOpenersSilenceLosesToo() public {
        playTo(p, told(), invented(), 2);
        elapse(C);
        challenges.timeout(p);
        assertOutcome(p, ChallengeStatus.ResponderWon, "outcome");
        vm.assertTrue(rollup.stakeOf(honest).isEliminated, "the silent one stays");
    }

    function test_open_onlyThePartyOnTurnAnswersThePosition() public {
        Message memory message = open(p, told());
        bytes memory reason = abi.encodeWithSelector(NotSigner.selector, p.opener.signer, p.responder.signer);
        tryAnswer(message, invented(), "", p.opener.signer, reason);
    }

    function test_open_aHigherSignedMessageIsAnsweredByEitherAndChargesWhoseTurnItIs() public {
        open(p, told());
        Message memory sixth = talkTo(p, told(), invented(), 6);
        elapse(1_000);
        // It is the responder's turn; the opener goes on from what the responder signed.
        answer(p, told(), sixth, signed(p, sixth));
        vm.assertEq(recordOf(p).round, 7, "round");
        assertClocks(C, C - 1_000, "jump");
        Message memory ninth = talkTo(p, told(), invented(), 9);
        elapse(500);
        answer(p, invented(), ninth, signed(p, ninth));
        vm.assertEq(recordOf(p).round, 10, "round");
        assertClocks(C, C - 1_500, "second jump");
    }

    function test_open_aMessageOfNoHigherRoundOrWithoutTheOthersSignatureIsNoPosition() public {
        playTo(p, told(), invented(), 6);
        // A forged sixth message, signed: not above the position.
        Message memory sixth = talkTo(p, told(), Tale("other", LIE_ITERATION, LIE_STEP + 9), 6);
        bytes memory signature = signed(p, sixth);
        Message memory next = reply(told(), sixth, choose(told(), sixth));
        Answer memory given = Answer(next.move_.choice, openingOf(sixth, next.move_.choice), next.points);
        vm.expectRevert(abi.encodeWithSelector(RoundTooLow.selector, 6, 6));
        vm.prank(p.opener.signer);
        challenges.answer(p, sixth.move_, signature, given);
        Message memory eighth = talkTo(p, told(), invented(), 8);
        bytes memory reason =
            abi.encodeWithSelector(SignatureInvalid.selector, challenges.digestOf(eighth.move_), p.responder.signer);
        tryAnswer(eighth, told(), "", p.opener.signer, reason);
        tryAnswer(eighth, told(), sign(p.opener, challenges.digestOf(eighth.move_)), p.opener.signer, reason);
    }

    function test_open_settlingOnTheOpenersTurnChargesIt() public {
        Message memory last = playTo(p, told(), invented(), 12);
        uint256 left = recordOf(p).openerClockS;
        StepClaim memory claim = claimOn(last);
        elapse(left);
        vm.expectRevert(abi.encodeWithSelector(ClockOut.selector, id()));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", claim);
        vm.warp(block.timestamp - 1);
        settle(p, last, "");
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
    }

    function test_open_settlingOnASignedMessageInTheRespondersTurnChargesNobody() public {
        playTo(p, told(), invented(), 5);
        Message memory last = talkTo(p, told(), invented(), 12);
        elapse(C);
        settle(p, last, signed(p, last));
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
    }

    function test_open_aLowerRoundSettlesNothing() public {
        Message memory last = playTo(p, told(), invented(), 10);
        StepClaim memory claim = claimOn(last);
        vm.expectRevert(abi.encodeWithSelector(RoundWrong.selector, 10));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", claim);
    }

    function test_concessionsCountWithAndWithoutARecordAndOnlyTheLosers() public {
        bytes32 digest = challenges.concessionDigestOf(id());
        bytes memory openers = sign(p.opener, digest);
        bytes memory responders = sign(p.responder, digest);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, digest, p.responder.signer));
        challenges.concede(p, false, openers);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, digest, p.opener.signer));
        challenges.concede(p, true, responders);
        open(p, told());
        vm.prank(stranger);
        challenges.concede(p, true, openers);
        assertOutcome(p, ChallengeStatus.ResponderWon, "outcome");
        vm.assertTrue(rollup.stakeOf(honest).isEliminated, "the conceding one stays");
    }

    // moot

    function test_moot_whereAPartyIsGoneNothingCountsAndAnyoneClosesIt() public {
        Message memory message = open(p, told());
        vm.expectRevert(abi.encodeWithSelector(PartiesLive.selector, id()));
        challenges.closeMoot(p);
        Parties memory other = reversed();
        challenges.concede(
            other, true, sign(other.opener, challenges.concessionDigestOf(challenges.challengeIdOf(other)))
        );
        tryAnswer(message, invented(), "", p.responder.signer, abi.encodeWithSelector(PartyGone.selector, id()));
        elapse(C);
        vm.expectRevert(abi.encodeWithSelector(PartyGone.selector, id()));
        challenges.timeout(p);
        bytes memory concession = sign(p.responder, challenges.concessionDigestOf(id()));
        vm.expectRevert(abi.encodeWithSelector(PartyGone.selector, id()));
        challenges.concede(p, false, concession);
        vm.prank(stranger);
        challenges.closeMoot(p);
        assertOutcome(p, ChallengeStatus.Moot, "outcome");
        vm.expectRevert(abi.encodeWithSelector(ChallengeClosed.selector, id()));
        challenges.closeMoot(p);
    }

    // closed

    function test_closed_everyCallReverts() public {
        Message memory last = playTo(p, told(), invented(), 12);
        StepClaim memory claim = claimOn(last);
        settle(p, last, "");
        bytes memory reason = abi.encodeWithSelector(ChallengeClosed.selector, id());
        vm.expectRevert(reason);
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", claim);
        vm.expectRevert(reason);
        challenges.timeout(p);
        vm.expectRevert(reason);
        challenges.closeMoot(p);
        bytes memory concession = sign(p.responder, challenges.concessionDigestOf(id()));
        vm.expectRevert(reason);
        challenges.concede(p, false, concession);
        Message memory message = firstMessage(p, told());
        vm.expectRevert(reason);
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
        Message memory sixth = talkTo(p, told(), invented(), 6);
        tryAnswer(sixth, told(), signed(p, sixth), p.opener.signer, reason);
    }

    /// @dev Two stakes of one owner and signer on the lie: the record of the first shields no second.
    function test_aSecondStakeOfTheSameAccountIsAnotherChallenge() public {
        uint256 second = stakeWith(mallory, MALLORY_KEY);
        backAs(mallory, second, lie);
        Parties memory other = parties();
        other.responder = Party(lie, second, mallory, p.responder.signer);
        challenges.concede(p, false, sign(p.responder, challenges.concessionDigestOf(id())));
        Message memory last = talkTo(other, told(), invented(), 12);
        settle(other, last, signed(other, last));
        vm.assertTrue(rollup.stakeOf(second).isEliminated, "the second stays");
    }
}
