// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../contracts/src/l2/INodeRegistry.sol";
import {NodeRegistry} from "../../contracts/src/l2/NodeRegistry.sol";
import {TestBase} from "./TestBase.sol";

/// @title A registry with three auditors of whom two eject, and the people around one node
abstract contract RegistryTestBase is TestBase {
    bytes internal constant PEER = hex"002408011220aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    bytes32 internal constant EVIDENCE = keccak256("evidence");

    NodeRegistry internal registry;
    address internal auditorA = account("auditor a");
    address internal auditorB = account("auditor b");
    address internal auditorC = account("auditor c");
    address internal owner = account("owner");
    address internal operator = account("operator");
    address internal stranger = account("stranger");

    function createRegistry() internal {
        address[] memory auditors = new address[](3);
        (auditors[0], auditors[1], auditors[2]) = (auditorA, auditorB, auditorC);
        registry = new NodeRegistry(auditors, 2);
    }

    function application(bytes memory peerId) internal view returns (INodeRegistry.Application memory) {
        string[] memory addresses = new string[](1);
        addresses[0] = "/ip4/192.0.2.1/tcp/4001";
        return INodeRegistry.Application(peerId, addresses, 1, operator, EVIDENCE, new bytes(64));
    }

    function submit(bytes memory peerId) internal returns (bytes32) {
        return submitAs(owner, application(peerId));
    }

    function submitAs(address who, INodeRegistry.Application memory form) internal returns (bytes32) {
        uint256 deposit = registry.depositRequired();
        vm.deal(who, who.balance + deposit);
        vm.prank(who);
        return registry.submitApplication{value: deposit}(form);
    }

    function entryOf(bytes memory peerId, address who) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(peerId), who));
    }

    function attestBy(address auditor, bytes32 nodeId, uint256 validUntil) internal {
        vm.prank(auditor);
        registry.attest(nodeId, uint64(validUntil), EVIDENCE);
    }

    function warnBy(address auditor, bytes32 nodeId, uint256 cureBy) internal {
        vm.prank(auditor);
        registry.warn(nodeId, 2, uint64(cureBy), EVIDENCE);
    }

    function suspendBy(address auditor, bytes32 nodeId) internal {
        vm.prank(auditor);
        registry.suspend(nodeId, 2, EVIDENCE);
    }

    function harmBy(address auditor, bytes32 nodeId) internal {
        vm.prank(auditor);
        registry.eject(nodeId, 1, EVIDENCE);
    }

    function ejectBy(address auditor, bytes32 nodeId) internal {
        vm.prank(auditor);
        registry.eject(nodeId, 7, EVIDENCE);
    }

    function statusOf(bytes32 nodeId) internal view returns (INodeRegistry.Status) {
        return registry.nodeById(nodeId).status;
    }

    function assertStatus(bytes32 nodeId, INodeRegistry.Status expected, string memory claim) internal view {
        vm.assertEq(uint256(statusOf(nodeId)), uint256(expected), claim);
    }
}
