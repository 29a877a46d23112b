// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "../../contracts/src/l1/DelayedMessages.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title Messages, batches and forcing in any order, well formed or not, with a record of what was taken
contract L1Handler is L1TestBase {
    uint256 public depositedWei;
    bytes32 public expectedInboxAcc;
    bytes32 public expectedBatchAcc;
    bytes32 public firstBatchAcc;
    uint256 public posted;
    uint256 public readBefore;
    bool public wentBackwards;
    bool public forcedEarly;
    DelayedMessages.Message[] private sent;

    constructor() {
        deploy();
    }

    function theInbox() external view returns (Inbox) {
        return inbox;
    }

    function theBatches() external view returns (SequencerInbox) {
        return batches;
    }

    function messages() external view returns (uint256) {
        return sent.length;
    }

    function keep(uint8 kind, bytes memory data) private {
        DelayedMessages.Message memory next = message(kind, address(this), data);
        sent.push(next);
        expectedInboxAcc = keccak256(abi.encode(expectedInboxAcc, keccak256(abi.encode(next))));
    }

    function deposit(address to, uint256 amountWei, bool whole) external {
        if (whole) amountWei -= amountWei % 1 gwei;
        vm.deal(address(this), amountWei);
        try inbox.depositEth{value: amountWei}(to) {
            depositedWei += amountWei;
            keep(0, abi.encode(to, amountWei));
        } catch {}
    }

    function send(bytes calldata raw) external {
        try inbox.sendTransaction(raw) {
            keep(1, raw);
        } catch {}
    }

    function postBatch(uint256 skew, bytes calldata data, uint256 count) external {
        uint256 number = batches.batchCount();
        if (skew % 8 == 0) number++;
        if (skew % 8 == 1 && number != 0) number--;
        uint256 after_ = bound(count, 0, inbox.messageCount() + 1);
        vm.prank(poster, poster);
        try batches.addBatch(number, data, after_) {
            taken(keccak256(data), after_, SequencerInbox.Source.Calldata);
        } catch {}
    }

    function force(uint256 count) external {
        uint256 after_ = bound(count, 0, sent.length);
        if (after_ == 0) return;
        DelayedMessages.Message memory last = sent[after_ - 1];
        try batches.forceInclusion(after_, last) {
            if (block.timestamp <= last.timestamp + FORCE_DELAY) forcedEarly = true;
            taken(keccak256(""), after_, SequencerInbox.Source.Forced);
        } catch {}
    }

    function taken(bytes32 dataHash, uint256 count, SequencerInbox.Source source) private {
        bytes32 delayed = count == 0 ? bytes32(0) : inbox.accumulator(count - 1);
        expectedBatchAcc = nextAcc(expectedBatchAcc, dataHash, delayed, count, source);
        if (posted++ == 0) firstBatchAcc = expectedBatchAcc;
        if (count < readBefore) wentBackwards = true;
        readBefore = count;
    }

    function elapse(uint256 blocks, uint256 time) external {
        vm.roll(block.number + bound(blocks, 1, 100));
        vm.setBlockhash(block.number - 1, keccak256(abi.encode(block.number)));
        vm.warp(block.timestamp + bound(time, 1, 1 days));
    }
}

contract L1InvariantTest is L1TestBase {
    L1Handler private handler;

    function setUp() public {
        handler = new L1Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_balanceIsTheSumOfDeposits() public view {
        vm.assertEq(address(handler.theInbox()).balance, handler.depositedWei(), "balance");
    }

    function invariant_everyMessageIsInTheAccumulator() public view {
        uint256 count = handler.theInbox().messageCount();
        vm.assertEq(count, handler.messages(), "count");
        if (count != 0) {
            vm.assertEq(handler.theInbox().accumulator(count - 1), handler.expectedInboxAcc(), "accumulator");
        }
    }

    function invariant_batchesOnlyGrow() public view {
        SequencerInbox all = handler.theBatches();
        uint256 count = all.batchCount();
        vm.assertEq(count, handler.posted(), "count");
        if (count == 0) return;
        vm.assertEq(all.accumulator(0), handler.firstBatchAcc(), "the first accumulator changed");
        vm.assertEq(all.accumulator(count - 1), handler.expectedBatchAcc(), "accumulator");
    }

    function invariant_delayedMessagesAreReadForwardsAndExist() public view {
        vm.assertTrue(!handler.wentBackwards(), "a message was taken back");
        vm.assertTrue(!handler.forcedEarly(), "a young message was forced");
        uint256 read = handler.theBatches().delayedMessagesRead();
        vm.assertEq(read, handler.readBefore(), "read");
        vm.assertTrue(read <= handler.theInbox().messageCount(), "a message that does not exist was read");
    }
}
