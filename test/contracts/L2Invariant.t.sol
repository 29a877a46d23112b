// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditAnchor} from "../../contracts/src/l2/AuditAnchor.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

/// @title Everything that can happen to four nodes, in any order, by the right and the wrong people
contract L2Handler is RegistryTestBase {
    AuditAnchor public immutable anchors;
    uint256 public constant PEERS = 4;

    mapping(bytes32 nodeId => bool) public ejected;
    mapping(bytes32 nodeId => bool) public submitted;
    mapping(bytes32 nodeId => bool) public passedSinceApplied;
    mapping(bytes32 nodeId => uint256) public lastVote;
    mapping(bytes32 nodeId => address) public lastVoter;
    uint256 public nodes;
    bool public ejectedByOneAuditor;

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

    function submitAs(uint256 who, uint256 which) external {
        bytes32 nodeId = keccak256(peer(which));
        INodeRegistry.Application memory form = application(peer(which));
        vm.prank(who % 4 == 0 ? stranger : owner);
        try registry.submitApplication(form) {
            passedSinceApplied[nodeId] = false;
            if (!submitted[nodeId]) nodes++;
            submitted[nodeId] = true;
        } catch {}
    }

    function attestAs(uint256 who, uint256 which, bool pass, uint64 validity) external {
        bytes32 nodeId = keccak256(peer(which));
        vm.prank(person(who));
        try registry.attest(nodeId, pass, uint64(block.timestamp + bound(validity, 0, 401 days)), EVIDENCE) {
            if (pass) passedSinceApplied[nodeId] = true;
        } catch {}
    }

    function ejectAs(uint256 who, uint256 which) external {
        bytes32 nodeId = keccak256(peer(which));
        address voter = person(who);
        vm.prank(voter);
        try registry.eject(nodeId, 1, EVIDENCE) {
            if (statusOf(nodeId) == INodeRegistry.Status.Ejected) {
                ejected[nodeId] = true;
                bool stale = block.timestamp > lastVote[nodeId] + registry.VOTING_PERIOD();
                if (lastVoter[nodeId] == address(0) || lastVoter[nodeId] == voter || stale) ejectedByOneAuditor = true;
            }
            lastVoter[nodeId] = voter;
            lastVote[nodeId] = block.timestamp;
        } catch {}
    }

    function leaveAs(uint256 who, uint256 which) external {
        vm.prank(who % 2 == 0 ? owner : person(who));
        try registry.leaveNetwork(keccak256(peer(which))) {} catch {}
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

    function invariant_anEjectedNodeIsNeverAuthorized() public view {
        for (uint256 i = 0; i < handler.PEERS(); i++) {
            bytes memory peerId = handler.peer(i);
            if (!handler.ejected(keccak256(peerId))) continue;
            vm.assertTrue(!handler.theRegistry().isAuthorized(peerId), "authorized");
            uint256 status = uint256(handler.theRegistry().nodeOf(peerId).status);
            vm.assertEq(status, uint256(INodeRegistry.Status.Ejected), "came back");
        }
    }

    function invariant_noAuditorEjectsAlone() public view {
        vm.assertTrue(!handler.ejectedByOneAuditor(), "ejected by one auditor");
    }

    function invariant_authorizedMeansPassedAndNotLapsed() public view {
        for (uint256 i = 0; i < handler.PEERS(); i++) {
            bytes memory peerId = handler.peer(i);
            if (!handler.theRegistry().isAuthorized(peerId)) continue;
            vm.assertTrue(handler.passedSinceApplied(keccak256(peerId)), "authorized without a pass");
            INodeRegistry.Node memory node = handler.theRegistry().nodeOf(peerId);
            vm.assertTrue(block.timestamp <= uint256(node.validUntil) + 7 days, "authorized past the grace period");
        }
    }

    function invariant_everyNodeIsListedOnce() public view {
        vm.assertEq(handler.theRegistry().nodeCount(), handler.nodes(), "count");
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
