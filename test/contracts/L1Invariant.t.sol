// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {TestBase} from "./TestBase.sol";

/// @title Deposits and batches in any order, well formed or not, with a record of what was taken
contract L1Handler is TestBase {
    Inbox public immutable inbox;
    SequencerInbox public immutable batches;
    address private constant SEQUENCER = address(0x5e9);

    uint256 public depositedWei;
    uint256 public deposits;
    bytes32 public expectedInboxAcc;
    bytes32 public expectedBatchAcc;
    bytes32 public firstBatchAcc;
    uint256 public posted;
    uint256 public readBefore;
    bool public wentBackwards;

    constructor() {
        inbox = new Inbox();
        batches = new SequencerInbox(SEQUENCER, inbox);
    }

    function deposit(address to, uint256 amountWei, bool whole) external {
        if (whole) amountWei -= amountWei % 1 gwei;
        vm.deal(address(this), amountWei);
        bytes32 message = keccak256(abi.encode(uint8(1), address(this), to, amountWei, block.number, block.timestamp));
        try inbox.depositEth{value: amountWei}(to) {
            depositedWei += amountWei;
            deposits++;
            expectedInboxAcc = keccak256(abi.encodePacked(expectedInboxAcc, message));
        } catch {}
    }

    function post(uint256 skew, bytes calldata data, uint256 afterDelayed) external {
        uint256 number = batches.batchCount();
        if (skew % 8 == 0) number++;
        if (skew % 8 == 1 && number != 0) number--;
        uint256 after_ = bound(afterDelayed, 0, inbox.messageCount() + 1);
        vm.prank(SEQUENCER, SEQUENCER);
        try batches.addBatch(number, data, after_) {
            bytes32 delayed = after_ == 0 ? bytes32(0) : inbox.accumulator(after_ - 1);
            expectedBatchAcc = keccak256(abi.encodePacked(expectedBatchAcc, keccak256(data), delayed, after_));
            if (posted++ == 0) firstBatchAcc = expectedBatchAcc;
            if (after_ < readBefore) wentBackwards = true;
            readBefore = after_;
        } catch {}
    }

    function elapse(uint256 blocks) external {
        vm.roll(block.number + bound(blocks, 1, 100));
        vm.warp(block.timestamp + 12);
    }
}

contract L1InvariantTest is TestBase {
    L1Handler private handler;

    function setUp() public {
        startClock();
        handler = new L1Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_balanceIsTheSumOfDeposits() public view {
        vm.assertEq(address(handler.inbox()).balance, handler.depositedWei(), "balance");
    }

    function invariant_everyDepositIsOneMessageInTheAccumulator() public view {
        uint256 count = handler.inbox().messageCount();
        vm.assertEq(count, handler.deposits(), "count");
        if (count != 0) vm.assertEq(handler.inbox().accumulator(count - 1), handler.expectedInboxAcc(), "accumulator");
    }

    function invariant_batchesOnlyGrow() public view {
        SequencerInbox batches = handler.batches();
        uint256 count = batches.batchCount();
        vm.assertEq(count, handler.posted(), "count");
        if (count == 0) return;
        vm.assertEq(batches.accumulator(0), handler.firstBatchAcc(), "the first accumulator changed");
        vm.assertEq(batches.accumulator(count - 1), handler.expectedBatchAcc(), "accumulator");
    }

    function invariant_delayedMessagesAreReadForwardsAndExist() public view {
        vm.assertTrue(!handler.wentBackwards(), "a message was taken back");
        uint256 read = handler.batches().delayedMessagesRead();
        vm.assertEq(read, handler.readBefore(), "read");
        vm.assertTrue(read <= handler.inbox().messageCount(), "a message that does not exist was read");
    }
}
