// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    NothingDenied,
    OpeningInvalid,
    OtherChallenge,
    PointInvalid,
    PreimageInvalid,
    ProofRefused,
    ReadWrong,
    StateNotCanonical
} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {ChallengeStatus, Parties, StepClaim} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {Read} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title What a settlement has to show
contract ChallengeSettleTest is ChallengeTestBase {
    uint256 private constant FIELD_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    Parties private p;
    Message private last;
    StepClaim private claim;

    function setUp() public {
        setUpChallenges();
        p = parties();
        last = playTo(p, told(), invented(), 12);
        claim = claimOn(last);
    }

    function refuse(StepClaim memory bad, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", bad);
    }

    function test_thePreStateIsTheAgreedPoint() public {
        StepClaim memory bad = claim;
        bad.pre.output = keccak256("another");
        refuse(bad, abi.encodeWithSelector(OpeningInvalid.selector, claim.opening.before));
        bad = claim;
        bad.choice++;
        refuse(bad, abi.encodeWithSelector(PointInvalid.selector, claim.opening.before, claim.choice));
        bad = claim;
        bad.opening.denied = keccak256("another");
        refuse(bad, abi.encodeWithSelector(PointInvalid.selector, bad.opening.denied, claim.choice));
    }

    function test_aStepThatLeadsToTheDeniedPointProvesNothing() public {
        // The responder is honest: its points are true, and the only proof there is is of what it says.
        Parties memory r = reversed();
        Message memory true_ = talkTo(r, invented(), told(), 12);
        StepClaim memory proven = claim;
        proven.choice = 3;
        proven.opening = openingOf(true_, 3);
        proven.pre = machineAt(told(), true_.move_.iteration, true_.move_.step + 3);
        proven.post = machineAt(told(), true_.move_.iteration, true_.move_.step + 4);
        bytes memory signature = signed(r, true_);
        vm.expectRevert(abi.encodeWithSelector(NothingDenied.selector, true_.points[3]));
        vm.prank(r.opener.signer);
        challenges.settle(r, true_.move_, signature, proven);
    }

    function test_anotherEncodingOfTheSameStateIsRefusedAlsoByAnUnsoundVerifier() public {
        verifier.breakIt(true, false);
        StepClaim memory bad = claim;
        bad.post.core = bytes32(uint256(bad.post.core) + FIELD_MODULUS);
        refuse(bad, abi.encodeWithSelector(StateNotCanonical.selector, bad.post.core, 0));
        bad = claim;
        bad.post.core = bytes32(FIELD_MODULUS);
        refuse(bad, abi.encodeWithSelector(StateNotCanonical.selector, bad.post.core, 0));
        bad = claim;
        bad.post.flag = 3;
        refuse(bad, abi.encodeWithSelector(StateNotCanonical.selector, bad.post.core, 3));
    }

    function test_theVerifierDecidesOfTheStep() public {
        StepClaim memory bad = claim;
        bad.post.core = bytes32(uint256(bad.post.core) + 1);
        refuse(bad, abi.encodeWithSelector(ProofRefused.selector));
        bad = claim;
        bad.post.input = keccak256("another");
        refuse(bad, abi.encodeWithSelector(ProofRefused.selector));
        verifier.breakIt(false, true);
        refuse(claim, abi.encodeWithSelector(ProofRefused.selector));
    }

    function test_aMessageOfAnotherChallengeSettlesNothing() public {
        Parties memory r = reversed();
        bytes32 given = challenges.challengeIdOf(p);
        bytes32 expected = challenges.challengeIdOf(r);
        StepClaim memory c = claim;
        vm.expectRevert(abi.encodeWithSelector(OtherChallenge.selector, given, expected));
        vm.prank(r.opener.signer);
        challenges.settle(r, last.move_, "", c);
    }

    /// @dev A verifier proves what the machine asks and takes; L1 alone knows what the answer is.
    function test_theAnswerThatTheStepTookFollowsFromThePreimage() public {
        bytes memory preimage = "the preimage of the key, more than sixteen bytes of it";
        bytes32 key = keccak256(preimage);
        verifier.teachRead(claim.pre.core, 0, key, 16);
        StepClaim memory good = claim;
        good.preimage = preimage;
        good.read = Read(0, key, 16, bytes16("the key, more th"), uint32(preimage.length));
        good.post = verifier.successor(good.pre, good.read);
        StepClaim memory bad = abi.decode(abi.encode(good), (StepClaim));
        bad.read.data = bytes16("another answer, ");
        bad.post = verifier.successor(bad.pre, bad.read);
        refuse(bad, abi.encodeWithSelector(ReadWrong.selector, good.read.data, preimage.length));
        bad = abi.decode(abi.encode(good), (StepClaim));
        bad.preimage = "";
        refuse(bad, abi.encodeWithSelector(PreimageInvalid.selector, 0, key));
        bad = abi.decode(abi.encode(good), (StepClaim));
        bad.read.key = keccak256("other");
        bad.preimage = "other";
        bad.read.data = 0;
        bad.read.length = 5;
        refuse(bad, abi.encodeWithSelector(ProofRefused.selector));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", good);
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
    }

    function test_theLargestPreimageFitsATransaction() public {
        bytes memory preimage = new bytes(110_000);
        for (uint256 i = 0; i < preimage.length; i += 32) {
            preimage[i] = bytes1(uint8(i));
        }
        verifier.teachRead(claim.pre.core, 0, keccak256(preimage), 109_984);
        StepClaim memory good = claim;
        good.preimage = preimage;
        bytes16 data = bytes16(bytes1(uint8(preimage[109_984])));
        good.read = Read(0, keccak256(preimage), 109_984, data, 110_000);
        good.post = verifier.successor(good.pre, good.read);
        uint256 before = gasleft();
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", good);
        vm.assertTrue(before - gasleft() < 1_000_000, "execution beside the calldata");
        (uint128 entriesWei,) = challenges.refundsOf(liar);
        vm.assertEq(entriesWei, 0, "the winner's entries are still claimed");
    }
}
