// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {TestBase} from "./TestBase.sol";

/// @title The contracts against the vectors that the node's derivation reads too (accumulators.test.ts)
contract AccumulatorsTest is TestBase {
    address private constant SEQUENCER = address(0x5e9);
    Inbox private inbox = new Inbox();
    SequencerInbox private batches = new SequencerInbox(SEQUENCER, inbox);
    string private vectors;

    function setUp() public {
        vectors = vm.readFile("test/contracts/vectors/accumulators.json");
    }

    function test_followTheSharedVectors() public {
        uint256 step = 0;
        for (; vm.keyExistsJson(vectors, place(step)); step++) {
            bytes32 expected = vm.parseJsonBytes32(vectors, key(step, ".accumulator"));
            bytes32 actual = vm.keyExistsJson(vectors, key(step, ".batch")) ? post(step) : deposit(step);
            vm.assertEq(actual, expected, place(step));
        }
        vm.assertEq(step, 7, "steps in the vectors");
    }

    function deposit(uint256 step) private returns (bytes32) {
        uint256 amountWei = vm.parseJsonUint(vectors, key(step, ".deposit.amountWei"));
        address from = vm.parseJsonAddress(vectors, key(step, ".deposit.from"));
        address to = vm.parseJsonAddress(vectors, key(step, ".deposit.to"));
        vm.roll(vm.parseJsonUint(vectors, key(step, ".deposit.blockNumber")));
        vm.warp(vm.parseJsonUint(vectors, key(step, ".deposit.timestamp")));
        vm.deal(from, amountWei);
        vm.prank(from);
        return inbox.accumulator(inbox.depositEth{value: amountWei}(to));
    }

    function post(uint256 step) private returns (bytes32) {
        bytes memory data = vm.parseJsonBytes(vectors, key(step, ".batch.data"));
        uint256 afterDelayed = vm.parseJsonUint(vectors, key(step, ".batch.afterDelayedMessages"));
        uint256 number = batches.batchCount();
        vm.prank(SEQUENCER, SEQUENCER);
        batches.addBatch(number, data, afterDelayed);
        return batches.accumulator(number);
    }

    function place(uint256 step) private pure returns (string memory) {
        return string.concat(".steps[", vm.toString(step), "]");
    }

    function key(uint256 step, string memory name) private pure returns (string memory) {
        return string.concat(place(step), name);
    }
}
