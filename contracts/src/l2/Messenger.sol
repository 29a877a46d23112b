// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {L2Message, MessageTree, SEND_TREE_DEPTH} from "../common/MessageTree.sol";
import {MessageDataTooLarge, MessageTreeFull} from "./Errors.sol";

/// @title Messenger: messages from L2 to L1
/// @notice Appends a message to a Merkle tree; once an assertion with the tree's root is confirmed on L1, the Outbox there executes
/// the message. ETH that is sent along leaves L2 for good: this contract has no way to give it out again.
/// @dev The root of the tree is the send root of the block. It lies in slot 0, where the machine reads it from the state; the
/// layout of slots 0 and 1 is part of the protocol. Predeploy at 0x4e43000000000000000000000000000000000004.
contract Messenger {
    /// @notice The largest data of a message, in bytes.
    uint256 public constant MAX_DATA_BYTES = 16_384;

    /// @notice The root of the tree of all messages so far.
    bytes32 public sendRoot;
    /// @notice The number of messages so far.
    uint256 public messageCount;

    /// @dev At each height the last node that is a left child and complete.
    bytes32[SEND_TREE_DEPTH] private _left;
    /// @dev At each height the root of a tree without a leaf.
    bytes32[SEND_TREE_DEPTH] private _empty;

    /// @notice A message was appended.
    /// @param nonce its index in the tree
    /// @param from the account that sent it
    /// @param to the account on L1 that will be called
    /// @param value wei that the call will carry
    /// @param data what it will be called with
    /// @param sendRoot the root after it
    event MessageSent(
        uint256 indexed nonce, address indexed from, address indexed to, uint256 value, bytes data, bytes32 sendRoot
    );

    constructor() {
        bytes32 node = bytes32(0);
        for (uint256 i = 0; i < SEND_TREE_DEPTH; i++) {
            _empty[i] = node;
            node = MessageTree.hashPair(node, node);
        }
        sendRoot = node;
    }

    /// @notice Sends a message to L1 with the value of the call.
    /// @param to the account on L1 to call. One of the rollup's own contracts is refused there: the message would stay unexecuted
    /// @param data what to call it with, at most MAX_DATA_BYTES
    /// @return nonce the message's index, with which it is proven
    function sendMessage(address to, bytes calldata data) external payable returns (uint256 nonce) {
        if (data.length > MAX_DATA_BYTES) revert MessageDataTooLarge(data.length, MAX_DATA_BYTES);
        nonce = messageCount;
        if (nonce >> SEND_TREE_DEPTH != 0) revert MessageTreeFull();
        bytes32 root = _insert(nonce, MessageTree.leafOf(L2Message(nonce, msg.sender, to, msg.value, data)));
        messageCount = nonce + 1;
        sendRoot = root;
        emit MessageSent(nonce, msg.sender, to, msg.value, data, root);
    }

    /// @dev The incremental tree of Ethereum's deposit contract: one path of hashes, whatever came before.
    function _insert(uint256 index, bytes32 node) private returns (bytes32) {
        for (uint256 i = 0; i < SEND_TREE_DEPTH; i++) {
            if ((index >> i) & 1 == 0) {
                _left[i] = node;
                node = MessageTree.hashPair(node, _empty[i]);
            } else {
                node = MessageTree.hashPair(_left[i], node);
            }
        }
        return node;
    }
}
