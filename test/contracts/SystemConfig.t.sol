// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ConfigInvalid,
    FeeFloorTooHigh,
    ForkBackwards,
    FreezeTooSoon,
    IndexOutOfRange,
    NoChangeQueued,
    NotFrozen,
    NotGuardian,
    NotSteward,
    NotTimelock
} from "../../contracts/src/l1/Errors.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {RollupConfig} from "../../contracts/src/l1/RollupTypes.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title What changes, who changes it, how slowly; and the guardian's switch
contract SystemConfigTest is L1TestBase {
    function setUp() public {
        deploy();
    }

    function test_whatCouldHarmGoesThroughTheTimelock() public {
        vm.startPrank(steward);
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, steward));
        systemConfig.addPoster(steward);
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, steward));
        systemConfig.removeValidator(alice);
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, steward));
        systemConfig.openToAll();
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, steward));
        systemConfig.setRollupConfig(config());
        vm.expectRevert(abi.encodeWithSelector(NotTimelock.selector, steward));
        systemConfig.setChainParameters(1, 0);
        vm.stopPrank();
    }

    function test_theStewardOnlyTakesPowerAwayOrAddsAValidator() public {
        vm.startPrank(steward);
        systemConfig.removePoster(poster);
        systemConfig.addValidator(stranger);
        vm.stopPrank();
        vm.assertTrue(!systemConfig.isPoster(poster), "still a poster");
        vm.assertTrue(systemConfig.mayStake(stranger), "no validator");
        vm.expectRevert(abi.encodeWithSelector(NotSteward.selector, stranger));
        vm.prank(stranger);
        systemConfig.removePoster(poster);
    }

    function test_theTimelockTakesItsTime() public {
        bytes memory call = abi.encodeCall(systemConfig.addPoster, (stranger));
        schedule(address(systemConfig), call);
        vm.warp(START_TIME + DELAY - 1);
        vm.expectRevert();
        execute(address(systemConfig), call);
        vm.warp(START_TIME + DELAY);
        vm.prank(stranger);
        execute(address(systemConfig), call);
        vm.assertTrue(systemConfig.isPoster(stranger), "not executed");
    }

    function test_theChainsParametersAreAMessageOfTheInbox() public {
        bytes memory call = abi.encodeCall(systemConfig.setChainParameters, (5 gwei, 1));
        schedule(address(systemConfig), call);
        vm.warp(START_TIME + DELAY);
        vm.expectEmit(address(inbox));
        emit Inbox.MessageDelivered(0, bytes32(0), 2, address(systemConfig), abi.encode(uint256(5 gwei), uint256(1)));
        execute(address(systemConfig), call);
        vm.assertEq(systemConfig.feeFloorWei(), 5 gwei, "floor");
        vm.assertEq(systemConfig.fork(), 1, "fork");
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(ForkBackwards.selector, 0, 1));
        systemConfig.setChainParameters(0, 0);
        vm.expectRevert(abi.encodeWithSelector(FeeFloorTooHigh.selector, 1_001 gwei, 1_000 gwei));
        systemConfig.setChainParameters(1_001 gwei, 1);
        vm.stopPrank();
    }

    function test_configsAreBoundedAndKept() public {
        RollupConfig memory next = config();
        next.periodS = 31 days;
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(ConfigInvalid.selector, STAKE, 31 days, INTERVAL));
        systemConfig.setRollupConfig(next);
        next.periodS = 5 days;
        systemConfig.setRollupConfig(next);
        vm.stopPrank();
        vm.assertEq(systemConfig.latestConfigId(), 1, "latest");
        vm.assertEq(systemConfig.rollupConfig(0).periodS, PERIOD, "the first changed");
        vm.assertEq(systemConfig.rollupConfig(1).periodS, 5 days, "the second");
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 2, 2));
        systemConfig.rollupConfig(2);
    }

    function test_aFreezeEndsByItselfAndComesOnceInNinetyDays() public {
        vm.expectRevert(abi.encodeWithSelector(NotGuardian.selector, stranger));
        vm.prank(stranger);
        guardian.freeze();
        uint64 before = guardian.time();
        vm.prank(guard);
        guardian.freeze();
        vm.warp(START_TIME + 14 days - 1);
        vm.assertTrue(guardian.isFrozen(), "thawed early");
        vm.assertEq(guardian.time(), before, "the clock ran");
        vm.warp(START_TIME + 14 days + 5);
        vm.assertTrue(!guardian.isFrozen(), "still frozen");
        vm.assertEq(guardian.time(), before + 5, "the clock jumped");
        vm.expectRevert(abi.encodeWithSelector(FreezeTooSoon.selector, START_TIME + 90 days));
        vm.prank(guard);
        guardian.freeze();
        vm.warp(START_TIME + 90 days);
        vm.prank(guard);
        guardian.freeze();
        vm.assertEq(guardian.time(), before + 76 days, "the second freeze lost time");
    }

    function test_aQueuedChangeExtendsTheFreezeUntilItExecutes() public {
        RollupConfig memory fixedConfig = config();
        fixedConfig.verifier = account("new verifier");
        bytes memory call = abi.encodeCall(systemConfig.setRollupConfig, (fixedConfig));
        bytes32 operation = timelock.hashOperation(address(systemConfig), 0, call, bytes32(0), bytes32(0));
        vm.prank(guard);
        guardian.freeze();
        vm.expectRevert(abi.encodeWithSelector(NoChangeQueued.selector, operation));
        guardian.extend(fixedConfig, bytes32(0), bytes32(0));
        schedule(address(systemConfig), call);
        guardian.extend(fixedConfig, bytes32(0), bytes32(0));
        vm.warp(START_TIME + 30 days);
        vm.assertTrue(guardian.isFrozen(), "not extended");
        vm.expectRevert(abi.encodeWithSelector(NotGuardian.selector, stranger));
        vm.prank(stranger);
        guardian.thaw();
        execute(address(systemConfig), call);
        vm.prank(stranger);
        guardian.thaw();
        vm.assertTrue(!guardian.isFrozen(), "still frozen");
        vm.assertEq(guardian.time(), START_TIME, "time");
        vm.expectRevert(abi.encodeWithSelector(NotFrozen.selector));
        guardian.thaw();
    }

    function test_anExtendedFreezeHasAnEndToo() public {
        bytes memory call = abi.encodeCall(systemConfig.setRollupConfig, (config()));
        vm.prank(guard);
        guardian.freeze();
        schedule(address(systemConfig), call);
        guardian.extend(config(), bytes32(0), bytes32(0));
        vm.warp(START_TIME + 45 days);
        vm.assertTrue(!guardian.isFrozen(), "frozen for ever");
    }

    function queueVerifier(string memory name) private returns (RollupConfig memory changed) {
        changed = config();
        changed.verifier = account(name);
        schedule(address(systemConfig), abi.encodeCall(systemConfig.setRollupConfig, (changed)));
    }

    function freezeFor(RollupConfig memory changed) private {
        vm.prank(guard);
        guardian.freezeForChange(changed, bytes32(0), bytes32(0));
    }

    /// @dev docs/design/0030: a verifier found faulty in the cooldown would decide for the liar.
    function test_inTheCooldownOneQueuedChangeMayBeFrozenFor() public {
        vm.prank(guard);
        guardian.freeze();
        vm.warp(START_TIME + 20 days);
        uint64 before = guardian.time();
        RollupConfig memory changed = queueVerifier("new verifier");
        vm.expectRevert(abi.encodeWithSelector(NotGuardian.selector, stranger));
        vm.prank(stranger);
        guardian.freezeForChange(changed, bytes32(0), bytes32(0));
        freezeFor(changed);
        vm.assertEq(guardian.frozenUntil(), START_TIME + 65 days, "until");
        vm.warp(START_TIME + 50 days);
        vm.assertEq(guardian.time(), before, "the clock ran");
        execute(address(systemConfig), abi.encodeCall(systemConfig.setRollupConfig, (changed)));
        vm.prank(stranger);
        guardian.thaw();
        RollupConfig memory second = queueVerifier("second verifier");
        vm.expectRevert(abi.encodeWithSelector(FreezeTooSoon.selector, START_TIME + 110 days));
        freezeFor(second);
        vm.warp(START_TIME + 110 days - 1);
        vm.expectRevert(abi.encodeWithSelector(FreezeTooSoon.selector, START_TIME + 110 days));
        vm.prank(guard);
        guardian.freeze();
        vm.warp(START_TIME + 110 days);
        vm.prank(guard);
        guardian.freeze();
    }

    function test_nothingIsFrozenForAChangeThatIsNotQueuedOrAfterAnExtendedFreeze() public {
        RollupConfig memory changed = config();
        bytes memory call = abi.encodeCall(systemConfig.setRollupConfig, (changed));
        vm.prank(guard);
        guardian.freeze();
        vm.warp(START_TIME + 14 days);
        bytes32 operation = timelock.hashOperation(address(systemConfig), 0, call, bytes32(0), bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(NoChangeQueued.selector, operation));
        freezeFor(changed);
        vm.warp(START_TIME + 90 days);
        vm.prank(guard);
        guardian.freeze();
        schedule(address(systemConfig), call);
        vm.expectRevert(abi.encodeWithSelector(FreezeTooSoon.selector, START_TIME + 180 days));
        freezeFor(changed);
        guardian.extend(changed, bytes32(0), bytes32(0));
        vm.warp(START_TIME + 135 days);
        vm.expectRevert(abi.encodeWithSelector(FreezeTooSoon.selector, START_TIME + 180 days));
        freezeFor(changed);
    }
}
