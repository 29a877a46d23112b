// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/src/l1/Rollup.sol";
import {EntryCosts, GlobalState, Node, NodeStatus, Stake} from "../../contracts/src/l1/RollupTypes.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title Stakers, rivals, eliminations, pruning, freezes and time in any order
contract RollupHandler is L1TestBase {
    uint256 private constant CONTENTS = 3;
    uint256 private constant MAX_STAKES = 12;

    bytes32[] private nodes;
    mapping(bytes32 => bool) private isKnown;
    mapping(bytes32 => bytes32[]) private childrenOf;
    bytes32[] private confirmed;
    uint256 public paidIn;
    uint256 public paidOut;
    bool public confirmedDead;

    constructor() {
        deploy();
        vm.prank(address(timelock));
        systemConfig.openToAll();
        nodes.push(rollup.latestConfirmed());
        confirmed.push(rollup.latestConfirmed());
        post();
    }

    function theRollup() external view returns (Rollup) {
        return rollup;
    }

    function confirmedCount() external view returns (uint256) {
        return confirmed.length;
    }

    function confirmedAt(uint256 i) external view returns (bytes32) {
        return confirmed[i];
    }

    function nodeCount() external view returns (uint256) {
        return nodes.length;
    }

    function nodeAt(uint256 i) external view returns (bytes32) {
        return nodes[i];
    }

    function livingChildren(bytes32 node) public view returns (uint256 living) {
        bytes32[] storage children = childrenOf[node];
        for (uint256 i = 0; i < children.length; i++) {
            NodeStatus status = rollup.nodeOf(children[i]).status;
            if (status == NodeStatus.Live || status == NodeStatus.Confirmed) living++;
        }
    }

    function newStake(uint256 who) public {
        if (rollup.stakeCount() >= MAX_STAKES) return;
        address staker = address(uint160(0x5000 + who % 5));
        vm.deal(staker, STAKE);
        stakeAs(staker);
        paidIn += STAKE;
    }

    function create(uint256 which, uint256 content) public {
        if (rollup.stakeCount() == 0) return;
        uint256 stakeId = which % rollup.stakeCount();
        Stake memory stake = rollup.stakeOf(stakeId);
        Node memory parent = rollup.nodeOf(stake.standsOn);
        while (batches.batchCount() < parent.target) post();
        GlobalState memory to =
            GlobalState(keccak256(abi.encode(stake.standsOn, content % CONTENTS)), SEND_ROOT, parent.target, 0);
        vm.prank(stake.owner);
        try rollup.create(stakeId, stake.standsOn, to, "") returns (bytes32 node) {
            if (isKnown[node]) return;
            isKnown[node] = true;
            nodes.push(node);
            childrenOf[stake.standsOn].push(node);
        } catch {}
    }

    function back(uint256 which, uint256 child) external {
        if (rollup.stakeCount() == 0) return;
        uint256 stakeId = which % rollup.stakeCount();
        Stake memory stake = rollup.stakeOf(stakeId);
        bytes32[] storage children = childrenOf[stake.standsOn];
        if (children.length == 0) return;
        vm.prank(stake.owner);
        try rollup.back(stakeId, children[child % children.length]) {} catch {}
    }

    function eliminate(uint256 a, uint256 b, uint256 node, uint256 refund) external {
        uint256 count = rollup.stakeCount();
        if (count == 0) return;
        bytes32 parent = nodes[node % nodes.length];
        bytes32[] storage children = childrenOf[parent];
        for (uint256 i = 0; i < children.length; i++) {
            for (uint256 j = 0; j < children.length; j++) {
                vm.prank(manager);
                try rollup.eliminate(children[i], a % count, children[j], b % count, costsOf(refund)) {
                    return;
                } catch {}
            }
        }
    }

    function costsOf(uint256 refund) private pure returns (EntryCosts memory) {
        uint128 allWei = uint128(refund % 9 ether);
        return EntryCosts(allWei, allWei == 0 ? 0 : uint128(refund % allWei));
    }

    function prune(uint256 node, uint256 which) public {
        if (rollup.stakeCount() == 0) return;
        try rollup.prune(nodes[node % nodes.length], which % rollup.stakeCount()) {} catch {}
    }

    function confirm(uint256 node) public {
        bytes32 nodeId = nodes[node % nodes.length];
        NodeStatus before = rollup.nodeOf(nodeId).status;
        try rollup.confirm(nodeId) {
            if (before != NodeStatus.Live) confirmedDead = true;
            confirmed.push(nodeId);
        } catch {}
    }

    function takeBack(uint256 which) external {
        if (rollup.stakeCount() == 0) return;
        uint256 stakeId = which % rollup.stakeCount();
        address owner = rollup.stakeOf(stakeId).owner;
        vm.prank(owner);
        try rollup.returnStake(stakeId) {} catch {}
        uint256 owed = rollup.owedWei(owner);
        try rollup.claim(owner) {
            paidOut += owed;
        } catch {}
    }

    function freeze() external {
        vm.prank(guard);
        try guardian.freeze() {} catch {}
    }

    function elapse(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1 minutes, 4 days));
        vm.roll(block.number + 1);
    }

    /// @dev Honest stakers and a ChallengeManager that ends its challenges: a further node must always be confirmed.
    function finish() external returns (bool) {
        vm.warp(block.timestamp + 46 days);
        bytes32 latest = rollup.latestConfirmed();
        for (uint256 round = 0; round < 4; round++) {
            pruneAll();
            bytes32[] storage children = childrenOf[latest];
            for (uint256 i = 0; i < children.length; i++) {
                for (uint256 j = 0; j < children.length; j++) {
                    fight(children[i], children[j]);
                }
            }
            pruneAll();
            if (rollup.nodeOf(latest).liveChildren == 0) firstChild(latest, round);
            vm.warp(block.timestamp + 10 days);
            for (uint256 i = 0; i < children.length; i++) {
                try rollup.confirm(children[i]) {
                    return true;
                } catch {}
            }
        }
        return false;
    }

    function firstChild(bytes32 latest, uint256 content) private {
        address honest = address(0x7007);
        vm.deal(honest, STAKE);
        uint256 stakeId = stakeAs(honest);
        paidIn += STAKE;
        create(stakeId, content);
        latest;
    }

    function fight(bytes32 winner, bytes32 loser) private {
        for (uint256 a = 0; a < rollup.stakeCount(); a++) {
            for (uint256 b = 0; b < rollup.stakeCount(); b++) {
                vm.prank(manager);
                try rollup.eliminate(winner, a, loser, b, EntryCosts(0, 0)) {} catch {}
            }
        }
    }

    function pruneAll() private {
        for (uint256 n = 0; n < nodes.length; n++) {
            for (uint256 s = 0; s < rollup.stakeCount(); s++) {
                try rollup.prune(nodes[n], s) {} catch {}
            }
        }
    }
}

contract RollupInvariantTest is L1TestBase {
    RollupHandler private handler;

    function setUp() public {
        handler = new RollupHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = handler.finish.selector;
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function invariant_whatCameInIsLockedOwedBurnedOrPaid() public view {
        Rollup r = handler.theRollup();
        vm.assertEq(address(r).balance, r.lockedWei() + r.totalOwedWei() + r.burnedWei(), "balance");
        vm.assertEq(handler.paidIn(), address(r).balance + handler.paidOut(), "in and out");
    }

    function invariant_aDeadNodeIsNeverConfirmedAndAConfirmedOneStays() public view {
        vm.assertTrue(!handler.confirmedDead(), "a dead node was confirmed");
        for (uint256 i = 0; i < handler.confirmedCount(); i++) {
            bytes32 node = handler.confirmedAt(i);
            vm.assertTrue(handler.theRollup().isConfirmed(node), "a confirmed node fell");
            if (i != 0) {
                vm.assertEq(handler.theRollup().nodeOf(node).parent, handler.confirmedAt(i - 1), "not one chain");
            }
        }
    }

    function invariant_noLivingStakeStandsUnderADeadNode() public view {
        Rollup r = handler.theRollup();
        for (uint256 i = 0; i < r.stakeCount(); i++) {
            Stake memory stake = r.stakeOf(i);
            if (!stake.isLive) continue;
            for (bytes32 node = stake.standsOn; node != bytes32(0); node = r.nodeOf(node).parent) {
                vm.assertTrue(r.nodeOf(node).status != NodeStatus.Dead, "under a dead node");
            }
        }
    }

    function invariant_livingChildrenAreCounted() public view {
        Rollup r = handler.theRollup();
        for (uint256 i = 0; i < handler.nodeCount(); i++) {
            bytes32 node = handler.nodeAt(i);
            vm.assertEq(r.nodeOf(node).liveChildren, handler.livingChildren(node), "living children");
        }
    }

    function afterInvariant() public {
        vm.assertTrue(handler.finish(), "no further node can be confirmed");
    }
}
