// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DepositEmpty, DepositNotWholeGwei, DepositToZeroAddress, DepositTooLarge, IndexOutOfRange} from "./Errors.sol";
import {IInbox} from "./IInbox.sol";

/// @title Inbox: messages from L1 to L2
/// @notice Takes ETH deposits and orders them in a hash accumulator. The messages are called delayed because they reach L2 when
/// the sequencer's next batch says how many of them it has read; the SequencerInbox binds that number to this accumulator.
/// @dev The contract holds the deposited ETH. It has no owner, no upgrade and no function that pays out: the ETH can leave only
/// once the Rollup and Outbox exist, in a deployment made with them. It has no receive or fallback function either, so ETH
/// without a message is refused (a self-destructing contract can still force some in; it is nobody's).
contract Inbox is IInbox {
    /// @notice Kind of a message that credits ETH on L2.
    uint8 public constant KIND_ETH_DEPOSIT = 1;

    /// @notice The largest deposit, in wei: 64 bits of gwei, the amount of an EIP-4895 withdrawal.
    uint256 public constant MAX_DEPOSIT_WEI = uint256(type(uint64).max) * 1 gwei;

    bytes32[] private _accumulators;

    /// @notice A message was appended. Its L1 block number and timestamp, which the accumulator binds too, are those of the
    /// block that holds this log.
    /// @param index the index of the message, counted from 0
    /// @param beforeAcc the accumulator before it; zero for the first
    /// @param kind KIND_ETH_DEPOSIT
    /// @param from the caller on L1
    /// @param to the account credited on L2
    /// @param amountWei the amount in wei, a multiple of 1 gwei
    event MessageDelivered(
        uint256 indexed index, bytes32 indexed beforeAcc, uint8 kind, address from, address to, uint256 amountWei
    );

    /// @notice Deposits the value of the call for `to` on L2.
    /// @dev On L2 a deposit is an EIP-4895 withdrawal: it credits `to` and runs no code. Hence the caller needs no address
    /// alias: `from` never acts as a sender on L2, and an L1 contract cannot pass for the L2 account at its own address. For the
    /// same reason a contract must name `to` itself; nothing is ever credited to the caller by default.
    /// @param to the account to credit on L2, not zero
    /// @return index the index of the message
    function depositEth(address to) external payable returns (uint256 index) {
        if (to == address(0)) revert DepositToZeroAddress();
        if (msg.value == 0) revert DepositEmpty();
        if (msg.value % 1 gwei != 0) revert DepositNotWholeGwei(msg.value);
        if (msg.value > MAX_DEPOSIT_WEI) revert DepositTooLarge(msg.value, MAX_DEPOSIT_WEI);
        index = _append(KIND_ETH_DEPOSIT, msg.sender, to, msg.value);
    }

    /// @inheritdoc IInbox
    function messageCount() external view returns (uint256) {
        return _accumulators.length;
    }

    /// @inheritdoc IInbox
    function accumulator(uint256 index) external view returns (bytes32) {
        if (index >= _accumulators.length) revert IndexOutOfRange(index, _accumulators.length);
        return _accumulators[index];
    }

    /// @dev acc[i] = keccak256(acc[i-1] ++ keccak256(abi.encode(kind, from, to, amountWei, block.number, block.timestamp)))
    function _append(uint8 kind, address from, address to, uint256 amountWei) private returns (uint256 index) {
        index = _accumulators.length;
        bytes32 beforeAcc = index == 0 ? bytes32(0) : _accumulators[index - 1];
        bytes32 messageHash = keccak256(abi.encode(kind, from, to, amountWei, block.number, block.timestamp));
        _accumulators.push(keccak256(abi.encodePacked(beforeAcc, messageHash)));
        emit MessageDelivered(index, beforeAcc, kind, from, to, amountWei);
    }
}
