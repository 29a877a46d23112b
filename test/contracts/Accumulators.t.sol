// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title The contracts against the vectors that the node's derivation reads too (accumulators.test.ts)
contract AccumulatorsTest is L1TestBase {
    /// @dev The sender of the vectors' config message.
    address private constant CONFIG = address(uint160(0x5c5c5C5c5C5C5C5c5c5C5c5c5C5C5c5C5C5C5c5C));
    string private vectors;

    function setUp() public {
        deploy();
        inbox = new Inbox(address(outbox), CONFIG);
        batches = new SequencerInbox(systemConfig, inbox, FORCE_DELAY);
        vectors = vm.readFile("test/contracts/vectors/accumulators.json");
    }

    function test_followTheSharedVectors() public {
        uint256 step = 0;
        for (; vm.keyExistsJson(vectors, place(step)); step++) {
            bytes32 expected = vm.parseJsonBytes32(vectors, key(step, ".accumulator"));
            bool isBatch = vm.keyExistsJson(vectors, key(step, ".batch"));
            bytes32 actual = isBatch ? batchAt(step) : messageAt(step);
            vm.assertEq(actual, expected, place(step));
        }
        vm.assertEq(step, 10, "steps in the vectors");
    }

    function moveTo(uint256 step, string memory what) private {
        vm.roll(vm.parseJsonUint(vectors, key(step, string.concat(what, ".blockNumber"))));
        vm.warp(vm.parseJsonUint(vectors, key(step, string.concat(what, ".timestamp"))));
    }

    function messageAt(uint256 step) private returns (bytes32) {
        moveTo(step, ".message");
        bytes memory data = vm.parseJsonBytes(vectors, key(step, ".message.data"));
        uint256 kind = vm.parseJsonUint(vectors, key(step, ".message.kind"));
        address sender = vm.parseJsonAddress(vectors, key(step, ".message.sender"));
        if (kind == 2) {
            vm.prank(sender);
            return inbox.accumulator(inbox.deliverConfig(data));
        }
        if (kind == 1) {
            vm.prank(sender);
            return inbox.accumulator(inbox.sendTransaction(data));
        }
        (address to, uint256 amountWei) = abi.decode(data, (address, uint256));
        vm.deal(sender, amountWei);
        vm.prank(sender);
        return inbox.accumulator(inbox.depositEth{value: amountWei}(to));
    }

    function batchAt(uint256 step) private returns (bytes32) {
        moveTo(step, ".batch");
        vm.setBlockhash(block.number - 1, vm.parseJsonBytes32(vectors, key(step, ".batch.parentHash")));
        uint256 count = vm.parseJsonUint(vectors, key(step, ".batch.delayedCount"));
        uint256 number = batches.batchCount();
        if (vm.keyExistsJson(vectors, key(step, ".batch.versionedHashes"))) {
            vm.blobhashes(vm.parseJsonBytes32Array(vectors, key(step, ".batch.versionedHashes")));
            vm.prank(poster, poster);
            batches.addBatchBlobs(number, count);
        } else {
            bytes memory data = vm.parseJsonBytes(vectors, key(step, ".batch.data"));
            vm.prank(poster, poster);
            batches.addBatch(number, data, count);
        }
        return batches.accumulator(number);
    }

    function place(uint256 step) private pure returns (string memory) {
        return string.concat(".steps[", vm.toString(step), "]");
    }

    function key(uint256 step, string memory name) private pure returns (string memory) {
        return string.concat(place(step), name);
    }
}
