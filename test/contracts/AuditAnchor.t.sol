// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditAnchor} from "../../contracts/src/l2/AuditAnchor.sol";
import {
    CheckpointEmpty,
    CheckpointForks,
    CheckpointLeaps,
    CheckpointShrinks,
    CheckpointUnknown,
    NodeUnknown,
    NotNodeController,
    NotNodeOwner,
    ZeroAddress,
    ZeroRoot
} from "../../contracts/src/l2/Errors.sol";
import {INodeControllers} from "../../contracts/src/l2/INodeControllers.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

contract AuditAnchorTest is RegistryTestBase {
    AuditAnchor private anchors;
    bytes32 private nodeId;
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public {
        startClock();
        createRegistry();
        anchors = new AuditAnchor(registry);
        nodeId = keccak256(PEER);
        attestBy(auditorA, submit(PEER), START_TIME + 30 days);
    }

    function anchor(address sender, uint64 size, bytes32 root) private {
        vm.prank(sender);
        anchors.anchor(nodeId, size, root);
    }

    function test_operatorAndOwnerAnchor() public {
        vm.expectEmit(address(anchors));
        emit AuditAnchor.CheckpointAnchored(nodeId, 5, ROOT);
        anchor(operator, 5, ROOT);
        vm.roll(START_BLOCK + 1);
        vm.warp(START_TIME + 2);
        anchor(owner, 9, keccak256("next"));

        AuditAnchor.Checkpoint memory latest = anchors.latest(nodeId);
        vm.assertEq(latest.size, 9, "size");
        vm.assertEq(latest.root, keccak256("next"), "root");
        vm.assertEq(latest.blockNumber, START_BLOCK + 1, "block");
        vm.assertEq(latest.timestamp, START_TIME + 2, "time");
        vm.assertEq(anchors.checkpointCount(nodeId), 2, "count");
        vm.assertEq(anchors.checkpointAt(nodeId, 0).root, ROOT, "history");
    }

    function test_hasNoLatestBeforeTheFirst() public view {
        AuditAnchor.Checkpoint memory latest = anchors.latest(nodeId);
        vm.assertEq(latest.size, 0, "size");
        vm.assertEq(latest.root, bytes32(0), "root");
    }

    function test_refusesAShorterLog() public {
        anchor(operator, 5, ROOT);
        vm.expectRevert(abi.encodeWithSelector(CheckpointShrinks.selector, nodeId, 4, 5));
        anchor(operator, 4, ROOT);
    }

    function test_refusesAnotherRootAtTheSameSize() public {
        anchor(operator, 5, ROOT);
        bytes32 forked = keccak256("forked");
        vm.expectRevert(abi.encodeWithSelector(CheckpointForks.selector, nodeId, 5, ROOT, forked));
        anchor(operator, 5, forked);
    }

    function test_repeatingTheLatestChangesNothing() public {
        anchor(operator, 5, ROOT);
        vm.roll(START_BLOCK + 1);
        anchor(operator, 5, ROOT);
        vm.assertEq(anchors.checkpointCount(nodeId), 1, "count");
        vm.assertEq(anchors.latest(nodeId).blockNumber, START_BLOCK, "the first block stays");
    }

    function test_refusesAnEmptyLogAndTheZeroRoot() public {
        vm.expectRevert(abi.encodeWithSelector(CheckpointEmpty.selector, nodeId));
        anchor(operator, 0, ROOT);
        vm.expectRevert(abi.encodeWithSelector(ZeroRoot.selector));
        anchor(operator, 1, bytes32(0));
    }

    function test_refusesAStrangerAndAnUnknownNode() public {
        vm.expectRevert(abi.encodeWithSelector(NotNodeController.selector, nodeId, stranger));
        anchor(stranger, 1, ROOT);
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(NodeUnknown.selector, unknown));
        anchors.anchor(unknown, 1, ROOT);
    }

    function test_operatorOfAnotherNodeIsAStranger() public {
        INodeRegistry.Application memory other = application("other peer");
        other.operator = stranger;
        attestBy(auditorA, submitAs(stranger, other), START_TIME + 30 days);
        vm.expectRevert(abi.encodeWithSelector(NotNodeController.selector, nodeId, stranger));
        anchor(stranger, 1, ROOT);
    }

    function test_anEjectedNodeStillAnchors() public {
        ejectBy(auditorA, entryOf(PEER, owner));
        ejectBy(auditorB, entryOf(PEER, owner));
        anchor(operator, 5, ROOT);
        vm.assertEq(anchors.latest(nodeId).size, 5, "size");
    }

    function test_refusesToReadPastTheEnd() public {
        vm.expectRevert(abi.encodeWithSelector(CheckpointUnknown.selector, nodeId, 0, 0));
        anchors.checkpointAt(nodeId, 0);
    }

    function test_needsARegistry() public {
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new AuditAnchor(INodeControllers(address(0)));
    }

    function testFuzz_takesOnlyGrowingSizes(uint64 first, uint64 second, bytes32 root) public {
        first = uint64(bound(first, 0, 1_000_000_000));
        second = uint64(bound(second, 0, uint256(first) + 1_000_000));
        vm.assume(first != 0 && second != 0 && root != bytes32(0) && root != ROOT);
        anchor(operator, first, ROOT);
        if (second < first) {
            vm.expectRevert(abi.encodeWithSelector(CheckpointShrinks.selector, nodeId, second, first));
        } else if (second == first) {
            vm.expectRevert(abi.encodeWithSelector(CheckpointForks.selector, nodeId, first, ROOT, root));
        }
        anchor(operator, second, root);
        vm.assertEq(anchors.latest(nodeId).size, second > first ? second : first, "latest");
    }

    /// @dev Seen: anchor(id, 2^64 - 1, x) from the hot operator key ended a node's anchors for ever.
    function test_aStolenOperatorKeyLeapsNoFurtherThanALogGrows() public {
        vm.expectRevert(abi.encodeWithSelector(CheckpointLeaps.selector, nodeId, type(uint64).max, 1_000_000_000));
        anchor(operator, type(uint64).max, ROOT);
        anchor(operator, 10, ROOT);
        vm.warp(START_TIME + 60);
        uint64 most = 10 + 1_000_000 + 60_000;
        vm.assertEq(anchors.maxNextSize(nodeId), most, "most");
        vm.expectRevert(abi.encodeWithSelector(CheckpointLeaps.selector, nodeId, most + 1, most));
        anchor(operator, most + 1, keccak256("thief"));
        anchor(operator, most, keccak256("thief"));
    }

    function test_theOwnerStrikesOutWhatTheLogNeverHad() public {
        anchor(operator, 10, ROOT);
        anchor(operator, 1_000_000, keccak256("thief"));
        vm.expectRevert(abi.encodeWithSelector(CheckpointShrinks.selector, nodeId, 12, 1_000_000));
        anchor(operator, 12, keccak256("honest"));
        vm.expectRevert(abi.encodeWithSelector(NotNodeOwner.selector, nodeId, operator));
        vm.prank(operator);
        anchors.strike(nodeId, 1, keccak256("evidence"));
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(CheckpointUnknown.selector, nodeId, 2, 2));
        anchors.strike(nodeId, 2, keccak256("evidence"));
        vm.expectRevert(abi.encodeWithSelector(ZeroRoot.selector));
        anchors.strike(nodeId, 1, bytes32(0));
        vm.expectEmit(address(anchors));
        emit AuditAnchor.CheckpointsStruck(nodeId, 1, keccak256("evidence"));
        anchors.strike(nodeId, 1, keccak256("evidence"));
        vm.stopPrank();
        vm.assertEq(anchors.latest(nodeId).size, 10, "latest");
        vm.assertTrue(anchors.checkpointAt(nodeId, 1).struck, "gone");
        anchor(operator, 12, keccak256("honest"));
        vm.assertEq(anchors.latest(nodeId).size, 12, "anchoring does not go on");
    }
}
