// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {FreezeTooSoon, NoChangeQueued, NotFrozen, NotGuardian, ZeroAddress} from "./Errors.sol";
import {IFreezeClock} from "./IFreezeClock.sol";
import {RollupConfig} from "./RollupTypes.sol";
import {SystemConfig} from "./SystemConfig.sol";

/// @title Guardian: one switch, for a bounded time
/// @notice Stops confirmations and withdrawals for at most FREEZE_S, once in COOLDOWN_S, and with them the clock by which the
/// Rollup and its challenges measure: a pause with running clocks would decide disputes. While a change of the Rollup's config is
/// queued in the timelock the freeze may last until it executes, EXTENDED_S at most. One such change may be frozen for although the
/// cooldown is not over, unless the freeze before it was extended: otherwise a verifier found faulty in that time would decide disputes.
/// So at most FREEZE_S + EXTENDED_S of COOLDOWN_S stand still. The guardian adjudicates nothing.
contract Guardian is IFreezeClock {
    /// @notice How long a freeze lasts, in seconds.
    uint64 public constant FREEZE_S = 14 days;
    /// @notice How long it lasts at most while a config change is queued, in seconds.
    uint64 public constant EXTENDED_S = 45 days;
    /// @notice The shortest time between the starts of two freezes, in seconds.
    uint64 public constant COOLDOWN_S = 90 days;

    /// @notice Who may freeze and end a freeze.
    address public immutable guardian;
    /// @notice The timelock in which a config change waits.
    TimelockController public immutable timelock;
    /// @notice The contract that a config change calls.
    SystemConfig public immutable systemConfig;

    /// @notice When the last freeze began; 0 before the first.
    uint64 public frozenAt;
    /// @notice When the last freeze ends or ended.
    uint64 public frozenUntil;
    /// @notice Whether the guardian may freeze for a queued change before the cooldown is over.
    bool public mayFreezeForChange;
    /// @notice The queued operation to whose execution the present freeze was extended; zero without one.
    bytes32 public extendedFor;

    uint64 private _frozenBefore;

    /// @notice The clock stands still until `until`, unless the freeze is extended or ended.
    event Frozen(uint64 until);
    /// @notice The freeze lasts until the operation executes, or `until`.
    event Extended(bytes32 indexed operation, uint64 until);
    /// @notice The freeze ended before its time.
    event Thawed();

    /// @param guardian_ who may freeze, not zero
    /// @param timelock_ the timelock, not zero
    /// @param systemConfig_ the SystemConfig, not zero
    constructor(address guardian_, TimelockController timelock_, SystemConfig systemConfig_) {
        if (guardian_ == address(0) || address(timelock_) == address(0) || address(systemConfig_) == address(0)) {
            revert ZeroAddress();
        }
        guardian = guardian_;
        timelock = timelock_;
        systemConfig = systemConfig_;
    }

    /// @notice Freezes for FREEZE_S.
    function freeze() external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        uint64 allowedAt = frozenAt == 0 ? 0 : frozenAt + COOLDOWN_S;
        if (block.timestamp < allowedAt) revert FreezeTooSoon(allowedAt);
        mayFreezeForChange = true;
        _freeze();
    }

    /// @notice Freezes until a queued config change executes, for EXTENDED_S at most: once after a freeze that was not extended. The
    /// cooldown begins anew.
    /// @param config the config that the queued operation sets
    /// @param predecessor the operation's predecessor in the timelock
    /// @param salt the operation's salt in the timelock
    function freezeForChange(RollupConfig calldata config, bytes32 predecessor, bytes32 salt) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        if (isFrozen() || !mayFreezeForChange) revert FreezeTooSoon(frozenAt + COOLDOWN_S);
        _freeze();
        _extend(config, predecessor, salt);
    }

    /// @notice Extends the freeze to the execution of a queued config change. Anyone may call it: the queue proves the change.
    /// @param config the config that the queued operation sets
    /// @param predecessor the operation's predecessor in the timelock
    /// @param salt the operation's salt in the timelock
    function extend(RollupConfig calldata config, bytes32 predecessor, bytes32 salt) external {
        if (!isFrozen()) revert NotFrozen();
        _extend(config, predecessor, salt);
    }

    /// @notice Ends the freeze: the guardian at any time, anyone once the change for which it was extended is executed or
    /// cancelled (a cancelled one leaves no reason to stay frozen beyond FREEZE_S).
    function thaw() external {
        if (!isFrozen()) revert NotFrozen();
        bool isDecided = extendedFor != bytes32(0) && !timelock.isOperationPending(extendedFor);
        bool isDone = isDecided && (timelock.isOperationDone(extendedFor) || block.timestamp >= frozenAt + FREEZE_S);
        if (msg.sender != guardian && !isDone) revert NotGuardian(msg.sender);
        frozenUntil = uint64(block.timestamp);
        emit Thawed();
    }

    /// @inheritdoc IFreezeClock
    function time() external view returns (uint64) {
        uint64 present = uint64(block.timestamp);
        uint64 end = present < frozenUntil ? present : frozenUntil;
        return present - _frozenBefore - (end - frozenAt);
    }

    /// @inheritdoc IFreezeClock
    function isFrozen() public view returns (bool) {
        return block.timestamp < frozenUntil;
    }

    function _freeze() private {
        _frozenBefore += frozenUntil - frozenAt;
        frozenAt = uint64(block.timestamp);
        frozenUntil = frozenAt + FREEZE_S;
        extendedFor = bytes32(0);
        emit Frozen(frozenUntil);
    }

    function _extend(RollupConfig calldata config, bytes32 predecessor, bytes32 salt) private {
        bytes memory call = abi.encodeCall(SystemConfig.setRollupConfig, (config));
        bytes32 operation = timelock.hashOperation(address(systemConfig), 0, call, predecessor, salt);
        if (!timelock.isOperationPending(operation)) revert NoChangeQueued(operation);
        mayFreezeForChange = false;
        extendedFor = operation;
        frozenUntil = frozenAt + EXTENDED_S;
        emit Extended(operation, frozenUntil);
    }
}
