// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    InvalidAddress,
    InvalidAuditor,
    InvalidKind,
    InvalidPeerId,
    InvalidQuorum,
    NodeStatusForbids,
    NodeUnknown,
    NotNodeController,
    NotNodeOwner,
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
        vm.expectRevert(reason);
        vm.prank(owner);
        registry.submitApplication(form);
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
        bytes32 nodeId = keccak256(PEER);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeApplied(nodeId, owner, operator, 1, PEER, EVIDENCE);
        vm.assertEq(submit(PEER), nodeId, "node id");

        INodeRegistry.Node memory node = registry.nodeOf(PEER);
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
        vm.prank(owner);
        registry.submitApplication(form);
        vm.assertEq(registry.nodeOf(form.peerId).addresses.length, 8, "the largest application");
    }

    function test_refusesAnUnknownKindAndNoOperator() public {
        INodeRegistry.Application memory form = application(PEER);
        form.kind = 2;
        refuse(form, abi.encodeWithSelector(InvalidKind.selector, 2));
        form.kind = 0;
        form.operator = address(0);
        refuse(form, abi.encodeWithSelector(ZeroOperator.selector));
    }

    function test_refusesASecondApplicationForAPeer() public {
        bytes32 nodeId = submit(PEER);
        INodeRegistry.Application memory form = application(PEER);
        vm.expectRevert(abi.encodeWithSelector(NodeStatusForbids.selector, nodeId, INodeRegistry.Status.Applied));
        vm.prank(stranger);
        registry.submitApplication(form);
    }

    function test_leavingEndsTheAuthorizationAtOnce() public {
        bytes32 nodeId = submit(PEER);
        attestBy(auditorA, nodeId, true, START_TIME + 30 days);
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
        attestBy(auditorA, nodeId, true, START_TIME + 30 days);
        vm.prank(owner);
        registry.leaveNetwork(nodeId);

        INodeRegistry.Application memory form = application(PEER);
        vm.expectRevert(abi.encodeWithSelector(NotNodeOwner.selector, nodeId, stranger));
        vm.prank(stranger);
        registry.submitApplication(form);

        submit(PEER);
        assertStatus(nodeId, INodeRegistry.Status.Applied, "status");
        vm.assertTrue(!registry.isAuthorized(PEER), "the old attestation counts");
        vm.assertEq(registry.nodeCount(), 1, "count");
        attestBy(auditorA, nodeId, true, START_TIME + 30 days);
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

    function test_pagesAllNodesInOrder() public {
        for (uint8 i = 0; i < 5; i++) {
            submit(abi.encodePacked(i));
        }
        vm.assertEq(registry.nodeCount(), 5, "count");
        INodeRegistry.Node[] memory page = registry.nodesPaged(3, 10);
        vm.assertEq(page.length, 2, "last page");
        vm.assertEq(page[0].peerId, hex"03", "first of it");
        vm.assertEq(page[1].peerId, hex"04", "last of it");
        vm.assertEq(registry.nodesPaged(5, 10).length, 0, "past the end");
        vm.assertEq(registry.nodesPaged(type(uint256).max, type(uint256).max).length, 0, "far past the end");
        vm.assertEq(registry.nodesPaged(0, 0).length, 0, "no limit");
    }

    function test_aPageHasAtMostAHundredNodes() public {
        for (uint8 i = 0; i < 101; i++) {
            submit(abi.encodePacked(i));
        }
        vm.assertEq(registry.nodesPaged(0, type(uint256).max).length, 100, "page");
        vm.assertEq(registry.nodesPaged(100, 100).length, 1, "rest");
    }
}
