// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Frozen,
    NodeStatusForbids,
    NotChallengeManager,
    NothingToPrune,
    NotOwedEnough,
    NotRivals,
    StillRivaled,
    TooEarly,
    TooLate
} from "../../contracts/src/l1/Errors.sol";
import {Rollup} from "../../contracts/src/l1/Rollup.sol";
import {EntryCosts, NodeStatus, RollupConfig} from "../../contracts/src/l1/RollupTypes.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title Two assertions on one parent: joining, elimination, pruning and what may be confirmed
contract RollupRivalsTest is L1TestBase {
    bytes32 private root;
    bytes32 private truth;
    bytes32 private lie;
    uint256 private honest;
    uint256 private liar;
    uint256 private first;

    function setUp() public {
        deploy();
        root = rollup.latestConfirmed();
        honest = stakeAs(alice);
        liar = stakeAs(mallory);
        vm.warp(START_TIME + INTERVAL);
        first = block.timestamp;
        post();
        truth = createAs(alice, honest, root, state(1, "truth"));
        lie = createAs(mallory, liar, root, state(1, "lie"));
    }

    function eliminate(bytes32 winnerChild, uint256 winner, bytes32 loserChild, uint256 loser) private {
        vm.prank(manager);
        rollup.eliminate(winnerChild, winner, loserChild, loser, EntryCosts(0, 0));
    }

    function assertStatus(bytes32 node, NodeStatus status, string memory claim) private view {
        vm.assertEq(uint256(rollup.nodeOf(node).status), uint256(status), claim);
    }

    function test_rivalsAreNotConfirmed() public {
        vm.warp(first + 365 days);
        vm.expectRevert(abi.encodeWithSelector(StillRivaled.selector, root, 2));
        rollup.confirm(truth);
        vm.expectRevert(abi.encodeWithSelector(StillRivaled.selector, root, 2));
        rollup.confirm(lie);
    }

    function test_theSurvivorIsConfirmedAfterTheGraceAndTheDeadNever() public {
        eliminate(truth, honest, lie, liar);
        rollup.prune(lie, liar);
        assertStatus(lie, NodeStatus.Dead, "the lie lives");
        vm.warp(first + PERIOD - 1);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, truth, first + PERIOD));
        rollup.confirm(truth);
        vm.warp(first + PERIOD);
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, lie, NodeStatus.Dead));
        rollup.confirm(lie);
        rollup.confirm(truth);
        vm.assertTrue(rollup.isConfirmed(truth), "the truth is not confirmed");
    }

    function test_aLateDeathKeepsTwoDaysOfGrace() public {
        vm.warp(first + 10 days);
        eliminate(truth, honest, lie, liar);
        rollup.prune(lie, liar);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, truth, first + 12 days));
        rollup.confirm(truth);
        vm.warp(first + 12 days);
        rollup.confirm(truth);
    }

    function test_aRivalMayComeAtTheLastSecondAndTheTruthIsStillBacked() public {
        vm.deal(stranger, STAKE);
        vm.prank(steward);
        systemConfig.addValidator(stranger);
        uint256 third = stakeAs(stranger);
        uint256 fourth = stakeAs(mallory);
        vm.warp(first + PERIOD);
        createAs(mallory, fourth, root, state(1, "last second"));
        vm.warp(first + PERIOD + 1 days);
        backAs(stranger, third, truth);
        uint256 fifth = stakeAs(alice);
        vm.warp(first + PERIOD + 1 days + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, truth, first + PERIOD + 1 days));
        backAs(alice, fifth, truth);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, root, first + PERIOD));
        createAs(alice, fifth, root, state(1, "too late"));
    }

    function test_whoThrowsTheGameSinksItsStakeAndNotTheTruth() public {
        // Mallory holds both sides: her stake on the truth loses to her stake on another lie.
        eliminate(lie, liar, truth, honest);
        rollup.prune(truth, honest);
        assertStatus(truth, NodeStatus.Dead, "the truth lives");
        uint256 again = stakeAs(alice);
        vm.assertEq(createAs(alice, again, root, state(1, "truth")), truth, "another id");
        assertStatus(truth, NodeStatus.Live, "the truth is sunk");
        eliminate(truth, again, lie, liar);
        rollup.prune(lie, liar);
        vm.warp(first + PERIOD + 1 days);
        rollup.confirm(truth);
    }

    function test_whatTheDeadLeftBelowARevivedNodeHasItsPeriodAgain() public {
        vm.warp(first + INTERVAL);
        post();
        bytes32 below = createAs(alice, honest, truth, state(2, "below"));
        eliminate(lie, liar, truth, honest);
        rollup.prune(truth, honest);
        vm.warp(first + PERIOD);
        uint256 again = stakeAs(alice);
        createAs(alice, again, root, state(1, "truth"));
        eliminate(truth, again, lie, liar);
        rollup.prune(lie, liar);
        vm.warp(first + PERIOD + 3 days);
        rollup.confirm(truth);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, below, first + 2 * uint256(PERIOD)));
        rollup.confirm(below);
        rollup.prune(below, honest);
        assertStatus(below, NodeStatus.Dead, "below");
        post();
        createAs(alice, again, truth, state(2, "above"));
    }

    function test_whenAllHaveDiedTheNextIsAFirstChildAgain() public {
        uint256 third = stakeAs(mallory);
        uint256 fourth = stakeAs(alice);
        bytes32 other = createAs(mallory, third, root, state(1, "other"));
        vm.warp(first + 30 days);
        eliminate(other, third, truth, honest);
        eliminate(other, third, lie, liar);
        rollup.prune(truth, honest);
        rollup.prune(lie, liar);
        vm.assertEq(rollup.nodeOf(root).liveChildren, 1, "live children");
        vm.warp(first + 32 days);
        rollup.confirm(other);
        vm.prank(alice);
        rollup.returnStake(fourth);
    }

    function test_whenNoChildLivesTheNextOpensANewPeriod() public {
        // Two stakers below the truth lose to the liar above it; a third, who only backed the truth, goes on.
        uint256 x = stakeAs(alice);
        uint256 y = stakeAs(alice);
        backAs(alice, x, truth);
        backAs(alice, y, truth);
        vm.warp(first + INTERVAL);
        post();
        bytes32 a = createAs(alice, x, truth, state(2, "a"));
        bytes32 b = createAs(alice, y, truth, state(2, "b"));
        vm.warp(first + 9 days);
        eliminate(lie, liar, truth, x);
        eliminate(lie, liar, truth, y);
        rollup.prune(a, x);
        rollup.prune(b, y);
        vm.assertEq(rollup.nodeOf(truth).liveChildren, 0, "live children");
        bytes32 c = createAs(alice, honest, truth, state(2, "c"));
        eliminate(truth, honest, lie, liar);
        rollup.prune(lie, liar);
        vm.warp(first + 9 days + PERIOD);
        rollup.confirm(truth);
        rollup.confirm(c);
    }

    function test_theStakeOfALoserIsSplitAndTheRestBurned() public {
        vm.prank(manager);
        vm.assertEq(rollup.eliminate(truth, honest, lie, liar, EntryCosts(3 ether, 2 ether)), 1 ether, "others");
        vm.assertEq(rollup.owedWei(alice), 3 ether, "winner");
        vm.assertEq(rollup.owedWei(manager), 1 ether, "refunds of others");
        vm.assertEq(rollup.burnedWei(), 6 ether, "burned");
        vm.assertEq(rollup.lockedWei(), STAKE, "locked");
    }

    function test_aLostStakeRefundsFourFifthsOfItselfAtMostInProportion() public {
        vm.prank(manager);
        vm.assertEq(rollup.eliminate(truth, honest, lie, liar, EntryCosts(16 ether, 4 ether)), 6 ether, "others");
        vm.assertEq(rollup.owedWei(alice), 3 ether, "winner");
        vm.assertEq(rollup.burnedWei(), 1 ether, "burned");
    }

    function test_theWinnersPartIsNotMoreThanAll() public {
        vm.expectRevert();
        vm.prank(manager);
        rollup.eliminate(truth, honest, lie, liar, EntryCosts(3 ether, 3 ether + 1));
    }

    function test_whatAnAccountIsOwedItMayGiveToAnother() public {
        vm.prank(manager);
        rollup.eliminate(truth, honest, lie, liar, EntryCosts(3 ether, 0));
        vm.expectRevert(abi.encodeWithSelector(NotOwedEnough.selector, stranger, 0, 1));
        vm.prank(stranger);
        rollup.assign(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(NotOwedEnough.selector, manager, 3 ether, 3 ether + 1));
        vm.prank(manager);
        rollup.assign(stranger, 3 ether + 1);
        vm.prank(manager);
        rollup.assign(stranger, 2 ether);
        vm.prank(manager);
        rollup.assign(manager, 1 ether);
        vm.assertEq(rollup.owedWei(manager), 1 ether, "left");
        vm.assertEq(rollup.totalOwedWei(), 4 ether, "total");
        rollup.claim(stranger);
        vm.assertEq(stranger.balance, 2 ether, "claimed");
    }

    /// @dev docs/design/0030: the liar backs the truth alone, adds the lie at the last second and has its staker of the truth give up.
    function test_whatDiedMayComeBackUntilTheJoiningEndsWithoutMovingIt() public {
        uint256 joinEnd = first + PERIOD + 1 days;
        uint256 third = stakeAs(mallory);
        vm.warp(first + PERIOD);
        bytes32 late = createAs(mallory, third, root, state(1, "late"));
        eliminate(late, third, truth, honest);
        rollup.prune(truth, honest);
        uint256 again = stakeAs(alice);
        vm.warp(joinEnd);
        createAs(alice, again, root, state(1, "truth"));
        vm.assertEq(rollup.nodeOf(root).lastChildAt, first + PERIOD, "the end of joining moved");
        eliminate(late, third, truth, again);
        rollup.prune(truth, again);
        uint256 tooLate = stakeAs(alice);
        vm.warp(joinEnd + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, root, joinEnd));
        createAs(alice, tooLate, root, state(1, "truth"));
    }

    function test_whatNeverWasMayNotComeAfterThePeriod() public {
        uint256 third = stakeAs(mallory);
        vm.warp(first + PERIOD);
        createAs(mallory, third, root, state(1, "late"));
        uint256 fourth = stakeAs(alice);
        vm.warp(first + PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, root, first + PERIOD));
        createAs(alice, fourth, root, state(1, "new"));
    }

    function test_onlyTheManagerEliminatesAndOnlyRivals() public {
        vm.expectRevert(abi.encodeWithSelector(NotChallengeManager.selector, stranger));
        vm.prank(stranger);
        rollup.eliminate(truth, honest, lie, liar, EntryCosts(0, 0));
        bytes memory reason = abi.encodeWithSelector(NotRivals.selector, root);
        vm.expectRevert(reason);
        eliminate(truth, honest, truth, honest);
        vm.expectRevert(reason);
        eliminate(truth, liar, lie, honest);
        eliminate(truth, honest, lie, liar);
        vm.expectRevert(reason);
        eliminate(truth, honest, lie, liar);
        vm.expectRevert(reason);
        eliminate(lie, liar, truth, honest);
    }

    function test_onlyTheEliminatedArePruned() public {
        vm.expectRevert(abi.encodeWithSelector(NothingToPrune.selector, truth, honest));
        rollup.prune(truth, honest);
        eliminate(truth, honest, lie, liar);
        vm.expectRevert(abi.encodeWithSelector(NothingToPrune.selector, truth, liar));
        rollup.prune(truth, liar);
        rollup.prune(lie, liar);
        vm.expectRevert(abi.encodeWithSelector(NothingToPrune.selector, lie, liar));
        rollup.prune(lie, liar);
    }

    function test_aNodeWithoutAManagerTakesTheNewestConfigs() public {
        RollupConfig memory none = config();
        none.challengeManager = address(0);
        change(abi.encodeCall(systemConfig.setRollupConfig, (none)));
        vm.assertEq(rollup.challengeManagerOf(root), manager, "a node's own manager changed");
        uint256 third = stakeAs(alice);
        eliminate(truth, honest, lie, liar);
        rollup.prune(lie, liar);
        vm.warp(first + 60 days);
        rollup.confirm(truth);
        vm.prank(alice);
        rollup.returnStake(third);
        post();
        bytes32 next = createAs(alice, honest, truth, state(2, "next"));
        vm.assertEq(rollup.challengeManagerOf(next), address(0), "a manager out of nowhere");
        RollupConfig memory with = config();
        with.challengeManager = stranger;
        bytes memory call = abi.encodeCall(systemConfig.setRollupConfig, (with));
        change(call);
        vm.assertEq(rollup.challengeManagerOf(next), stranger, "no way out of a dispute");
    }

    function test_aFreezeStopsConfirmationAndItsClocks() public {
        eliminate(truth, honest, lie, liar);
        rollup.prune(lie, liar);
        vm.warp(first + PERIOD - 1);
        vm.prank(guard);
        guardian.freeze();
        vm.warp(first + PERIOD + 5 days);
        vm.expectRevert(abi.encodeWithSelector(Frozen.selector));
        rollup.confirm(truth);
        vm.expectRevert(abi.encodeWithSelector(Frozen.selector));
        eliminate(truth, honest, lie, liar);
        vm.warp(first + PERIOD - 1 + 14 days);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, truth, first + PERIOD));
        rollup.confirm(truth);
        vm.warp(first + PERIOD + 14 days);
        rollup.confirm(truth);
    }

    function test_manyBackersCostTheSame() public {
        uint256 gasAt10;
        for (uint256 i = 0; i < 60; i++) {
            address backer = address(uint160(0x1000 + i));
            vm.deal(backer, STAKE);
            vm.prank(steward);
            systemConfig.addValidator(backer);
            uint256 id = stakeAs(backer);
            uint256 before = gasleft();
            backAs(backer, id, truth);
            uint256 spent = before - gasleft();
            if (i == 10) gasAt10 = spent;
            if (i > 10) vm.assertTrue(spent <= gasAt10 + 5_000, "backing costs more with more backers");
        }
        vm.assertEq(rollup.nodeOf(truth).backers, 61, "backers");
    }
}
