// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "../../contracts/src/l1/DelayedMessages.sol";
import {
    DepositEmpty,
    DepositNotWholeGwei,
    DepositToZeroAddress,
    DepositTooLarge,
    IndexOutOfRange,
    NotOutbox,
    NotSystemConfig,
    TransactionSizeInvalid,
    ZeroAddress
} from "../../contracts/src/l1/Errors.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {L1TestBase} from "./L1TestBase.sol";

contract InboxTest is L1TestBase {
    address private recipient = account("recipient");

    function setUp() public {
        deploy();
        vm.deal(alice, type(uint256).max);
    }

    function deposit(address to, uint256 amountWei) private returns (uint256) {
        vm.prank(alice);
        return inbox.depositEth{value: amountWei}(to);
    }

    function accAfter(bytes32 before, uint8 kind, bytes memory data) private view returns (bytes32) {
        bytes32 hash = keccak256(abi.encode(uint256(kind), alice, keccak256(data), block.number, block.timestamp));
        return keccak256(bytes.concat(before, hash));
    }

    function test_depositAppendsAMessageAndKeepsTheEth() public {
        bytes memory data = abi.encode(recipient, uint256(3 gwei));
        vm.expectEmit(address(inbox));
        emit Inbox.MessageDelivered(0, bytes32(0), 0, alice, data);
        vm.assertEq(deposit(recipient, 3 gwei), 0, "index");
        vm.assertEq(inbox.messageCount(), 1, "count");
        vm.assertEq(inbox.accumulator(0), accAfter(bytes32(0), 0, data), "accumulator");
        vm.assertEq(address(inbox).balance, 3 gwei, "balance");
    }

    function test_signedTransactionIsAMessageOfItsOwnKind() public {
        deposit(recipient, 1 gwei);
        bytes32 before = inbox.accumulator(0);
        vm.roll(START_BLOCK + 7);
        vm.warp(START_TIME + 84);
        bytes memory raw = hex"02f8aa";
        vm.expectEmit(address(inbox));
        emit Inbox.MessageDelivered(1, before, 1, alice, raw);
        vm.prank(alice);
        vm.assertEq(inbox.sendTransaction(raw), 1, "index");
        vm.assertEq(inbox.accumulator(1), accAfter(before, 1, raw), "accumulator");
    }

    function test_signedTransactionIsBounded() public {
        vm.expectRevert(abi.encodeWithSelector(TransactionSizeInvalid.selector, 0, 32_768));
        inbox.sendTransaction("");
        inbox.sendTransaction(new bytes(32_768));
        vm.expectRevert(abi.encodeWithSelector(TransactionSizeInvalid.selector, 32_769, 32_768));
        inbox.sendTransaction(new bytes(32_769));
    }

    function test_configComesFromTheSystemConfigAlone() public {
        vm.expectRevert(abi.encodeWithSelector(NotSystemConfig.selector, stranger));
        vm.prank(stranger);
        inbox.deliverConfig(abi.encode(uint64(1), uint8(0)));
        vm.prank(address(systemConfig));
        inbox.deliverConfig(abi.encode(uint64(1), uint8(0)));
        vm.assertEq(inbox.messageCount(), 1, "count");
    }

    function test_ethLeavesThroughTheOutboxAlone() public {
        deposit(recipient, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(NotOutbox.selector, stranger));
        vm.prank(stranger);
        inbox.release(1);
        vm.prank(address(outbox));
        inbox.release(1 ether);
        vm.assertEq(address(inbox).balance, 0, "inbox");
        vm.assertEq(address(outbox).balance, 1 ether, "outbox");
    }

    function test_refusesADepositThatL2CouldNotCredit() public {
        vm.expectRevert(abi.encodeWithSelector(DepositToZeroAddress.selector));
        deposit(address(0), 1 gwei);
        vm.expectRevert(abi.encodeWithSelector(DepositEmpty.selector));
        deposit(recipient, 0);
        vm.expectRevert(abi.encodeWithSelector(DepositNotWholeGwei.selector, 1 gwei + 1));
        deposit(recipient, 1 gwei + 1);
        uint256 most = uint256(type(uint64).max) * 1 gwei;
        vm.expectRevert(abi.encodeWithSelector(DepositTooLarge.selector, most + 1 gwei, most));
        deposit(recipient, most + 1 gwei);
    }

    function test_refusesEthWithoutAMessage() public {
        (bool sent,) = address(inbox).call{value: 0}("");
        vm.assertTrue(!sent, "ETH without a message was taken");
    }

    function test_knowsOnlyWhatWasDelivered() public {
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 0, 0));
        inbox.accumulator(0);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new Inbox(address(0), alice);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new Inbox(alice, address(0));
    }

    function testFuzz_everyFieldOfAMessageCounts(DelayedMessages.Message memory a, uint8 field) public pure {
        DelayedMessages.Message memory b =
            DelayedMessages.Message(a.kind, a.sender, a.dataHash, a.blockNumber, a.timestamp);
        unchecked {
            if (field % 5 == 0) b.kind++;
            if (field % 5 == 1) b.sender = address(uint160(b.sender) + 1);
            if (field % 5 == 2) b.dataHash = bytes32(uint256(b.dataHash) + 1);
            if (field % 5 == 3) b.blockNumber++;
            if (field % 5 == 4) b.timestamp++;
        }
        vm.assertTrue(DelayedMessages.hash(a) != DelayedMessages.hash(b), "a field does not count");
    }
}
