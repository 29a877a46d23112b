// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ApplicationTooYoung,
    DepositTooSmall,
    InvalidAddress,
    InvalidAuditor,
    InvalidKind,
    InvalidPeerId,
    InvalidQuorum,
    InvalidStatement,
    NodeStatusForbids,
    NodeUnknown,
    NothingToPay,
    NotNodeController,
    NotNodeOwner,
    PeerHeld,
    TooManyAddresses,
    ZeroOperator
} from "../../contracts/src/l2/Errors.sol";
import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {NodeRegistry} from "../../contracts/src/l2/NodeRegistry.sol";
import {RegistryTestBase} from "./RegistryTestBase.sol";

/// @title Constructor, application, addresses, leaving and reading
contract NodeRegistryTest is RegistryTestBase {
    function setUp() public {
        startClock();
        createRegistry();
    }

    function refuse(INodeRegistry.Application memory form, bytes memory reason) private {
        vm.deal(owner, 1 ether);
        vm.expectRevert(reason);
        vm.prank(owner);
        registry.submitApplication{value: 1 ether}(form);
    }

    function names(uint256 count, uint256 size) private pure returns (string[] memory list) {
        list = new string[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = string(new bytes(size));
        }
    }

    function test_keepsTheAuditorsOfItsConstructor() public view {
        vm.assertEq(registry.auditors().length, 3, "auditors");
        vm.assertTrue(registry.isAuditor(auditorB) && !registry.isAuditor(stranger), "isAuditor");
        vm.assertEq(registry.ejectionQuorum(), 2, "quorum");
    }

    function test_refusesAnUnusableSetOfAuditors() public {
        address[] memory auditors = new address[](2);
        auditors[0] = auditorA;
        vm.expectRevert(abi.encodeWithSelector(InvalidAuditor.selector, address(0)));
        new NodeRegistry(auditors, 1);
        auditors[1] = auditorA;
        vm.expectRevert(abi.encodeWithSelector(InvalidAuditor.selector, auditorA));
        new NodeRegistry(auditors, 1);
        vm.expectRevert(abi.encodeWithSelector(InvalidAuditor.selector, address(0)));
        new NodeRegistry(new address[](0), 0);
    }

    function test_refusesAQuorumThatNobodyOrEverybodyMeets() public {
        address[] memory auditors = new address[](1);
        auditors[0] = auditorA;
        vm.expectRevert(abi.encodeWithSelector(InvalidQuorum.selector, 0, 1));
        new NodeRegistry(auditors, 0);
        vm.expectRevert(abi.encodeWithSelector(InvalidQuorum.selector, 2, 1));
        new NodeRegistry(auditors, 2);
    }

    function test_keepsAnApplicationWhole() public {
        bytes32 nodeId = entryOf(PEER, owner);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeApplied(nodeId, owner, operator, 1, PEER, EVIDENCE, 0.001 ether);
        vm.assertEq(submit(PEER), nodeId, "node id");

        INodeRegistry.Node memory node = registry.nodeById(nodeId);
        vm.assertEq(node.peerId, PEER, "peer id");
        vm.assertEq(node.addresses.length, 1, "addresses");
        vm.assertEq(node.addresses[0], "/ip4/192.0.2.1/tcp/4001", "address");
        vm.assertEq(node.owner, owner, "owner");
        vm.assertEq(node.operator, operator, "operator");
        vm.assertEq(node.kind, 1, "kind");
        vm.assertEq(node.appliedAt, START_TIME, "applied at");
        vm.assertEq(node.evidence, EVIDENCE, "evidence");
        assertStatus(nodeId, INodeRegistry.Status.Applied, "status");
        vm.assertTrue(!registry.isAuthorized(PEER), "an applicant is authorized");
    }

    function test_knowsNothingOfAStrangersPeer() public view {
        INodeRegistry.Node memory node = registry.nodeOf(hex"01");
        vm.assertEq(uint256(node.status), 0, "status");
        vm.assertEq(node.owner, address(0), "owner");
        vm.assertTrue(!registry.isAuthorized(hex"01") && !registry.isAuthorized(""), "authorized");
        (address noOwner, address noOperator) = registry.controllersOf(keccak256(hex"01"));
        vm.assertEq(noOwner, address(0), "controllers owner");
        vm.assertEq(noOperator, address(0), "controllers operator");
    }

    function test_boundsTheSizesOfAnApplication() public {
        INodeRegistry.Application memory form = application(new bytes(0));
        refuse(form, abi.encodeWithSelector(InvalidPeerId.selector, 0, 64));
        form.peerId = new bytes(65);
        refuse(form, abi.encodeWithSelector(InvalidPeerId.selector, 65, 64));
        form.peerId = new bytes(64);
        form.addresses = names(9, 1);
        refuse(form, abi.encodeWithSelector(TooManyAddresses.selector, 9, 8));
        form.addresses = names(8, 129);
        refuse(form, abi.encodeWithSelector(InvalidAddress.selector, 0, 129, 128));
        form.addresses = names(8, 128);
        form.addresses[7] = "";
        refuse(form, abi.encodeWithSelector(InvalidAddress.selector, 7, 0, 128));
        form.addresses = names(8, 128);
        form.statement = new bytes(63);
        refuse(form, abi.encodeWithSelector(InvalidStatement.selector, 63));
        form.statement = new bytes(64);
        vm.assertEq(registry.nodeById(submitAs(owner, form)).addresses.length, 8, "the largest application");
    }

    function test_refusesAnUnknownKindAndNoOperator() public {
        INodeRegistry.Application memory form = application(PEER);
        form.kind = 2;
        refuse(form, abi.encodeWithSelector(InvalidKind.selector, 2));
        form.kind = 0;
        form.operator = address(0);
        refuse(form, abi.encodeWithSelector(ZeroOperator.selector));
    }

    function test_refusesASecondApplicationOfTheSameOwner() public {
        bytes32 nodeId = submit(PEER);
        refuse(
            application(PEER), abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Applied)
        );
    }

    function test_aSquatterStandsInNobodysWay() public {
        bytes32 squatter = submitAs(stranger, application(PEER));
        vm.assertEq(registry.nodeById(squatter).owner, stranger, "squatter");
        (address noOwner,) = registry.controllersOf(keccak256(PEER));
        vm.assertEq(noOwner, address(0), "an application speaks for the peer");
        bytes32 nodeId = submit(PEER);
        attestBy(auditorA, nodeId, START_TIME + 30 days);
        vm.assertTrue(registry.isAuthorized(PEER), "the true owner is not authorized");
        vm.assertEq(registry.nodeOf(PEER).owner, owner, "holder");
        vm.expectRevert(abi.encodeWithSelector(PeerHeld.selector, keccak256(PEER), nodeId));
        attestBy(auditorB, squatter, START_TIME + 30 days);
        ejectBy(auditorA, squatter);
        ejectBy(auditorB, squatter);
        vm.assertTrue(registry.isAuthorized(PEER), "the squatter's ejection hit the owner");
        vm.assertEq(registry.owedWei(stranger), 0, "the squatter got its deposit back");
    }

    function test_theDepositGrowsWithWhatWaitsAndComesBack() public {
        vm.assertEq(registry.depositRequired(), 0.001 ether, "first");
        bytes32 nodeId = submit(PEER);
        vm.assertEq(registry.depositRequired(), 0.002 ether, "second");
        INodeRegistry.Application memory form = application(hex"02");
        vm.deal(stranger, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(DepositTooSmall.selector, 0.001 ether, 0.002 ether));
        vm.prank(stranger);
        registry.submitApplication{value: 0.001 ether}(form);
        for (uint256 i = 0; i < 50; i++) {
            submitAs(stranger, application(abi.encode(i)));
        }
        vm.assertEq(registry.depositRequired(), 0.052 ether, "after fifty");
        attestBy(auditorA, nodeId, START_TIME + 30 days);
        vm.assertEq(registry.depositRequired(), 0.051 ether, "one decided");
        uint256 before = owner.balance;
        registry.claim(owner);
        vm.assertEq(owner.balance - before, 0.001 ether, "not paid back");
        vm.expectRevert(abi.encodeWithSelector(NothingToPay.selector, owner));
        registry.claim(owner);
    }

    function test_anApplicationIsWithdrawnAfterAWhile() public {
        bytes32 nodeId = submit(PEER);
        vm.expectRevert(abi.encodeWithSelector(ApplicationTooYoung.selector, nodeId, START_TIME + 7 days));
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        vm.warp(START_TIME + 7 days);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        vm.assertEq(registry.pendingCount(), 0, "still waits");
        registry.claim(owner);
    }

    function test_leavingEndsTheAuthorizationAtOnce() public {
        bytes32 nodeId = submit(PEER);
        attestBy(auditorA, nodeId, START_TIME + 30 days);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeLeft(nodeId);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
        vm.assertTrue(!registry.isAuthorized(PEER), "authorized");
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Left));
        vm.prank(owner);
        registry.leaveNetwork(nodeId);
    }

    function test_onlyTheOwnerLeaves() public {
        bytes32 nodeId = submit(PEER);
        vm.expectRevert(abi.encodeWithSelector(NotNodeOwner.selector, nodeId, operator));
        vm.prank(operator);
        registry.leaveNetwork(nodeId);
        vm.expectRevert(abi.encodeWithSelector(NodeUnknown.selector, EVIDENCE));
        registry.leaveNetwork(EVIDENCE);
    }

    function test_whoLeftAppliesAgainAndIsAttestedAnew() public {
        bytes32 nodeId = submit(PEER);
        attestBy(auditorA, nodeId, START_TIME + 30 days);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);

        submit(PEER);
        INodeRegistry.Node memory node = registry.nodeById(nodeId);
        vm.assertEq(node.attestation, bytes32(0), "the old attestation is kept");
        vm.assertEq(node.auditor, address(0), "the old auditor is kept");
        vm.assertEq(node.attestedAt, 0, "the old time is kept");
        assertStatus(nodeId, INodeRegistry.Status.Applied, "status");
        vm.assertTrue(!registry.isAuthorized(PEER), "the old attestation counts");
        attestBy(auditorA, nodeId, START_TIME + 30 days);
        vm.assertTrue(registry.isAuthorized(PEER), "not authorized");
    }

    function test_ownerAndOperatorSetAddresses() public {
        bytes32 nodeId = submit(PEER);
        string[] memory addresses = new string[](2);
        (addresses[0], addresses[1]) = ("/dns4/a/tcp/1", "/dns4/b/tcp/2");
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeAddressesChanged(nodeId, addresses);
        vm.prank(operator);
        registry.setAddresses(nodeId, addresses);
        vm.assertEq(registry.nodeById(nodeId).addresses[1], "/dns4/b/tcp/2", "second");

        vm.prank(owner);
        registry.setAddresses(nodeId, new string[](0));
        vm.assertEq(registry.nodeById(nodeId).addresses.length, 0, "emptied");

        vm.expectRevert(abi.encodeWithSelector(NotNodeController.selector, nodeId, stranger));
        vm.prank(stranger);
        registry.setAddresses(nodeId, addresses);
    }

    function test_pagesWhoWaitsAndWhoIsAMember() public {
        for (uint8 i = 0; i < 5; i++) {
            bytes32 nodeId = submit(abi.encodePacked(i));
            if (i < 3) attestBy(auditorA, nodeId, START_TIME + 30 days);
        }
        vm.assertEq(registry.pendingCount(), 2, "pending");
        vm.assertEq(registry.memberCount(), 3, "members");
        INodeRegistry.Node[] memory page = registry.membersPaged(1, 10);
        vm.assertEq(page.length, 2, "last page");
        vm.assertEq(page[0].peerId, hex"01", "first of it");
        vm.assertEq(registry.pendingPaged(0, 1)[0].peerId, hex"03", "waits");
        vm.assertEq(registry.membersPaged(5, 10).length, 0, "past the end");
        vm.assertEq(registry.membersPaged(type(uint256).max, type(uint256).max).length, 0, "far past the end");
        vm.assertEq(registry.membersPaged(0, 0).length, 0, "no limit");
        vm.prank(owner);
        registry.leaveNetwork(entryOf(hex"00", owner));
        vm.assertEq(registry.memberCount(), 2, "who left is listed");
    }

    function test_aPageHasAtMostAHundredNodes() public {
        for (uint8 i = 0; i < 101; i++) {
            submit(abi.encodePacked(i));
        }
        vm.assertEq(registry.pendingPaged(0, type(uint256).max).length, 100, "page");
        vm.assertEq(registry.pendingPaged(100, 100).length, 1, "rest");
    }
}
