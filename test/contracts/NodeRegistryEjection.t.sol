// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AlreadyVoted,
    AppealClosed,
    NodeStatusForbids,
    NotNodeOwner,
    PeerEjected,
    ReasonMissing,
    VotedForEjection
} from "../../contracts/src/l2/Errors.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {NodeRegistry} from "../../contracts/src/l2/NodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

/// @title Ejection in two steps, appeal and readmission
contract NodeRegistryEjectionTest is RegistryTestBase {
    bytes32 private nodeId;
    uint256 private constant DUE = START_TIME + 90 days;

    function setUp() public {
        startClock();
        createRegistry();
        nodeId = submit(PEER);
    }

    function test_twoAuditorsEject() public {
        attestBy(auditorA, nodeId, DUE);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeVoted(nodeId, auditorA, false, 1, 7, EVIDENCE);
        ejectBy(auditorA, nodeId);
        vm.assertTrue(registry.isAuthorized(PEER), "one vote ejected");

        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeVoted(nodeId, auditorB, false, 2, 7, EVIDENCE);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeEjected(nodeId, 7, uint64(START_TIME + 30 days), EVIDENCE);
        ejectBy(auditorB, nodeId);
        vm.assertTrue(!registry.isAuthorized(PEER), "authorized");
        assertStatus(nodeId, INodeRegistry.Status.Draining, "status");
        vm.assertEq(registry.memberCount(), 0, "a draining node is listed");
        vm.warp(START_TIME + 30 days);
        assertStatus(nodeId, INodeRegistry.Status.Draining, "in the last second");
        vm.warp(START_TIME + 30 days + 1);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "when it has drained");
    }

    function test_oneAuditorVotesOnce() public {
        ejectBy(auditorA, nodeId);
        vm.expectRevert(abi.encodeWithSelector(AlreadyVoted.selector, nodeId, 1, auditorA));
        ejectBy(auditorA, nodeId);
    }

    function test_oldVotesLapseWithTheirRound() public {
        ejectBy(auditorA, nodeId);
        (uint32 round, uint8 votes, uint64 closesAt) = registry.ejectionRoundOf(nodeId);
        vm.assertEq(round, 1, "round");
        vm.assertEq(votes, 1, "votes");
        vm.assertEq(closesAt, START_TIME + 30 days, "closes at");

        vm.warp(closesAt + 1);
        ejectBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Applied, "a lapsed vote counted");
        ejectBy(auditorA, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "a new vote did not count");
        (round, votes,) = registry.ejectionRoundOf(nodeId);
        vm.assertEq(round, 2, "second round");
        vm.assertEq(votes, 2, "votes of the second round");
    }

    function test_votesCountUpToTheLastSecondOfTheRound() public {
        ejectBy(auditorA, nodeId);
        vm.warp(START_TIME + 30 days);
        ejectBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "status");
    }

    function test_neitherAPassNorLeavingShieldsFromEjection() public {
        ejectBy(auditorA, nodeId);
        attestBy(auditorC, nodeId, DUE);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        ejectBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "status");
    }

    function test_anEjectedNodeDoesNothingButAppeal() public {
        attestBy(auditorA, nodeId, DUE);
        harmBy(auditorA, nodeId);
        harmBy(auditorB, nodeId);
        bytes memory reason = abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Ejected);
        INodeRegistry.Application memory form = application(PEER);
        vm.deal(owner, 1 ether);
        vm.expectRevert(reason);
        vm.prank(owner);
        registry.submitApplication{value: 1 ether}(form);
        vm.expectRevert(reason);
        attestBy(auditorA, nodeId, DUE);
        vm.expectRevert(reason);
        ejectBy(auditorC, nodeId);
        vm.expectRevert(reason);
        harmBy(auditorC, nodeId);
        vm.expectRevert(reason);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        vm.expectRevert(reason);
        vm.prank(operator);
        registry.setAddresses(nodeId, new string[](0));
        // The same peer under another owner is the same peer.
        bytes32 again = submitAs(stranger, form);
        vm.expectRevert(abi.encodeWithSelector(PeerEjected.selector, keccak256(PEER), nodeId));
        attestBy(auditorA, again, DUE);
    }

    function voteOut() private {
        attestBy(auditorA, nodeId, DUE);
        ejectBy(auditorA, nodeId);
        ejectBy(auditorB, nodeId);
    }

    function test_aDrainingNodeKeepsItsAddressesAndNothingElse() public {
        voteOut();
        bytes memory reason = abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Draining);
        vm.prank(operator);
        registry.setAddresses(nodeId, new string[](0));
        vm.assertEq(registry.nodeOf(PEER).addresses.length, 0, "who reads does not find it");
        vm.expectRevert(reason);
        attestBy(auditorC, nodeId, DUE);
        vm.expectRevert(reason);
        warnBy(auditorC, nodeId, DUE);
        vm.expectRevert(reason);
        suspendBy(auditorC, nodeId);
        vm.expectRevert(reason);
        ejectBy(auditorC, nodeId);
        vm.expectRevert(reason);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        bytes32 again = submitAs(stranger, application(PEER));
        vm.expectRevert(abi.encodeWithSelector(PeerEjected.selector, keccak256(PEER), nodeId));
        attestBy(auditorA, again, DUE);
    }

    function test_harmPutsOutAtOnceAndItsVotesCountApart() public {
        attestBy(auditorA, nodeId, DUE);
        ejectBy(auditorA, nodeId);
        harmBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Active, "votes of two kinds were added up");
        (, uint8 votes,) = registry.harmRoundOf(nodeId);
        vm.assertEq(votes, 1, "votes for harm");
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeEjected(nodeId, 1, uint64(START_TIME), EVIDENCE);
        harmBy(auditorC, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "status");
    }

    function test_harmEndsTheDraining() public {
        voteOut();
        harmBy(auditorA, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Draining, "one vote ended it");
        harmBy(auditorC, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "status");
        vm.assertTrue(registry.votedForEjection(nodeId, auditorC), "c ejected it");
        vm.assertTrue(!registry.votedForEjection(nodeId, auditorB), "b judges");
    }

    function test_aSuspendedNodeDrainsAndAnApplicantDoesNot() public {
        bytes32 applicant = submitAs(stranger, application(hex"02"));
        ejectBy(auditorA, applicant);
        ejectBy(auditorB, applicant);
        assertStatus(applicant, INodeRegistry.Status.Ejected, "an applicant drains");
        suspendBy(auditorA, nodeId);
        ejectBy(auditorA, nodeId);
        ejectBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Draining, "a suspended node does not");
    }

    function test_whoDidNotVoteJudgesTheAppeal() public {
        voteOut();
        vm.warp(START_TIME + 14 days);
        vm.expectRevert(abi.encodeWithSelector(NotNodeOwner.selector, nodeId, operator));
        vm.prank(operator);
        registry.appeal(nodeId, EVIDENCE);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeAppealed(nodeId, EVIDENCE);
        appealBy(owner);
        vm.expectRevert(abi.encodeWithSelector(AppealClosed.selector, nodeId, START_TIME + 14 days));
        appealBy(owner);
        vm.expectRevert(abi.encodeWithSelector(VotedForEjection.selector, nodeId, auditorA));
        readmitBy(auditorA);
        vm.expectRevert(abi.encodeWithSelector(VotedForEjection.selector, nodeId, auditorB));
        readmitBy(auditorB);
        // Draining went on meanwhile.
        vm.warp(START_TIME + 40 days);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeReadmitted(nodeId, EVIDENCE);
        readmitBy(auditorC);
        assertStatus(nodeId, INodeRegistry.Status.Suspended, "status");
        vm.assertTrue(!registry.isAuthorized(PEER), "authorized without a pass");
        attestBy(auditorA, nodeId, block.timestamp + 1 days);
        vm.assertTrue(registry.isAuthorized(PEER), "not authorized after a pass");
        // The votes of the first ejection are spent.
        ejectBy(auditorA, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Active, "old votes count again");
        ejectBy(auditorC, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Draining, "voted out again");
        appealBy(owner);
    }

    /// @dev With five auditors of whom two eject, three did not vote: two of them judge, not one.
    function test_anAppealTakesAsManyAsEjectWhereThereAreSoMany() public {
        address[] memory five = new address[](5);
        (five[0], five[1], five[2]) = (auditorA, auditorB, auditorC);
        (five[3], five[4]) = (account("auditor d"), account("auditor e"));
        registry = new NodeRegistry(five, 2);
        nodeId = submit(PEER);
        voteOut();
        appealBy(owner);
        readmitBy(auditorC);
        assertStatus(nodeId, INodeRegistry.Status.Draining, "one of three judged");
        readmitBy(five[3]);
        assertStatus(nodeId, INodeRegistry.Status.Suspended, "two of three did not");
    }

    function test_withoutAnAppealAsManyAsEjectTakeItBack() public {
        voteOut();
        vm.warp(START_TIME + 100 days);
        vm.expectRevert(abi.encodeWithSelector(AppealClosed.selector, nodeId, START_TIME + 14 days));
        appealBy(owner);
        readmitBy(auditorA);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "one vote took it back");
        vm.expectRevert(abi.encodeWithSelector(AlreadyVoted.selector, nodeId, 1, auditorA));
        readmitBy(auditorA);
        readmitBy(auditorC);
        assertStatus(nodeId, INodeRegistry.Status.Suspended, "status");
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Suspended));
        readmitBy(auditorB);
    }

    function test_anAppealThatNobodyJudgedShutsNobodyOut() public {
        voteOut();
        appealBy(owner);
        vm.warp(START_TIME + 60 days);
        vm.expectRevert(abi.encodeWithSelector(VotedForEjection.selector, nodeId, auditorA));
        readmitBy(auditorA);
        vm.warp(START_TIME + 60 days + 1);
        readmitBy(auditorA);
        readmitBy(auditorB);
        assertStatus(nodeId, INodeRegistry.Status.Suspended, "status");
    }

    function testFuzz_drainsForThirtyDaysAndAppealsForFourteen(uint64 later) public {
        voteOut();
        uint256 passed = bound(later, 0, 60 days);
        vm.warp(START_TIME + passed);
        INodeRegistry.Status expected = passed <= 30 days ? INodeRegistry.Status.Draining : INodeRegistry.Status.Ejected;
        assertStatus(nodeId, expected, "status");
        vm.assertTrue(!registry.isAuthorized(PEER), "authorized");
        if (passed > 14 days) {
            vm.expectRevert(abi.encodeWithSelector(AppealClosed.selector, nodeId, START_TIME + 14 days));
        }
        appealBy(owner);
    }

    function readmitBy(address auditor) private {
        vm.prank(auditor);
        registry.readmit(nodeId, EVIDENCE);
    }

    function appealBy(address who) private {
        vm.prank(who);
        registry.appeal(nodeId, EVIDENCE);
    }

    function test_anEjectionNamesItsReasonAndEvidence() public {
        vm.startPrank(auditorA);
        vm.expectRevert(abi.encodeWithSelector(ReasonMissing.selector));
        registry.eject(nodeId, 0, EVIDENCE);
        vm.expectRevert(abi.encodeWithSelector(ReasonMissing.selector));
        registry.eject(nodeId, 7, bytes32(0));
        vm.stopPrank();
        voteOut();
        vm.expectRevert(abi.encodeWithSelector(ReasonMissing.selector));
        vm.prank(auditorA);
        registry.readmit(nodeId, bytes32(0));
    }
}
