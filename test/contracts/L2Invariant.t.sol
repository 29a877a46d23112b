// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditAnchor} from "../../contracts/src/l2/AuditAnchor.sol";
import {NodeRegistry} from "../../contracts/src/l2/NodeRegistry.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

/// @title Everything that can happen to four nodes, in any order, by the right and the wrong people
contract L2Handler is RegistryTestBase {
    AuditAnchor public immutable anchors;
    uint256 public constant PEERS = 4;

    mapping(bytes32 nodeId => bool) public ejected;
    mapping(bytes32 nodeId => bool) public submitted;
    mapping(bytes32 nodeId => bool) public passedSinceApplied;
    mapping(bytes32 nodeId => mapping(bool harm => uint256)) public lastVote;
    mapping(bytes32 nodeId => mapping(bool harm => address)) public lastVoter;
    /// @dev When it began to drain; 0 where it was put out at once.
    mapping(bytes32 nodeId => uint256) public drainsSince;
    mapping(bytes32 nodeId => mapping(address auditor => bool)) private putOut;
    bytes32[] private entries;
    uint256 public deposited;
    uint256 public claimed;
    bool public ejectedByOneAuditor;
    bool public judgedByWhoEjected;

    constructor() {
        startClock();
        createRegistry();
        anchors = new AuditAnchor(registry);
    }

    function theRegistry() external view returns (INodeRegistry) {
        return registry;
    }

    function peer(uint256 seed) public pure returns (bytes memory) {
        return abi.encodePacked(uint8(seed % PEERS));
    }

    function person(uint256 seed) private view returns (address) {
        address[6] memory people = [auditorA, auditorB, auditorC, owner, operator, stranger];
        return people[seed % people.length];
    }

    function applyAs(uint256 who, uint256 which, uint256 more) external {
        INodeRegistry.Application memory form = application(peer(which));
        address applicant = who % 4 == 0 ? stranger : owner;
        uint256 value = registry.depositRequired() + more % 1 ether;
        vm.deal(applicant, value);
        vm.prank(applicant);
        try registry.submitApplication{value: value}(form) returns (bytes32 nodeId) {
            passedSinceApplied[nodeId] = false;
            if (!submitted[nodeId]) entries.push(nodeId);
            submitted[nodeId] = true;
            deposited += value;
        } catch {}
    }

    function claimAs(uint256 who) external {
        address account_ = person(who);
        uint256 owed = registry.owedWei(account_);
        try registry.claim(account_) {
            claimed += owed;
        } catch {}
    }

    function appealAs(uint256 which) external {
        bytes32 nodeId = entry(which);
        vm.prank(owner);
        try registry.appeal(nodeId, EVIDENCE) {} catch {}
    }

    function readmitAs(uint256 who, uint256 which) external {
        bytes32 nodeId = entry(which);
        address judge = person(who);
        uint256 appealedAt = registry.nodeById(nodeId).appealedAt;
        vm.prank(judge);
        try registry.readmit(nodeId, EVIDENCE) {
            bool isAppeal = appealedAt != 0 && block.timestamp <= appealedAt + registry.DECISION_PERIOD();
            if (isAppeal && putOut[nodeId][judge]) judgedByWhoEjected = true;
            if (statusOf(nodeId) == INodeRegistry.Status.Suspended) {
                ejected[nodeId] = false;
                lastVoter[nodeId][true] = address(0);
                lastVoter[nodeId][false] = address(0);
            }
        } catch {}
    }

    function lapse(uint256 which) external {
        try registry.lapse(entry(which)) {} catch {}
    }

    function entry(uint256 seed) public view returns (bytes32) {
        return entryOf(peer(seed), seed % 3 == 0 ? stranger : owner);
    }

    function entryCount() external view returns (uint256) {
        return entries.length;
    }

    function entryAt(uint256 i) external view returns (bytes32) {
        return entries[i];
    }

    function attestAs(uint256 who, uint256 which, uint64 validity) external {
        bytes32 nodeId = entry(which);
        vm.prank(person(who));
        try registry.attest(nodeId, uint64(block.timestamp + bound(validity, 0, 401 days)), EVIDENCE) {
            passedSinceApplied[nodeId] = true;
        } catch {}
    }

    function warnAs(uint256 who, uint256 which, uint64 validity) external {
        vm.prank(person(who));
        try registry.warn(entry(which), 2, uint64(block.timestamp + bound(validity, 0, 401 days)), EVIDENCE) {} catch {}
    }

    function suspendAs(uint256 who, uint256 which) external {
        vm.prank(person(who));
        try registry.suspend(entry(which), 2, EVIDENCE) {} catch {}
    }

    function ejectAs(uint256 who, uint256 which, bool harm) external {
        bytes32 nodeId = entry(which);
        address voter = person(who);
        uint256 before = registry.nodeById(nodeId).ejectedAt;
        INodeRegistry.Status status = statusOf(nodeId);
        vm.prank(voter);
        try registry.eject(nodeId, harm ? 1 : 2, EVIDENCE) {
            address other = lastVoter[nodeId][harm];
            if (statusOf(nodeId) != status && registry.nodeById(nodeId).ejectedAt >= before) {
                ejected[nodeId] = true;
                drainsSince[nodeId] = statusOf(nodeId) == INodeRegistry.Status.Draining ? block.timestamp : 0;
                bool stale = block.timestamp > lastVote[nodeId][harm] + registry.VOTING_PERIOD();
                if (other == address(0) || other == voter || stale) ejectedByOneAuditor = true;
                address[3] memory auditors = [auditorA, auditorB, auditorC];
                for (uint256 i = 0; i < 3; i++) {
                    putOut[nodeId][auditors[i]] = auditors[i] == voter || auditors[i] == other;
                }
            }
            lastVoter[nodeId][harm] = voter;
            lastVote[nodeId][harm] = block.timestamp;
        } catch {}
    }

    function leaveAs(uint256 who, uint256 which) external {
        bytes32 nodeId = entry(which);
        vm.prank(who % 2 == 0 ? owner : person(who));
        try registry.leaveNetwork(nodeId) {} catch {}
    }

    function anchorAs(uint256 who, uint256 which, uint256 size, bytes32 root) external {
        vm.prank(who % 4 == 0 ? stranger : operator);
        try anchors.anchor(keccak256(peer(which)), uint64(bound(size, 0, 40)), root) {} catch {}
    }

    function elapse(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 12 days));
        vm.roll(block.number + 1);
    }
}

contract L2InvariantTest is RegistryTestBase {
    L2Handler private handler;

    function setUp() public {
        handler = new L2Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_anEjectedEntryIsNeverAuthorized() public view {
        for (uint256 i = 0; i < handler.entryCount(); i++) {
            bytes32 nodeId = handler.entryAt(i);
            if (!handler.ejected(nodeId)) continue;
            INodeRegistry.Node memory node = handler.theRegistry().nodeById(nodeId);
            uint256 since = handler.drainsSince(nodeId);
            bool drains = since != 0 && block.timestamp <= since + 30 days;
            INodeRegistry.Status expected = drains ? INodeRegistry.Status.Draining : INodeRegistry.Status.Ejected;
            vm.assertEq(uint256(node.status), uint256(expected), "came back");
            if (NodeRegistry(address(handler.theRegistry())).holderOf(keccak256(node.peerId)) != nodeId) continue;
            vm.assertTrue(!handler.theRegistry().isAuthorized(node.peerId), "authorized");
        }
    }

    function invariant_noAuditorEjectsAlone() public view {
        vm.assertTrue(!handler.ejectedByOneAuditor(), "ejected by one auditor");
    }

    function invariant_whoEjectedDoesNotJudgeTheAppeal() public view {
        vm.assertTrue(!handler.judgedByWhoEjected(), "judged by who ejected");
    }

    function invariant_authorizedMeansPassedAndNotLapsed() public view {
        for (uint256 i = 0; i < handler.PEERS(); i++) {
            bytes memory peerId = handler.peer(i);
            if (!handler.theRegistry().isAuthorized(peerId)) continue;
            INodeRegistry.Node memory node = handler.theRegistry().nodeOf(peerId);
            bytes32 nodeId = keccak256(abi.encode(keccak256(peerId), node.owner));
            vm.assertTrue(handler.passedSinceApplied(nodeId), "authorized without a pass");
            vm.assertTrue(block.timestamp <= uint256(node.validUntil) + 7 days, "authorized past the grace period");
        }
    }

    function invariant_theListsHoldExactlyWhoBelongsThere() public view {
        INodeRegistry registry_ = handler.theRegistry();
        uint256 waiting;
        uint256 members;
        for (uint256 i = 0; i < handler.entryCount(); i++) {
            INodeRegistry.Status status = registry_.nodeById(handler.entryAt(i)).status;
            if (status == INodeRegistry.Status.Applied) waiting++;
            if (status == INodeRegistry.Status.Active || status == INodeRegistry.Status.Warned) members++;
        }
        vm.assertEq(registry_.pendingCount(), waiting, "pending");
        // Those that lapsed and were not yet taken off are listed too.
        vm.assertTrue(registry_.memberCount() >= members, "a member is not listed");
        uint256 listed;
        INodeRegistry.Node[] memory page = registry_.membersPaged(0, 100);
        for (uint256 i = 0; i < page.length; i++) {
            if (page[i].status != INodeRegistry.Status.Suspended) listed++;
        }
        vm.assertEq(listed, members, "members");
    }

    function invariant_depositsAreHeldOwedOrForfeited() public view {
        uint256 balance = address(handler.theRegistry()).balance;
        vm.assertEq(handler.deposited(), balance + handler.claimed(), "deposits");
        uint256 held;
        for (uint256 i = 0; i < handler.entryCount(); i++) {
            held += handler.theRegistry().nodeById(handler.entryAt(i)).depositWei;
        }
        vm.assertTrue(held <= balance, "a deposit is not covered");
    }

    function invariant_checkpointsOnlyGrow() public view {
        AuditAnchor anchors = handler.anchors();
        for (uint256 i = 0; i < handler.PEERS(); i++) {
            bytes32 nodeId = keccak256(handler.peer(i));
            uint64 size = 0;
            for (uint256 j = 0; j < anchors.checkpointCount(nodeId); j++) {
                AuditAnchor.Checkpoint memory checkpoint = anchors.checkpointAt(nodeId, j);
                vm.assertTrue(checkpoint.size > size, "a checkpoint does not grow");
                vm.assertTrue(checkpoint.root != bytes32(0), "a checkpoint has no root");
                size = checkpoint.size;
            }
            vm.assertEq(anchors.latest(nodeId).size, size, "latest");
        }
    }
}
