// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {L2Message, MessageTree, SEND_TREE_DEPTH} from "../../contracts/src/common/MessageTree.sol";
import {
    AlreadyExecuted,
    Frozen,
    NotConfirmed,
    NotInbox,
    ProofInvalid,
    StateDiffers,
    TargetForbidden
} from "../../contracts/src/l1/Errors.sol";
import {Outbox} from "../../contracts/src/l1/Outbox.sol";
import {GlobalState} from "../../contracts/src/l1/RollupTypes.sol";
import {Messenger} from "../../contracts/src/l2/Messenger.sol";
import {L1TestBase} from "./L1TestBase.sol";

/// @title Takes a call, remembers who sent it on L2, fails while told so, and may try to execute again from within
contract Receiver {
    error Refused();

    address public sender;
    bytes public data;
    bool public refuses;
    address private outbox;
    bytes private again;
    bool public reentered;

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    function setAgain(address outbox_, bytes calldata again_) external {
        (outbox, again) = (outbox_, again_);
    }

    receive() external payable {}

    fallback() external payable {
        if (refuses) revert Refused();
        sender = Outbox(payable(msg.sender)).l2Sender();
        data = msg.data;
        if (again.length != 0) (reentered,) = outbox.call(again);
    }
}

contract OutboxTest is L1TestBase {
    Messenger private messenger;
    Receiver private receiver;
    bytes32[] private leaves;
    L2Message[] private sent;
    GlobalState private confirmedState;
    bytes32 private node;

    function setUp() public {
        deploy();
        messenger = new Messenger();
        receiver = new Receiver();
        inbox.depositEth{value: 5 ether}(alice);
        send(alice, address(receiver), 2 ether, hex"c0ffee");
        send(stranger, mallory, 1 ether, "");
        send(alice, address(inbox), 0, abi.encodeCall(inbox.release, (5 ether)));
        node = confirm(messenger.sendRoot());
    }

    function send(address from, address to, uint256 value, bytes memory data) private {
        vm.deal(from, value);
        vm.prank(from);
        uint256 nonce = messenger.sendMessage{value: value}(to, data);
        sent.push(L2Message(nonce, from, to, value, data));
        leaves.push(MessageTree.leafOf(sent[nonce]));
    }

    function confirm(bytes32 sendRoot) private returns (bytes32 nodeId) {
        vm.deal(alice, 100 ether);
        uint256 stakeId = stakeAs(alice);
        vm.warp(block.timestamp + INTERVAL);
        post();
        confirmedState = GlobalState(keccak256("block"), sendRoot, uint64(batches.batchCount()), 0);
        nodeId = createAs(alice, stakeId, rollup.latestConfirmed(), confirmedState);
        vm.warp(block.timestamp + PERIOD);
        rollup.confirm(nodeId);
    }

    function proofOf(uint256 index) private view returns (bytes32[SEND_TREE_DEPTH] memory proof) {
        bytes32[] memory level = leaves;
        bytes32 empty = bytes32(0);
        for (uint256 height = 0; height < SEND_TREE_DEPTH; height++) {
            uint256 sibling = (index >> height) ^ 1;
            proof[height] = sibling < level.length ? level[sibling] : empty;
            bytes32[] memory next = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < next.length; i++) {
                next[i] = MessageTree.hashPair(level[2 * i], 2 * i + 1 < level.length ? level[2 * i + 1] : empty);
            }
            level = next;
            empty = MessageTree.hashPair(empty, empty);
        }
    }

    function run(uint256 index) private {
        bytes32[SEND_TREE_DEPTH] memory proof = proofOf(index);
        outbox.execute(node, confirmedState, sent[index], proof);
    }

    function refuse(bytes memory reason, uint256 index) private {
        bytes32[SEND_TREE_DEPTH] memory proof = proofOf(index);
        vm.expectRevert(reason);
        outbox.execute(node, confirmedState, sent[index], proof);
    }

    function test_executesAMessageOnceWithItsValueAndItsSender() public {
        vm.expectEmit(address(outbox));
        emit Outbox.MessageExecuted(0, alice, address(receiver), 2 ether);
        run(0);
        vm.assertEq(address(receiver).balance, 2 ether, "value");
        vm.assertEq(receiver.sender(), alice, "sender");
        vm.assertEq(receiver.data(), hex"c0ffee", "data");
        vm.assertEq(outbox.l2Sender(), address(0), "the sender stays");
        vm.assertEq(address(inbox).balance, 3 ether, "inbox");
        vm.assertTrue(outbox.isExecuted(0) && !outbox.isExecuted(1), "marks");
        refuse(abi.encodeWithSelector(AlreadyExecuted.selector, 0), 0);
        run(1);
        vm.assertEq(mallory.balance, 1_001 ether, "a plain account");
        vm.assertEq(address(outbox).balance, 0, "stuck");
    }

    function test_aCallThatFailsMayBeRetried() public {
        receiver.setRefuses(true);
        refuse(abi.encodeWithSelector(Receiver.Refused.selector), 0);
        vm.assertTrue(!outbox.isExecuted(0), "spent");
        vm.assertEq(address(inbox).balance, 5 ether, "released");
        receiver.setRefuses(false);
        run(0);
    }

    function test_aCallDoesNotExecuteFromWithin() public {
        receiver.setAgain(address(outbox), abi.encodeCall(outbox.execute, (node, confirmedState, sent[1], proofOf(1))));
        run(0);
        vm.assertTrue(!receiver.reentered(), "reentered");
        vm.assertTrue(!outbox.isExecuted(1), "executed from within");
    }

    function test_aMessageDoesNotCallTheRollupsOwnContracts() public {
        refuse(abi.encodeWithSelector(TargetForbidden.selector, address(inbox)), 2);
    }

    function test_takesOnlyAConfirmedAssertionAndItsOwnState() public {
        bytes32[SEND_TREE_DEPTH] memory proof = proofOf(0);
        vm.expectRevert(abi.encodeWithSelector(NotConfirmed.selector, keccak256("none")));
        outbox.execute(keccak256("none"), confirmedState, sent[0], proof);
        GlobalState memory other = confirmedState;
        other.sendRoot = keccak256("mine");
        vm.expectRevert(abi.encodeWithSelector(StateDiffers.selector, node));
        outbox.execute(node, other, sent[0], proof);
    }

    function test_everyFieldOfTheMessageIsProven() public {
        bytes32[SEND_TREE_DEPTH] memory proof = proofOf(0);
        for (uint256 field = 0; field < 6; field++) {
            L2Message memory altered = L2Message(0, alice, address(receiver), 2 ether, hex"c0ffee");
            if (field == 0) altered.nonce = 1;
            if (field == 1) altered.from = mallory;
            if (field == 2) altered.to = mallory;
            if (field == 3) altered.value = 3 ether;
            if (field == 4) altered.data = hex"c0ffef";
            // The same path in a tree that does not exist.
            if (field == 5) altered.nonce = 1 << 32;
            vm.expectRevert(abi.encodeWithSelector(ProofInvalid.selector, altered.nonce));
            outbox.execute(node, confirmedState, altered, proof);
        }
    }

    function test_anOlderAssertionStillProves() public {
        bytes32 older = node;
        GlobalState memory olderState = confirmedState;
        bytes32[SEND_TREE_DEPTH] memory proof = proofOf(0);
        send(alice, mallory, 0, hex"01");
        node = confirm(messenger.sendRoot());
        outbox.execute(older, olderState, sent[0], proof);
        refuse(abi.encodeWithSelector(AlreadyExecuted.selector, 0), 0);
        run(3);
    }

    function test_aFreezeStopsExecution() public {
        vm.prank(guard);
        guardian.freeze();
        refuse(abi.encodeWithSelector(Frozen.selector), 0);
        vm.warp(block.timestamp + 14 days);
        run(0);
    }

    function test_takesEthFromTheInboxAlone() public {
        vm.expectRevert(abi.encodeWithSelector(NotInbox.selector, address(this)));
        (bool sentEth,) = address(outbox).call{value: 1}("");
        vm.assertTrue(sentEth, "the expected revert");
    }

    function testFuzz_everyMessageOfATreeIsProvenAgainstItsRoot(uint8 count, uint8 which) public {
        uint256 total = 3 + bound(count, 0, 40);
        while (leaves.length < total) send(alice, mallory, 0, abi.encode(leaves.length));
        uint256 index = bound(which, 0, total - 1);
        bytes32 root = MessageTree.rootFrom(leaves[index], index, proofOf(index));
        vm.assertEq(root, messenger.sendRoot(), "root");
    }
}
