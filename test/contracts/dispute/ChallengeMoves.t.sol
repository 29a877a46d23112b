// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ChoiceOutOfRange,
    EndWrong,
    InputWrong,
    NothingDenied,
    OpeningInvalid,
    OtherChallenge,
    PointInvalid,
    RoundWrong,
    SignatureInvalid,
    StateNotCanonical
} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {Answer, Move, Parties} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {MachineState} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {GlobalState} from "../../../contracts/src/l1/RollupTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title Which moves are valid
contract ChallengeMovesTest is ChallengeTestBase {
    uint256 private constant FIELD_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    Parties private p;

    function setUp() public {
        setUpChallenges();
        p = parties();
    }

    function answerOf(Tale memory tale, Message memory prev) private view returns (Answer memory given) {
        Message memory next = reply(tale, prev, choose(tale, prev));
        return Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
    }

    function refuse(Message memory prev, bytes memory signature, Answer memory given, bytes memory reason) private {
        address signer = prev.move_.round % 2 == 1 ? p.responder.signer : p.opener.signer;
        vm.expectRevert(reason);
        vm.prank(signer);
        challenges.answer(p, prev.move_, signature, given);
    }

    function refuseSteps(
        Message memory prev,
        Answer memory given,
        GlobalState memory g,
        MachineState memory end,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        vm.prank(p.opener.signer);
        challenges.answerBySteps(p, prev.move_, "", given, g, end);
    }

    /// @dev The digest by EIP-712's own words.
    function test_theDigestsAreThoseOfEip712() public view {
        Move memory m = talkTo(p, told(), invented(), 7).move_;
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Nectar ChallengeManager"),
                keccak256("1"),
                block.chainid,
                address(challenges)
            )
        );
        bytes32 typeHash = keccak256(
            "Move(bytes32 challenge,uint8 round,uint8 choice,uint64 iteration,uint64 step,bytes32 prev,bytes32 start,bytes32 end,bytes32 root)"
        );
        bytes memory body =
            abi.encode(typeHash, m.challenge, m.round, m.choice, m.iteration, m.step, m.prev, m.start, m.end, m.root);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(body)));
        vm.assertEq(challenges.digestOf(m), digest, "move");
        body = abi.encode(keccak256("Concede(bytes32 challenge)"), m.challenge);
        digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(body)));
        vm.assertEq(challenges.concessionDigestOf(m.challenge), digest, "concession");
        bytes memory names = abi.encode(block.chainid, address(challenges), p);
        vm.assertEq(challenges.challengeIdOf(p), keccak256(names), "id");
        vm.assertEq(m.challenge, keccak256(names), "challenge");
    }

    function test_anotherChainHasOtherIdsAndDigests() public {
        bytes32 id = challenges.challengeIdOf(p);
        bytes32 digest = challenges.concessionDigestOf(id);
        vm.chainId(4_711);
        vm.assertTrue(challenges.challengeIdOf(p) != id, "id");
        vm.assertTrue(challenges.concessionDigestOf(id) != digest, "digest");
    }

    function test_theFirstMoveEndsWhereTheOpenersNodeDoes() public {
        Message memory message = firstMessage(p, invented());
        bytes32 expected = rollup.stateHashOf(truth);
        vm.expectRevert(abi.encodeWithSelector(EndWrong.selector, message.points[31], expected));
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
    }

    function test_anAnswerOpensTwoPointsOfWhatItAnswers() public {
        Message memory prev = open(p, told());
        Answer memory good = answerOf(invented(), prev);
        Answer memory bad = answerOf(invented(), prev);
        bad.opening.before = keccak256("another");
        refuse(prev, "", bad, abi.encodeWithSelector(PointInvalid.selector, bad.opening.before, good.choice - 1));
        bad = answerOf(invented(), prev);
        bad.opening.denied = keccak256("another");
        refuse(prev, "", bad, abi.encodeWithSelector(PointInvalid.selector, bad.opening.denied, good.choice));
        for (uint256 level = 0; level < 5; level++) {
            bad = answerOf(invented(), prev);
            bad.opening.beforePath[level] ^= bytes32(uint256(1));
            refuse(prev, "", bad, abi.encodeWithSelector(PointInvalid.selector, good.opening.before, good.choice - 1));
            bad = answerOf(invented(), prev);
            bad.opening.deniedPath[level] ^= bytes32(uint256(1));
            refuse(prev, "", bad, abi.encodeWithSelector(PointInvalid.selector, good.opening.denied, good.choice));
        }
        bad = answerOf(invented(), prev);
        bad.choice++;
        refuse(prev, "", bad, abi.encodeWithSelector(PointInvalid.selector, good.opening.before, good.choice));
        bad.choice = 32;
        refuse(prev, "", bad, abi.encodeWithSelector(ChoiceOutOfRange.selector, 32));
    }

    function test_anAnswerDeniesThePoint() public {
        Message memory prev = open(p, told());
        Answer memory bad = answerOf(invented(), prev);
        bad.points[31] = bad.opening.denied;
        refuse(prev, "", bad, abi.encodeWithSelector(NothingDenied.selector, bad.opening.denied));
    }

    /// forge-config: default.fuzz.runs = 24
    function testFuzz_anyChangeOfTheAnsweredMessageIsNoPosition(uint256 field, uint64 change) public {
        Message memory prev = playTo(p, told(), invented(), 7);
        Answer memory given = answerOf(invented(), prev);
        change = uint64(bound(change, 1, 100));
        bytes32 flip = bytes32(uint256(change));
        field = bound(field, 0, 4);
        if (field == 0) prev.move_.choice ^= uint8(change);
        if (field == 1) prev.move_.iteration += change;
        if (field == 2) prev.move_.step += change;
        if (field == 3) prev.move_.prev ^= flip;
        if (field == 4) prev.move_.end ^= flip;
        vm.expectRevert();
        vm.prank(p.responder.signer);
        challenges.answer(p, prev.move_, "", given);
    }

    /// @dev Where the lie begins is drawn.
    /// forge-config: default.fuzz.runs = 24
    function testFuzz_theDissectionEndsAtTheFirstFalseStep(uint64 iteration, uint64 step) public view {
        Tale memory tale = Tale("lie", uint64(bound(iteration, 0, ITERATIONS - 1)), uint64(bound(step, 0, HALT - 1)));
        Message memory last = talkTo(p, told(), tale, 12);
        vm.assertEq(last.move_.iteration, tale.iteration, "iteration");
        vm.assertEq(last.move_.step + choose(told(), last), tale.step, "step");
    }

    function test_aMessageOfAnotherChallengeIsNotAnswered() public {
        Message memory prev = open(p, told());
        Answer memory given = answerOf(invented(), prev);
        prev.move_.challenge = keccak256("another");
        refuse(
            prev,
            "",
            given,
            abi.encodeWithSelector(OtherChallenge.selector, prev.move_.challenge, challenges.challengeIdOf(p))
        );
    }

    function test_aSignatureHasLowSAndNoOtherForm() public {
        Message memory prev = talkTo(p, told(), invented(), 6);
        bytes32 digest = challenges.digestOf(prev.move_);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(MALLORY_KEY, digest);
        bytes memory reason = abi.encodeWithSelector(SignatureInvalid.selector, digest, p.responder.signer);
        Answer memory given = answerOf(told(), prev);
        bytes32 high = bytes32(ORDER - uint256(s));
        refuse(prev, abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27)), given, reason);
        refuse(prev, abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255))), given, reason);
        refuse(prev, abi.encodePacked(r, s, v - 27), given, reason);
        refuse(prev, abi.encodePacked(r, s, v, uint8(0)), given, reason);
        refuse(prev, new bytes(65), given, reason);
        vm.prank(p.opener.signer);
        challenges.answer(p, prev.move_, abi.encodePacked(r, s, v), given);
    }

    // Round 5

    function test_roundFiveIsOpenedByStepsAndNoOther() public {
        Message memory prev = playTo(p, told(), invented(), 4);
        Answer memory given = answerOf(told(), prev);
        refuse(prev, "", given, abi.encodeWithSelector(RoundWrong.selector, 4));
        Message memory other = talkTo(p, told(), invented(), 3);
        GlobalState memory g = stateAfter(told(), LIE_ITERATION);
        MachineState memory end = machineAt(told(), LIE_ITERATION, 2 ** 40);
        vm.expectRevert(abi.encodeWithSelector(RoundWrong.selector, 3));
        vm.prank(p.responder.signer);
        challenges.answerBySteps(p, other.move_, "", given, g, end);
    }

    function test_roundFiveOpensItsStartAndItsEnd() public {
        Message memory prev = playTo(p, told(), invented(), 4);
        Answer memory given = answerOf(told(), prev);
        GlobalState memory g = stateAfter(told(), LIE_ITERATION);
        MachineState memory end = machineAt(told(), LIE_ITERATION, 2 ** 40);
        GlobalState memory otherG = stateAfter(told(), LIE_ITERATION + 1);
        refuseSteps(prev, given, otherG, end, abi.encodeWithSelector(OpeningInvalid.selector, given.opening.before));
        end.output = keccak256("another");
        refuseSteps(prev, given, g, end, abi.encodeWithSelector(OpeningInvalid.selector, given.points[31]));
        end = machineAt(told(), LIE_ITERATION, 2 ** 40);
        end.flag = 3;
        refuseSteps(prev, given, g, end, abi.encodeWithSelector(StateNotCanonical.selector, end.core, 3));
        end.flag = 1;
        end.core = bytes32(FIELD_MODULUS);
        given.points[31] = keccak256(abi.encode(end));
        refuseSteps(prev, given, g, end, abi.encodeWithSelector(StateNotCanonical.selector, end.core, 1));
        end = machineAt(told(), LIE_ITERATION + 1, 2 ** 40);
        given.points[31] = keccak256(abi.encode(end));
        bytes memory reason = abi.encodeWithSelector(InputWrong.selector, end.input, inputAt(told(), LIE_ITERATION));
        refuseSteps(prev, given, g, end, reason);
    }

    function test_roundFiveEndsInAnotherResultThanItDenies() public {
        Message memory prev = playTo(p, told(), invented(), 4);
        Answer memory given = answerOf(told(), prev);
        GlobalState memory g = stateAfter(told(), LIE_ITERATION);
        MachineState memory end = machineAt(told(), LIE_ITERATION, 2 ** 40);
        end.output = given.opening.denied;
        given.points[31] = keccak256(abi.encode(end));
        refuseSteps(prev, given, g, end, abi.encodeWithSelector(NothingDenied.selector, given.opening.denied));
    }

    /// @dev A machine that failed or did not halt makes G with the next batch, whatever its output says.
    function test_whatDidNotEndWellMakesTheFailedState() public {
        GlobalState memory g = stateAfter(told(), 0);
        bytes32 failed = keccak256(abi.encode(GlobalState(g.blockHash, g.sendRoot, g.batch + 1, 0)));
        // The opener's own fourth message would deny this; here the responder claims the failed state as the first iteration's end.
        Message memory prev = talkTo(p, told(), Tale("lie", 0, 0), 4);
        prev.points[0] = failed;
        prev.move_.root = treeOf(prev.points)[1];
        bytes memory signature = signed(p, prev);
        for (uint8 flag = 0; flag <= 2; flag++) {
            MachineState memory end = machineAt(told(), 0, 2 ** 40);
            end.flag = flag;
            Message memory next = reply(told(), prev, 0);
            next.points[31] = keccak256(abi.encode(end));
            Answer memory given = Answer(0, openingOf(prev, 0), next.points);
            if (flag != 1) vm.expectRevert(abi.encodeWithSelector(NothingDenied.selector, failed));
            vm.prank(p.opener.signer);
            challenges.answerBySteps(p, prev.move_, signature, given, g, end);
        }
    }

    function test_theFirstStateIsThatOfTheImageAndTheBatch() public {
        Message memory prev = playTo(p, told(), invented(), 4);
        Message memory next = answer(p, told(), prev, "");
        vm.assertEq(recordOf(p).position, challenges.digestOf(next.move_), "L1 computes another start");
    }
}
