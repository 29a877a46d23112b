// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "../../contracts/src/l1/DelayedMessages.sol";
import {
    BatchOutOfOrder,
    BatchTooLarge,
    BatchWithoutBlobs,
    DelayedMessageDiffers,
    DelayedMessagesBackwards,
    DelayedMessagesTooFar,
    DelayedMessageTooYoung,
    IndexOutOfRange,
    NotDirectCall,
    NothingToForce,
    NotPoster,
    ZeroAddress
} from "../../contracts/src/l1/Errors.sol";
import {IInbox} from "../../contracts/src/l1/IInbox.sol";
import {IPosters} from "../../contracts/src/l1/IPosters.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {L1TestBase} from "./L1TestBase.sol";

contract SequencerInboxTest is L1TestBase {
    function setUp() public {
        deploy();
        vm.deal(address(this), type(uint128).max);
    }

    function post(uint256 number, bytes memory data, uint256 count) private {
        vm.prank(poster, poster);
        batches.addBatch(number, data, count);
    }

    function refuse(bytes memory reason, uint256 number, bytes memory data, uint256 count) private {
        vm.expectRevert(reason);
        vm.prank(poster, poster);
        batches.addBatch(number, data, count);
    }

    function deposit(uint256 amountWei) private returns (DelayedMessages.Message memory) {
        inbox.depositEth{value: amountWei}(alice);
        return message(0, address(this), abi.encode(alice, amountWei));
    }

    function test_appendsABatchThatBindsItsL1Block() public {
        bytes memory data = hex"00c0ffee";
        bytes32 acc = nextAcc(bytes32(0), keccak256(data), bytes32(0), 0, SequencerInbox.Source.Calldata);
        vm.expectEmit(address(batches));
        emit SequencerInbox.BatchDelivered(0, bytes32(0), acc, keccak256(data), 0, SequencerInbox.Source.Calldata);
        post(0, data, 0);
        vm.assertEq(batches.batchCount(), 1, "count");
        vm.assertEq(batches.accumulator(0), acc, "accumulator");
        vm.assertTrue(blockhash(block.number - 1) != bytes32(0), "the parent's hash is unknown");
    }

    function test_theSameBatchElsewhereGivesAnotherAccumulator() public {
        SequencerInbox other = new SequencerInbox(systemConfig, inbox, FORCE_DELAY);
        SequencerInbox third = new SequencerInbox(systemConfig, inbox, FORCE_DELAY);
        post(0, hex"01", 0);
        vm.setBlockhash(START_BLOCK - 1, keccak256("another parent"));
        vm.prank(poster, poster);
        other.addBatch(0, hex"01", 0);
        vm.warp(START_TIME + 1);
        vm.prank(poster, poster);
        third.addBatch(0, hex"01", 0);
        vm.assertTrue(batches.accumulator(0) != other.accumulator(0), "the parent's hash does not count");
        vm.assertTrue(other.accumulator(0) != third.accumulator(0), "the time does not count");
    }

    function test_bindsTheDelayedMessagesUpToTheCount() public {
        deposit(1 gwei);
        deposit(2 gwei);
        bytes32 acc = nextAcc(bytes32(0), keccak256(hex"01"), inbox.accumulator(0), 1, SequencerInbox.Source.Calldata);
        post(0, hex"01", 1);
        vm.assertEq(batches.accumulator(0), acc, "accumulator");
        vm.assertEq(batches.delayedMessagesRead(), 1, "read");
        refuse(abi.encodeWithSelector(DelayedMessagesBackwards.selector, 0, 1), 1, hex"02", 0);
        refuse(abi.encodeWithSelector(DelayedMessagesTooFar.selector, 3, 2), 1, hex"02", 3);
        post(1, hex"02", 2);
        vm.assertEq(batches.delayedMessagesRead(), 2, "read");
    }

    function test_refusesABatchOutOfOrder() public {
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, 1, 0), 1, "", 0);
        post(0, "", 0);
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, 0, 1), 0, "", 0);
    }

    function test_boundsABatch() public {
        uint256 most = batches.MAX_BATCH_BYTES();
        refuse(abi.encodeWithSelector(BatchTooLarge.selector, most + 1, most), 0, new bytes(most + 1), 0);
        post(0, new bytes(most), 0);
    }

    function test_postersPostAndNobodyElse() public {
        vm.expectRevert(abi.encodeWithSelector(NotPoster.selector, stranger));
        vm.prank(stranger, stranger);
        batches.addBatch(0, "", 0);
        vm.prank(steward);
        systemConfig.removePoster(poster);
        refuse(abi.encodeWithSelector(NotPoster.selector, poster), 0, "", 0);
        change(abi.encodeCall(systemConfig.addPoster, (stranger)));
        vm.prank(stranger, stranger);
        batches.addBatch(0, "", 0);
        vm.assertEq(batches.batchCount(), 1, "a new poster cannot post");
    }

    function test_aPosterCallsByItsOwnTransaction() public {
        vm.expectRevert(abi.encodeWithSelector(NotDirectCall.selector, poster, stranger));
        vm.prank(poster, stranger);
        batches.addBatch(0, "", 0);
        vm.etch(poster, hex"ef0100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        refuse(abi.encodeWithSelector(NotDirectCall.selector, poster, poster), 0, "", 0);
    }

    function test_bindsTheBlobsOfItsTransaction() public {
        bytes32[] memory hashes = new bytes32[](2);
        (hashes[0], hashes[1]) = (bytes32(uint256(0x01 << 248) | 7), bytes32(uint256(0x01 << 248) | 9));
        vm.blobhashes(hashes);
        bytes32 dataHash = keccak256(abi.encodePacked(hashes[0], hashes[1]));
        bytes32 acc = nextAcc(bytes32(0), dataHash, bytes32(0), 0, SequencerInbox.Source.Blobs);
        vm.expectEmit(address(batches));
        emit SequencerInbox.BatchDelivered(0, bytes32(0), acc, dataHash, 0, SequencerInbox.Source.Blobs);
        vm.prank(poster, poster);
        batches.addBatchBlobs(0, 0);
        vm.assertEq(batches.accumulator(0), acc, "accumulator");
    }

    function test_aBlobAndTheSameBytesInCalldataAreNotTheSameBatch() public {
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = bytes32(uint256(0x01 << 248) | 7);
        vm.blobhashes(hashes);
        SequencerInbox other = new SequencerInbox(systemConfig, inbox, FORCE_DELAY);
        vm.prank(poster, poster);
        batches.addBatchBlobs(0, 0);
        vm.prank(poster, poster);
        other.addBatch(0, abi.encodePacked(hashes[0]), 0);
        vm.assertTrue(batches.accumulator(0) != other.accumulator(0), "nobody could tell where the batch is");
    }

    function test_aBlobBatchNeedsABlob() public {
        vm.expectRevert(abi.encodeWithSelector(BatchWithoutBlobs.selector));
        vm.prank(poster, poster);
        batches.addBatchBlobs(0, 0);
    }

    function test_anyoneForcesAMessageThatIsADayOld() public {
        deposit(1 gwei);
        DelayedMessages.Message memory last = deposit(2 gwei);
        vm.warp(START_TIME + 1 days);
        vm.expectRevert(abi.encodeWithSelector(DelayedMessageTooYoung.selector, 1, START_TIME + 1 days + 1));
        batches.forceInclusion(2, last);
        vm.warp(START_TIME + 1 days + 1);
        bytes32 acc = nextAcc(bytes32(0), keccak256(""), inbox.accumulator(1), 2, SequencerInbox.Source.Forced);
        vm.expectEmit(address(batches));
        emit SequencerInbox.BatchDelivered(0, bytes32(0), acc, keccak256(""), 2, SequencerInbox.Source.Forced);
        vm.prank(stranger);
        batches.forceInclusion(2, last);
        vm.assertEq(batches.delayedMessagesRead(), 2, "read");
        vm.expectRevert(abi.encodeWithSelector(NothingToForce.selector, 2, 2));
        batches.forceInclusion(2, last);
        // The poster's batch lost the race: it fails on its number and is built anew.
        refuse(abi.encodeWithSelector(BatchOutOfOrder.selector, 0, 1), 0, hex"01", 2);
        post(1, hex"01", 2);
    }

    function test_forcingTakesTheMessageAsItIs() public {
        DelayedMessages.Message memory last = deposit(1 gwei);
        vm.warp(START_TIME + 2 days);
        vm.expectRevert(abi.encodeWithSelector(DelayedMessagesTooFar.selector, 2, 1));
        batches.forceInclusion(2, last);
        last.timestamp -= 1;
        vm.expectRevert(abi.encodeWithSelector(DelayedMessageDiffers.selector, 0));
        batches.forceInclusion(1, last);
    }

    function test_knowsOnlyWhatWasPosted() public {
        vm.expectRevert(abi.encodeWithSelector(IndexOutOfRange.selector, 0, 0));
        batches.accumulator(0);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new SequencerInbox(IPosters(address(0)), inbox, 1);
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new SequencerInbox(systemConfig, IInbox(address(0)), 1);
    }

    function testFuzz_everyBatchCounts(bytes calldata first, bytes calldata second) public {
        post(0, first, 0);
        bytes32 before = batches.accumulator(0);
        post(1, second, 0);
        vm.assertEq(batches.accumulator(0), before, "an accumulator changed");
        bytes32 acc = nextAcc(before, keccak256(second), bytes32(0), 0, SequencerInbox.Source.Calldata);
        vm.assertEq(batches.accumulator(1), acc, "accumulator");
    }
}
