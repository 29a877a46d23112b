// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "./DelayedMessages.sol";
import {
    DepositEmpty,
    DepositNotWholeGwei,
    DepositToZeroAddress,
    DepositTooLarge,
    IndexOutOfRange,
    NotOutbox,
    NotSystemConfig,
    ReleaseFailed,
    TransactionSizeInvalid,
    ZeroAddress
} from "./Errors.sol";
import {IInbox} from "./IInbox.sol";

/// @title Inbox: messages from L1 to L2
/// @notice Takes ETH deposits and signed L2 transactions from anyone, and the chain's parameters from the SystemConfig, and orders
/// them in a hash accumulator. The messages are called delayed because they reach L2 when a batch of the SequencerInbox names a
/// count that covers them; that count is an obligation of derivation.
/// @dev The contract holds the deposited ETH; only the Outbox takes some out, for a message of a confirmed assertion. It has no
/// receive or fallback function, so ETH without a message is refused (a self-destructing contract can still force some in; it is
/// nobody's). There is no owner and no upgrade.
contract Inbox is IInbox {
    /// @notice Kind of a message that credits ETH on L2. Data: abi.encode(address to, uint256 amountWei).
    uint8 public constant KIND_DEPOSIT = 0;

    /// @notice Kind of a message that is a signed L2 transaction. Data: its EIP-2718 bytes.
    uint8 public constant KIND_TRANSACTION = 1;

    /// @notice Kind of a message that sets the chain's parameters. Data: see SystemConfig.setChainParameters.
    uint8 public constant KIND_CONFIG = 2;

    /// @notice The largest deposit, in wei: 64 bits of gwei, the amount of an EIP-4895 withdrawal.
    uint256 public constant MAX_DEPOSIT_WEI = uint256(type(uint64).max) * 1 gwei;

    /// @notice The largest signed transaction, in bytes.
    uint256 public constant MAX_TRANSACTION_BYTES = 32_768;

    /// @inheritdoc IInbox
    address public immutable outbox;

    /// @notice The only account that may change the chain's parameters.
    address public immutable systemConfig;

    bytes32[] private _accumulators;

    /// @notice A message was appended. Its L1 block number and timestamp, which the accumulator binds too, are those of the
    /// block that holds this log.
    /// @param index the index of the message, counted from 0
    /// @param beforeAcc the accumulator before it; zero for the first
    /// @param kind KIND_DEPOSIT, KIND_TRANSACTION or KIND_CONFIG
    /// @param sender the caller on L1
    /// @param data the message, by its kind
    event MessageDelivered(
        uint256 indexed index, bytes32 indexed beforeAcc, uint8 kind, address indexed sender, bytes data
    );

    /// @param outbox_ the Outbox, not zero
    /// @param systemConfig_ the SystemConfig, not zero
    constructor(address outbox_, address systemConfig_) {
        if (outbox_ == address(0) || systemConfig_ == address(0)) revert ZeroAddress();
        outbox = outbox_;
        systemConfig = systemConfig_;
    }

    /// @notice Deposits the value of the call for `to` on L2.
    /// @dev On L2 a deposit is an EIP-4895 withdrawal: it credits `to` and runs no code. Hence the caller needs no address
    /// alias: the sender never acts on L2, and an L1 contract cannot pass for the L2 account at its own address. For the
    /// same reason a contract must name `to` itself; nothing is ever credited to the caller by default.
    /// @param to the account to credit on L2, not zero
    /// @return index the index of the message
    function depositEth(address to) external payable returns (uint256 index) {
        if (to == address(0)) revert DepositToZeroAddress();
        if (msg.value == 0) revert DepositEmpty();
        if (msg.value % 1 gwei != 0) revert DepositNotWholeGwei(msg.value);
        if (msg.value > MAX_DEPOSIT_WEI) revert DepositTooLarge(msg.value, MAX_DEPOSIT_WEI);
        index = _append(KIND_DEPOSIT, abi.encode(to, msg.value));
    }

    /// @notice Hands a signed L2 transaction to L2 past the sequencer. Anyone may hand over anyone's: the signature decides.
    /// @dev It is not checked here. Derivation drops one that is invalid at its place or asks for more than a quarter of a block's
    /// gas, and the node says so.
    /// @param transaction EIP-2718 bytes, 1 to MAX_TRANSACTION_BYTES
    /// @return index the index of the message
    function sendTransaction(bytes calldata transaction) external returns (uint256 index) {
        uint256 size = transaction.length;
        if (size == 0 || size > MAX_TRANSACTION_BYTES) revert TransactionSizeInvalid(size, MAX_TRANSACTION_BYTES);
        index = _append(KIND_TRANSACTION, transaction);
    }

    /// @inheritdoc IInbox
    function deliverConfig(bytes calldata data) external returns (uint256 index) {
        if (msg.sender != systemConfig) revert NotSystemConfig(msg.sender);
        index = _append(KIND_CONFIG, data);
    }

    /// @inheritdoc IInbox
    function release(uint256 amountWei) external {
        if (msg.sender != outbox) revert NotOutbox(msg.sender);
        (bool sent,) = outbox.call{value: amountWei}("");
        if (!sent) revert ReleaseFailed(amountWei);
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

    function _append(uint8 kind, bytes memory data) private returns (uint256 index) {
        index = _accumulators.length;
        bytes32 beforeAcc = index == 0 ? bytes32(0) : _accumulators[index - 1];
        bytes32 messageHash = DelayedMessages.hash(
            DelayedMessages.Message(kind, msg.sender, keccak256(data), block.number, block.timestamp)
        );
        _accumulators.push(DelayedMessages.accumulate(beforeAcc, messageHash));
        emit MessageDelivered(index, beforeAcc, kind, msg.sender, data);
    }
}
