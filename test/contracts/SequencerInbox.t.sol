// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchOutOfOrder,
    BatchTooLarge,
    DelayedMessagesBackwards,
    DelayedMessagesTooFar,
    IndexOutOfRange,
    NotDirectCall,
    NotSequencer,
    ZeroAddress
} from "../../contracts/src/l1/Errors.sol";
import {IInbox} from "../../contracts/src/l1/IInbox.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {TestBase} from "./TestBase.sol";

contract SequencerInboxTest is TestBase {
    Inbox private inbox;
    SequencerInbox private batches;
    address private sequencer = account("sequencer");

    function setUp() public {
        startClock();
        inbox = new Inbox();
        batches = new SequencerInbox(sequencer, inbox);
        vm.deal(address(this), type(uint128).max);
    }

    function post(uint256 sequenceNumber, bytes memory data, uint256 afterDelayedMessages) private {
        vm.prank(sequencer, sequencer);
        batches.addBatch(sequenceNumber, data, afterDelayedMessages);
    }

    function refuse(bytes memory reason, uint256 sequenceNumber, bytes memory data, uint256 afterDelayed) private {
        vm.expectRevert(reason);
        vm.prank(sequencer, sequencer);
        batches.addBatch(sequenceNumber, data, afterDelayed);
    }

    function deposit(uint256 amountWei) private {
        inbox.depositEth{value: amountWei}(account("recipient"));
    }

    function test_keepsTheAccountsOfItsConstructor() public view {
        vm.assertEq(batches.sequencer(), sequencer, "sequencer");
        vm.assertEq(address(batches.inbox()), address(inbox), "inbox");
        vm.assertEq(batches.batchCount(), 0, "count");
    }

    function test_appendsABatch() public {
        bytes memory data = hex"00c0ffee";
        bytes32 acc = keccak256(abi.encodePacked(bytes32(0), keccak256(data), bytes32(0), uint256(0)));
        vm.expectEmit(address(batches));
        emit SequencerInbox.BatchDelivered(0, bytes32(0), acc, keccak256(data), 0);
        post(0, data, 0);
        vm.assertEq(batches.batchCount(), 1, "count");
        vm.assertEq(batches.accumulator(0), acc, "accumulator");
    }

    function test_bindsTheDelayedMessagesThatItReads() public {
        deposit(1 gwei);
        deposit(2 gwei);
        post(0, hex"01", 1);
        bytes32 first = keccak256(abi.encodePacked(bytes32(0), keccak256(hex"01"), inbox.accumulator(0), uint256(1)));
        bytes32 second = keccak256(abi.encodePacked(first, keccak256(hex"02"), inbox.accumulator(1), uint256(2)));
        vm.expectEmit(address(batches));
        emit SequencerInbox.BatchDelivered(1, first, second, keccak256(hex"02"), 2);
        post(1, hex"02", 2);
        vm.assertEq(batches.delayedMessagesRead(), 2, "delayed messages read");
    }

    function test_refusesEveryoneButTheSequencer() public {
        address stranger = account("stranger");
        vm.expectRevert(abi.encodeWithSelector(NotSequencer.selector, stranger));
        vm.prank(stranger, stranger);
        batches.addBatch(0, "", 0);
        // Its transaction may reach a contract that calls on: the sender is that contract.
        vm.expectRevert(abi.encodeWithSelector(NotSequencer.selector, stranger));
        vm.prank(stranger, sequencer);
        batches.addBatch(0, "", 0);
    }

    function test_refusesASequencerInsideAnothersTransaction() public {
        address relayer = account("relayer");
        vm.expectRevert(abi.encodeWithSelector(NotDirectCall.selector, sequencer, relayer));
        vm.prank(sequencer, relayer);
        batches.addBatch(0, "", 0);
    }

    function test_refusesASequencerWithDelegatedCode() public {
        vm.etch(sequencer, abi.encodePacked(hex"ef0100", address(inbox)));
        refuse(abi.encodeWithSelector(NotDirectCall.selector, sequencer, sequencer), 0, "", 0);
    }

    function test_refusesARepeatedBatchAndAGap() public {
        post(0, hex"01", 0);
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, 0, 1), 0, hex"01", 0);
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, 2, 1), 2, hex"01", 0);
    }

    function test_takesTheLargestBatchAndNoByteMore() public {
        uint256 max = batches.MAX_BATCH_BYTES();
        post(0, new bytes(max), 0);
        refuse(abi.encodeWithSelector(BatchTooLarge.selector, max + 1, max), 1, new bytes(max + 1), 0);
    }

    function test_neverUnreadsDelayedMessages() public {
        deposit(1 gwei);
        post(0, "", 1);
        refuse(abi.encodeWithSelector(DelayedMessagesBackwards.selector, 0, 1), 1, "", 0);
    }

    function test_readsNoMessageThatDoesNotExist() public {
        deposit(1 gwei);
        refuse(abi.encodeWithSelector(DelayedMessagesTooFar.selector, 2, 1), 0, "", 2);
    }

    function test_refusesToReadPastTheEnd() public {
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 0, 0));
        batches.accumulator(0);
    }

    function test_needsASequencerAndAnInbox() public {
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new SequencerInbox(address(0), inbox);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new SequencerInbox(sequencer, IInbox(address(0)));
    }

    function testFuzz_accumulatorBindsEveryByte(bytes memory data, uint256 place, uint8 flip) public {
        vm.assume(data.length != 0 && flip != 0);
        post(0, data, 0);
        SequencerInbox other = new SequencerInbox(sequencer, inbox);
        place %= data.length;
        data[place] = bytes1(uint8(data[place]) ^ flip);
        vm.prank(sequencer, sequencer);
        other.addBatch(0, data, 0);
        vm.assertTrue(batches.accumulator(0) != other.accumulator(0), "a changed byte is not bound");
    }

    function testFuzz_onlyTheNextNumberIsTaken(uint256 sequenceNumber) public {
        post(0, "", 0);
        vm.assume(sequenceNumber != 1);
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, sequenceNumber, 1), sequenceNumber, "", 0);
    }
}
