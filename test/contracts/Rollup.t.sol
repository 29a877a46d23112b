// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ContactTooLong,
    NodeExists,
    NodeStatusForbids,
    NothingToPay,
    NotStakeOwner,
    NotValidator,
    ParentPassed,
    StakeAmountWrong,
    StakeElsewhere,
    StateOutOfRange,
    TargetNotReached,
    TooEarly
} from "../../contracts/src/l1/Errors.sol";
import {Rollup} from "../../contracts/src/l1/Rollup.sol";
import {GlobalState, Node, NodeStatus, RollupConfig} from "../../contracts/src/l1/RollupTypes.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title One honest staker, from the genesis to a confirmed assertion
contract RollupTest is L1TestBase {
    bytes32 private root;
    uint256 private stakeId;

    function setUp() public {
        deploy();
        root = rollup.latestConfirmed();
        stakeId = stakeAs(alice);
        vm.warp(START_TIME + INTERVAL);
    }

    function test_startsAtTheGenesis() public view {
        Node memory node = rollup.nodeOf(root);
        vm.assertEq(uint256(node.status), uint256(NodeStatus.Confirmed), "status");
        vm.assertEq(node.stateHash, keccak256(abi.encode(genesis())), "state");
        vm.assertEq(node.target, 1, "target");
    }

    function test_anAssertionIsBoundToItsParentItsStateItsBatchesAndTheConfig() public {
        post();
        GlobalState memory to = state(1, "one");
        bytes32 expected = keccak256(
            abi.encode(root, keccak256(abi.encode(to)), batches.accumulator(0), keccak256(abi.encode(config())))
        );
        vm.expectEmit(address(rollup));
        emit Rollup.NodeCreated(expected, root, stakeId, to, 2, "");
        vm.assertEq(createAs(alice, stakeId, root, to), expected, "id");
        Node memory node = rollup.nodeOf(expected);
        vm.assertEq(uint256(node.status), uint256(NodeStatus.Live), "status");
        vm.assertEq(node.backers, 1, "backers");
        vm.assertTrue(rollup.isBacker(expected, stakeId), "the creator does not back it");
        vm.assertEq(rollup.stakeOf(stakeId).standsOn, expected, "stands on");
    }

    function test_theTargetIsFixedWhenTheParentIsCreated() public {
        post();
        post();
        post();
        bytes32 first = createAs(alice, stakeId, root, state(1, "one"));
        vm.assertEq(rollup.nodeOf(first).target, 3, "target of the children");
        vm.warp(block.timestamp + INTERVAL);
        post();
        vm.expectRevert(abi.encodeWithSelector(StateOutOfRange.selector, 4, 0, 3));
        createAs(alice, stakeId, first, state(4, "four"));
        createAs(alice, stakeId, first, state(3, "three"));
    }

    function test_asksForTheBatchesAndTheInterval() public {
        vm.expectRevert(abi.encodeWithSelector(TargetNotReached.selector, 0, 1));
        createAs(alice, stakeId, root, state(1, "one"));
        post();
        vm.warp(START_TIME + INTERVAL - 1);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, root, START_TIME + INTERVAL));
        createAs(alice, stakeId, root, state(1, "one"));
    }

    function test_whatIsTooFarEndsMidBatchAndGoesOnAtOnce() public {
        post();
        vm.warp(START_TIME);
        vm.expectRevert(abi.encodeWithSelector(StateOutOfRange.selector, 0, 0, 1));
        createAs(alice, stakeId, root, GlobalState(bytes32("b"), SEND_ROOT, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(StateOutOfRange.selector, 1, 5, 1));
        createAs(alice, stakeId, root, GlobalState(bytes32("b"), SEND_ROOT, 1, 5));
        bytes32 half = createAs(alice, stakeId, root, GlobalState(bytes32("b"), SEND_ROOT, 0, 5));
        vm.assertEq(rollup.nodeOf(half).target, 1, "target");
        bytes32 more = createAs(alice, stakeId, half, GlobalState(bytes32("c"), SEND_ROOT, 0, 9));
        vm.warp(START_TIME + INTERVAL);
        createAs(alice, stakeId, more, state(1, "one"));
    }

    function test_confirmsAfterThePeriodAndReturnsTheStake() public {
        post();
        bytes32 node = createAs(alice, stakeId, root, state(1, "one"));
        uint64 allowedAt = uint64(block.timestamp + PERIOD);
        vm.warp(allowedAt - 1);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, node, allowedAt));
        rollup.confirm(node);
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, node, NodeStatus.Live));
        vm.prank(alice);
        rollup.returnStake(stakeId);

        vm.warp(allowedAt);
        rollup.confirm(node);
        vm.assertTrue(rollup.isConfirmed(node), "not confirmed");
        vm.assertEq(rollup.latestConfirmed(), node, "latest");
        vm.prank(alice);
        rollup.returnStake(stakeId);
        uint256 before = alice.balance;
        rollup.claim(alice);
        vm.assertEq(alice.balance - before, STAKE, "stake");
        vm.assertEq(address(rollup).balance, 0, "stuck");
        vm.expectRevert(abi.encodeWithSelector(NothingToPay.selector, alice));
        rollup.claim(alice);
        vm.expectRevert(abi.encodeWithSelector(NotStakeOwner.selector, stakeId, alice));
        vm.prank(alice);
        rollup.returnStake(stakeId);
    }

    function test_confirmsInOrder() public {
        post();
        bytes32 first = createAs(alice, stakeId, root, state(1, "one"));
        vm.warp(block.timestamp + INTERVAL);
        post();
        bytes32 second = createAs(alice, stakeId, first, state(2, "two"));
        vm.warp(block.timestamp + PERIOD);
        vm.expectRevert(abi.encodeWithSelector(ParentPassed.selector, first, root));
        rollup.confirm(second);
        rollup.confirm(first);
        rollup.confirm(second);
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, second, NodeStatus.Confirmed));
        rollup.confirm(second);
    }

    function test_aPassedNodeTakesNoMoreChildren() public {
        uint256 other = stakeAs(mallory);
        post();
        bytes32 node = createAs(alice, stakeId, root, state(1, "one"));
        vm.warp(block.timestamp + PERIOD);
        rollup.confirm(node);
        // In the very second in which a sibling could still have come.
        vm.expectRevert(abi.encodeWithSelector(ParentPassed.selector, root, node));
        createAs(mallory, other, root, state(1, "lie"));
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, node, NodeStatus.Confirmed));
        backAs(mallory, other, node);
        vm.prank(mallory);
        rollup.returnStake(other);
    }

    function test_validatorsStakeUntilTheListOpens() public {
        vm.deal(stranger, STAKE);
        vm.expectRevert(abi.encodeWithSelector(NotValidator.selector, stranger));
        stakeAs(stranger);
        change(abi.encodeCall(systemConfig.openToAll, ()));
        stakeAs(stranger);
    }

    function test_theStakeIsTheConfigs() public {
        vm.expectRevert(abi.encodeWithSelector(StakeAmountWrong.selector, STAKE - 1, STAKE));
        vm.prank(alice);
        rollup.newStake{value: STAKE - 1}(alice);
    }

    function test_aStakeStepsForItsOwnerFromWhereItStands() public {
        post();
        vm.expectRevert(abi.encodeWithSelector(NotStakeOwner.selector, stakeId, mallory));
        createAs(mallory, stakeId, root, state(1, "one"));
        vm.expectRevert(abi.encodeWithSelector(NotStakeOwner.selector, 99, alice));
        createAs(alice, 99, root, state(1, "one"));
        bytes32 node = createAs(alice, stakeId, root, state(1, "one"));
        vm.expectRevert(abi.encodeWithSelector(StakeElsewhere.selector, stakeId, node, root));
        createAs(alice, stakeId, root, state(1, "two"));
        uint256 other = stakeAs(mallory);
        vm.expectRevert(abi.encodeWithSelector(NodeExists.selector, node));
        createAs(mallory, other, root, state(1, "one"));
        vm.expectRevert(abi.encodeWithSelector(ContactTooLong.selector, 257, 256));
        vm.prank(mallory);
        rollup.create(other, root, state(1, "two"), string(new bytes(257)));
    }

    function test_aNewConfigBindsTheChildrenOfLaterNodes() public {
        post();
        bytes32 node = createAs(alice, stakeId, root, state(1, "one"));
        RollupConfig memory next = config();
        next.periodS = 1 days;
        next.stakeWei = 2 * STAKE;
        change(abi.encodeCall(systemConfig.setRollupConfig, (next)));
        vm.assertEq(rollup.confirmableAt(node), START_TIME + INTERVAL + PERIOD, "an open node's period changed");
        post();
        bytes32 second = createAs(alice, stakeId, node, state(2, "two"));
        vm.assertEq(rollup.nodeOf(second).configId, 1, "config");
        vm.warp(block.timestamp + INTERVAL);
        post();
        vm.expectRevert(abi.encodeWithSelector(StakeAmountWrong.selector, STAKE, 2 * STAKE));
        createAs(alice, stakeId, second, state(3, "three"));
    }

    function test_aReorgOfBatchesGivesAnotherAssertion() public {
        post();
        bytes32 node = createAs(alice, stakeId, root, state(1, "one"));
        deploy();
        vm.prank(poster, poster);
        batches.addBatch(0, "another batch", 0);
        stakeId = stakeAs(alice);
        vm.warp(START_TIME + INTERVAL);
        vm.assertTrue(createAs(alice, stakeId, rollup.latestConfirmed(), state(1, "one")) != node, "the same id");
    }
}
