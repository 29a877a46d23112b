// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {L2Message, MessageTree, SEND_TREE_DEPTH} from "../common/MessageTree.sol";
import {
    AlreadyExecuted,
    Frozen,
    NotConfirmed,
    NotInbox,
    ProofInvalid,
    StateDiffers,
    TargetForbidden,
    ZeroAddress
} from "./Errors.sol";
import {IFreezeClock} from "./IFreezeClock.sol";
import {IInbox} from "./IInbox.sol";
import {IRollup} from "./IRollup.sol";
import {GlobalState} from "./RollupTypes.sol";

/// @title Outbox: messages from L2 to L1
/// @notice Executes a message once, on a proof that it is in the send tree of a confirmed assertion. A call that fails reverts
/// whole and may be retried, by anyone. It is the only way by which ETH leaves the Inbox.
contract Outbox is ReentrancyGuardTransient {
    /// @notice The Inbox, which holds the ETH.
    IInbox public immutable inbox;
    /// @notice The Rollup, which confirms assertions.
    IRollup public immutable rollup;
    /// @notice Stops executions for a bounded time.
    IFreezeClock public immutable freezeClock;

    address private immutable _sequencerInbox;
    address private immutable _systemConfig;
    address private immutable _timelock;

    /// @notice While a message executes, the account on L2 that sent it; zero otherwise.
    address public transient l2Sender;

    mapping(uint256 word => uint256 bits) private _executed;

    /// @notice A message was executed.
    /// @param nonce its index in the tree
    /// @param from the account on L2 that sent it
    /// @param to the account on L1 that was called
    /// @param value wei that the call carried
    event MessageExecuted(uint256 indexed nonce, address indexed from, address indexed to, uint256 value);

    /// @param inbox_ the Inbox
    /// @param rollup_ the Rollup
    /// @param freezeClock_ the Guardian
    /// @param others the other contracts that a message may not call: SequencerInbox, SystemConfig, timelock
    constructor(IInbox inbox_, IRollup rollup_, IFreezeClock freezeClock_, address[3] memory others) {
        if (address(inbox_) == address(0) || address(rollup_) == address(0) || address(freezeClock_) == address(0)) {
            revert ZeroAddress();
        }
        inbox = inbox_;
        rollup = rollup_;
        freezeClock = freezeClock_;
        (_sequencerInbox, _systemConfig, _timelock) = (others[0], others[1], others[2]);
    }

    /// @notice Takes ETH from the Inbox, in the course of an execution.
    receive() external payable {
        if (msg.sender != address(inbox)) revert NotInbox(msg.sender);
    }

    /// @notice Executes a message. A reverting call reverts this one with its reason.
    /// @param nodeId a confirmed assertion, the latest or an older one
    /// @param state the state that it names
    /// @param message the message
    /// @param proof the siblings of the message's leaf, lowest first
    function execute(
        bytes32 nodeId,
        GlobalState calldata state,
        L2Message calldata message,
        bytes32[SEND_TREE_DEPTH] calldata proof
    ) external nonReentrant {
        if (freezeClock.isFrozen()) revert Frozen();
        if (!rollup.isConfirmed(nodeId)) revert NotConfirmed(nodeId);
        if (keccak256(abi.encode(state)) != rollup.stateHashOf(nodeId)) revert StateDiffers(nodeId);
        if (message.nonce >> SEND_TREE_DEPTH != 0) revert ProofInvalid(message.nonce);
        bytes32 root = MessageTree.rootFrom(MessageTree.leafOf(message), message.nonce, proof);
        if (root != state.sendRoot) revert ProofInvalid(message.nonce);
        if (_isOwn(message.to)) revert TargetForbidden(message.to);
        _markExecuted(message.nonce);
        emit MessageExecuted(message.nonce, message.from, message.to, message.value);

        l2Sender = message.from;
        if (message.value != 0) inbox.release(message.value);
        _call(message.to, message.value, message.data);
        l2Sender = address(0);
    }

    /// @notice Whether a message has been executed.
    /// @param nonce the message's index in the tree
    function isExecuted(uint256 nonce) public view returns (bool) {
        return _executed[nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    function _markExecuted(uint256 nonce) private {
        if (isExecuted(nonce)) revert AlreadyExecuted(nonce);
        _executed[nonce >> 8] |= 1 << (nonce & 0xff);
    }

    /// @dev As the Outbox a message could release ETH; as the Outbox it must not speak to any of the rollup's contracts.
    function _isOwn(address to) private view returns (bool) {
        return to == address(inbox) || to == address(rollup) || to == address(this) || to == address(freezeClock)
            || to == _sequencerInbox || to == _systemConfig || to == _timelock;
    }

    function _call(address to, uint256 value, bytes calldata data) private {
        // The point of this contract: the message names the target, and a proof shows that L2 sent it.
        // slither-disable-next-line arbitrary-send-eth,low-level-calls
        (bool succeeded, bytes memory reason) = to.call{value: value}(data);
        if (succeeded) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
