// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DepositEmpty,
    DepositNotWholeGwei,
    DepositToZeroAddress,
    DepositTooLarge,
    IndexOutOfRange
} from "../../contracts/src/l1/Errors.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {TestBase} from "./TestBase.sol";

contract InboxTest is TestBase {
    Inbox private inbox;
    address private depositor = account("depositor");
    address private recipient = account("recipient");

    function setUp() public {
        startClock();
        inbox = new Inbox();
        vm.deal(depositor, type(uint256).max);
    }

    function deposit(address to, uint256 amountWei) private returns (uint256) {
        vm.prank(depositor);
        return inbox.depositEth{value: amountWei}(to);
    }

    function nextAcc(bytes32 beforeAcc, address to, uint256 amountWei) private view returns (bytes32) {
        bytes32 message = keccak256(abi.encode(uint8(1), depositor, to, amountWei, block.number, block.timestamp));
        return keccak256(abi.encodePacked(beforeAcc, message));
    }

    function test_depositAppendsAMessageAndKeepsTheEth() public {
        vm.expectEmit(address(inbox));
        emit Inbox.MessageDelivered(0, bytes32(0), 1, depositor, recipient, 3 gwei);
        vm.assertEq(deposit(recipient, 3 gwei), 0, "index");
        vm.assertEq(inbox.messageCount(), 1, "count");
        vm.assertEq(inbox.accumulator(0), nextAcc(bytes32(0), recipient, 3 gwei), "accumulator");
        vm.assertEq(address(inbox).balance, 3 gwei, "balance");
    }

    function test_accumulatorBindsTheMessageBeforeAndTheBlock() public {
        deposit(recipient, 1 ether);
        bytes32 first = inbox.accumulator(0);
        vm.roll(START_BLOCK + 7);
        vm.warp(START_TIME + 84);
        vm.expectEmit(address(inbox));
        emit Inbox.MessageDelivered(1, first, 1, depositor, depositor, 2 ether);
        vm.assertEq(deposit(depositor, 2 ether), 1, "index");
        vm.assertEq(inbox.accumulator(1), nextAcc(first, depositor, 2 ether), "accumulator");
    }

    function test_sameDepositInAnotherBlockGivesAnotherAccumulator() public {
        deposit(recipient, 1 gwei);
        Inbox other = new Inbox();
        vm.roll(START_BLOCK + 1);
        vm.prank(depositor);
        other.depositEth{value: 1 gwei}(recipient);
        vm.assertTrue(inbox.accumulator(0) != other.accumulator(0), "block number is not bound");
    }

    function test_refusesADepositWithoutEth() public {
        vm.expectRevert(abi.encodeWithSelector(DepositEmpty.selector));
        inbox.depositEth(recipient);
    }

    function test_refusesADepositToTheZeroAddress() public {
        vm.deal(address(this), 1 gwei);
        vm.expectRevert(abi.encodeWithSelector(DepositToZeroAddress.selector));
        inbox.depositEth{value: 1 gwei}(address(0));
    }

    function test_takesTheLargestDepositAndNoGweiMore() public {
        uint256 max = inbox.MAX_DEPOSIT_WEI();
        deposit(recipient, max);
        vm.prank(depositor);
        vm.expectRevert(abi.encodeWithSelector(DepositTooLarge.selector, max + 1 gwei, max));
        inbox.depositEth{value: max + 1 gwei}(recipient);
    }

    function test_refusesEthWithoutAMessage() public {
        vm.prank(depositor);
        (bool sent,) = address(inbox).call{value: 1 gwei}("");
        vm.assertTrue(!sent, "plain transfer was taken");
        vm.prank(depositor);
        (sent,) = address(inbox).call{value: 1 gwei}(hex"12345678");
        vm.assertTrue(!sent, "unknown call was taken");
    }

    function test_refusesToReadPastTheEnd() public {
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 0, 0));
        inbox.accumulator(0);
        deposit(recipient, 1 gwei);
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 1, 1));
        inbox.accumulator(1);
    }

    function testFuzz_refusesAFractionOfAGwei(uint256 gweis, uint256 rest) public {
        uint256 amountWei = bound(gweis, 0, type(uint64).max) * 1 gwei + bound(rest, 1, 1 gwei - 1);
        vm.prank(depositor);
        vm.expectRevert(abi.encodeWithSelector(DepositNotWholeGwei.selector, amountWei));
        inbox.depositEth{value: amountWei}(recipient);
    }

    function testFuzz_chainsEveryDeposit(address to, uint64 first, uint64 second) public {
        vm.assume(to != address(0) && first != 0 && second != 0);
        deposit(to, uint256(first) * 1 gwei);
        deposit(to, uint256(second) * 1 gwei);
        bytes32 acc = nextAcc(bytes32(0), to, uint256(first) * 1 gwei);
        vm.assertEq(inbox.accumulator(0), acc, "first");
        vm.assertEq(inbox.accumulator(1), nextAcc(acc, to, uint256(second) * 1 gwei), "second");
        vm.assertEq(address(inbox).balance, (uint256(first) + second) * 1 gwei, "balance");
    }
}
