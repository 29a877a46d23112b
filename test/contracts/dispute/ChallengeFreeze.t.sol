// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeManager} from "../../../contracts/src/l1/dispute/ChallengeManager.sol";
import {
    ChallengeClosed,
    ChallengeNotOpen,
    ClockRuns,
    NotParties,
    ProofRefused
} from "../../../contracts/src/l1/dispute/DisputeErrors.sol";
import {Answer, ChallengeStatus, Parties, StepClaim} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {IDisputedRollup} from "../../../contracts/src/l1/dispute/IDisputedRollup.sol";
import {IStepVerifier} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {Frozen, NotTimelock, ZeroAddress} from "../../../contracts/src/l1/Errors.sol";
import {RollupConfig} from "../../../contracts/src/l1/RollupTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";
import {TestStepVerifier} from "./TestStepVerifier.sol";

/// @title A faulty verifier: frozen by the guardian, replaced and voided by the timelock
contract ChallengeFreezeTest is ChallengeTestBase {
    uint64 private constant C = 302_400;
    Parties private p;

    function setUp() public {
        setUpChallenges();
        p = parties();
    }

    function freeze() private {
        vm.prank(guard);
        guardian.freeze();
    }

    function voidAll(IStepVerifier replacement) private {
        vm.prank(address(timelock));
        challenges.voidAll(replacement);
    }

    function test_inAFreezeNoCallCountsAndNoClockRuns() public {
        Message memory twelfth = playTo(p, told(), invented(), 12);
        Message memory message = firstMessage(reversed(), invented());
        StepClaim memory claim = claimOn(twelfth);
        bytes memory concession = sign(p.opener, challenges.concessionDigestOf(challenges.challengeIdOf(p)));
        uint256 left = recordOf(p).openerClockS;
        vm.warp(block.timestamp + left - 10);
        freeze();
        vm.warp(block.timestamp + 13 days);
        bytes memory reason = abi.encodeWithSelector(Frozen.selector);
        vm.expectRevert(reason);
        challenges.timeout(p);
        vm.expectRevert(reason);
        challenges.concede(p, true, concession);
        vm.expectRevert(reason);
        vm.prank(p.opener.signer);
        challenges.settle(p, twelfth.move_, "", claim);
        vm.expectRevert(reason);
        vm.prank(mallorysSigner());
        challenges.open(reversed(), message.points);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(abi.encodeWithSelector(ClockRuns.selector, challenges.challengeIdOf(p), 10));
        challenges.timeout(p);
        settle(p, twelfth, "");
    }

    function mallorysSigner() private view returns (address) {
        return p.responder.signer;
    }

    function test_inAFreezeNoAnswerCounts() public {
        Message memory prev = open(p, told());
        Message memory next = reply(invented(), prev, choose(invented(), prev));
        Answer memory given = Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
        freeze();
        vm.expectRevert(abi.encodeWithSelector(Frozen.selector));
        vm.prank(p.responder.signer);
        challenges.answer(p, prev.move_, "", given);
    }

    function test_onlyTheTimelockVoidsAndNamesAVerifier() public {
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, guard));
        vm.prank(guard);
        challenges.voidAll(verifier);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        voidAll(IStepVerifier(address(0)));
    }

    function test_aVoidKeepsBothStakesAndTheChallengeBeginsAgainUnderTheNewVerifier() public {
        Message memory last = playTo(p, told(), invented(), 12);
        verifier.breakIt(false, true);
        StepClaim memory claim = claimOn(last);
        vm.expectRevert(abi.encodeWithSelector(ProofRefused.selector));
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, "", claim);
        TestStepVerifier sound = new TestStepVerifier();
        voidAll(sound);
        assertOutcome(p, ChallengeStatus.Void, "status");
        vm.assertTrue(rollup.areLive(honest, liar), "a stake is gone");
        vm.assertEq(address(challenges.verifierOf(root)), address(sound), "verifier");
        bytes32 id = challenges.challengeIdOf(p);
        vm.expectRevert(abi.encodeWithSelector(ChallengeNotOpen.selector, id));
        challenges.timeout(p);
        vm.warp(block.timestamp + 1 days);
        // What was signed before counts again: the liar's last message is not signed, so the honest side begins anew.
        open(p, told());
        vm.assertEq(recordOf(p).responderClockS, C, "the clock is not full");
        verifier = sound;
        Message memory again = talkTo(p, told(), invented(), 12);
        settle(p, again, signed(p, again));
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
    }

    function test_aVoidDoesNotReopenWhatIsDecidedNorBindLaterConfigs() public {
        challenges.concede(p, false, sign(p.responder, challenges.concessionDigestOf(challenges.challengeIdOf(p))));
        TestStepVerifier sound = new TestStepVerifier();
        voidAll(sound);
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
        Message memory message = firstMessage(p, told());
        vm.expectRevert(abi.encodeWithSelector(ChallengeClosed.selector, challenges.challengeIdOf(p)));
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
        RollupConfig memory later = config();
        later.verifier = account("later verifier");
        change(abi.encodeCall(systemConfig.setRollupConfig, (later)));
        vm.assertEq(address(challenges.verifierOf(root)), address(sound), "verifier of the old config");
        post();
        bytes32 below = createAs(alice, honest, truth, state(2, "below"));
        vm.assertEq(address(challenges.verifierOf(below)), later.verifier, "verifier of the new config");
    }

    function test_theFixIsVoidedBeforeTheFreezeCanEnd() public {
        // The void goes first: the config's operation names it as its predecessor, and the freeze lasts until that executes.
        freeze();
        RollupConfig memory fixedConfig = config();
        fixedConfig.verifier = address(new TestStepVerifier());
        bytes memory void = abi.encodeCall(ChallengeManager.voidAll, (IStepVerifier(fixedConfig.verifier)));
        bytes memory set = abi.encodeCall(systemConfig.setRollupConfig, (fixedConfig));
        bytes32 first_ = timelock.hashOperation(address(challenges), 0, void, bytes32(0), bytes32(0));
        vm.prank(proposer);
        timelock.schedule(address(challenges), 0, void, bytes32(0), bytes32(0), DELAY);
        vm.prank(proposer);
        timelock.schedule(address(systemConfig), 0, set, first_, bytes32(0), DELAY);
        guardian.extend(fixedConfig, first_, bytes32(0));
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert();
        timelock.execute(address(systemConfig), 0, set, first_, bytes32(0));
        timelock.execute(address(challenges), 0, void, bytes32(0), bytes32(0));
        vm.assertTrue(guardian.isFrozen(), "the clock runs");
        timelock.execute(address(systemConfig), 0, set, first_, bytes32(0));
        guardian.thaw();
        vm.assertEq(challenges.epoch(), 1, "epoch");
    }

    function test_withoutAVerifierOrUnderAnotherManagerNothingBegins() public {
        ChallengeManager other = new ChallengeManager(IDisputedRollup(address(rollup)), address(timelock));
        Message memory message = firstMessage(p, told());
        vm.expectRevert(abi.encodeWithSelector(NotParties.selector, root));
        vm.prank(p.opener.signer);
        other.open(p, message.points);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new ChallengeManager(IDisputedRollup(address(0)), address(timelock));
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new ChallengeManager(IDisputedRollup(address(rollup)), address(0));
    }
}

/// @title A network that began without challenges
contract ChallengeLaterTest is ChallengeTestBase {
    bool private hasNoManager;

    function config() internal view override returns (RollupConfig memory c) {
        c = super.config();
        if (!hasNoManager) (c.verifier, c.challengeManager, c.core0) = (address(0), address(0), bytes32(0));
    }

    function setUp() public {
        setUpChallenges();
    }

    function test_theNewestConfigGivesItsRulesToNodesThatHaveNone() public {
        Parties memory p = parties();
        Message memory message = firstMessage(p, told());
        vm.expectRevert(abi.encodeWithSelector(NotParties.selector, root));
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
        hasNoManager = true;
        RollupConfig memory withManager = config();
        hasNoManager = false;
        change(abi.encodeCall(systemConfig.setRollupConfig, (withManager)));
        vm.assertEq(address(challenges.verifierOf(root)), address(verifier), "verifier");
        Message memory last = talkTo(p, told(), invented(), 12);
        settle(p, last, signed(p, last));
        assertOutcome(p, ChallengeStatus.OpenerWon, "outcome");
    }
}

/// @title A network that has a manager and no verifier
contract ChallengeWithoutVerifierTest is ChallengeTestBase {
    function config() internal view override returns (RollupConfig memory c) {
        c = super.config();
        c.verifier = address(0);
    }

    function setUp() public {
        setUpChallenges();
    }

    function test_nothingBeginsThatNobodyCouldProve() public {
        Parties memory p = parties();
        Message memory message = firstMessage(p, told());
        vm.expectRevert(abi.encodeWithSelector(NotParties.selector, root));
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
    }
}
