// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditorSet} from "../../contracts/src/l2/AuditorSet.sol";
import {
    AlreadyVoted,
    AuditorChangeNotDue,
    AuditorChangeUnknown,
    InvalidAuditor,
    InvalidQuorum,
    NotAuditor
} from "../../contracts/src/l2/Errors.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

/// @title Changing the auditors: by a majority, and slowly
contract AuditorSetTest is RegistryTestBase {
    address private fresh = account("fresh auditor");

    function setUp() public {
        startClock();
        createRegistry();
    }

    function vote(address auditor, address who, bool add) private {
        vm.prank(auditor);
        registry.voteAuditorChange(who, add);
    }

    function cancel(address auditor, address who, bool add) private {
        vm.prank(auditor);
        registry.voteCancelChange(who, add);
    }

    function test_aMajorityAddsAnAuditorAfterTheDelay() public {
        vote(auditorA, fresh, true);
        vm.expectRevert(abi.encodeWithSelector(AuditorChangeUnknown.selector, fresh, true));
        registry.executeAuditorChange(fresh, true);
        vm.expectEmit(address(registry));
        emit AuditorSet.AuditorChangeDecided(fresh, true, uint64(START_TIME + 7 days));
        vote(auditorB, fresh, true);
        vm.expectRevert(abi.encodeWithSelector(AuditorChangeNotDue.selector, fresh, START_TIME + 7 days));
        registry.executeAuditorChange(fresh, true);
        vm.warp(START_TIME + 7 days);
        vm.prank(stranger);
        registry.executeAuditorChange(fresh, true);
        vm.assertTrue(registry.isAuditor(fresh), "not added");
        vm.assertEq(registry.auditors().length, 4, "auditors");
        vm.assertEq(registry.majority(), 3, "majority");
    }

    function test_removingKeepsTheQuorum() public {
        vote(auditorA, auditorC, false);
        vote(auditorB, auditorC, false);
        vm.warp(START_TIME + 7 days);
        registry.executeAuditorChange(auditorC, false);
        vm.assertTrue(!registry.isAuditor(auditorC), "not removed");
        vm.expectRevert(abi.encodeWithSelector(NotAuditor.selector, auditorC));
        vote(auditorC, fresh, true);
        vote(auditorA, auditorB, false);
        vote(auditorB, auditorB, false);
        vm.warp(START_TIME + 14 days);
        vm.expectRevert(abi.encodeWithSelector(InvalidQuorum.selector, 2, 1));
        registry.executeAuditorChange(auditorB, false);
    }

    function test_aDecidedChangeIsCalledOffByAMajority() public {
        vote(auditorA, fresh, true);
        vote(auditorB, fresh, true);
        cancel(auditorC, fresh, true);
        cancel(auditorB, fresh, true);
        vm.warp(START_TIME + 8 days);
        vm.expectRevert(abi.encodeWithSelector(AuditorChangeUnknown.selector, fresh, true));
        registry.executeAuditorChange(fresh, true);
        vm.expectRevert(abi.encodeWithSelector(AuditorChangeUnknown.selector, fresh, true));
        cancel(auditorA, fresh, true);
        vote(auditorA, fresh, true);
        vm.assertEq(registry.changeDueAt(fresh, true), 0, "one vote decided after the cancellation");
    }

    function test_aChangeLeftTooLongExpires() public {
        vote(auditorA, fresh, true);
        vote(auditorB, fresh, true);
        vm.warp(START_TIME + 37 days + 1);
        registry.executeAuditorChange(fresh, true);
        vm.assertTrue(!registry.isAuditor(fresh), "an expired change was executed");
    }

    function test_oneVoteEachAndOnlyAChange() public {
        vote(auditorA, fresh, true);
        bytes32 subject = bytes32(uint256(uint160(fresh)));
        vm.expectRevert(abi.encodeWithSelector(AlreadyVoted.selector, subject, 1, auditorA));
        vote(auditorA, fresh, true);
        vm.expectRevert(abi.encodeWithSelector(InvalidAuditor.selector, auditorB));
        vote(auditorA, auditorB, true);
        vm.expectRevert(abi.encodeWithSelector(InvalidAuditor.selector, stranger));
        vote(auditorA, stranger, false);
        vm.expectRevert(abi.encodeWithSelector(NotAuditor.selector, stranger));
        vote(stranger, fresh, true);
    }

    function test_aChangeOfTheSetEndsOpenRounds() public {
        bytes32 nodeId = submit(PEER);
        ejectBy(auditorC, nodeId);
        vote(auditorA, auditorC, false);
        vote(auditorB, auditorC, false);
        vm.warp(START_TIME + 7 days);
        registry.executeAuditorChange(auditorC, false);
        ejectBy(auditorA, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Applied, "the vote of a removed auditor counts");
        ejectBy(auditorB, nodeId);
        assertStatus(nodeId, INodeRegistry.Status.Ejected, "status");
    }
}
