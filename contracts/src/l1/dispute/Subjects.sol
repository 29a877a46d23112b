// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Frozen, ZeroAddress} from "../Errors.sol";
import {IFreezeClock} from "../IFreezeClock.sol";
import {ISequencerInbox} from "../ISequencerInbox.sol";
import {ISystemConfig} from "../ISystemConfig.sol";
import {GlobalState, Node, RollupConfig, Stake} from "../RollupTypes.sol";
import {InputWrong, NotParties, OpeningInvalid, PartyGone, StateNotCanonical} from "./DisputeErrors.sol";
import {Parties, Party} from "./DisputeTypes.sol";
import {IDisputedRollup} from "./IDisputedRollup.sol";
import {IStepVerifier, MachineState} from "./IStepVerifier.sol";

/// @title Subjects: what a challenge is about, as L1 knows it
/// @notice The parties as the Rollup has them, the rules to which the children of a node are bound, and the machine's input.
abstract contract Subjects {
    /// @dev The scalar field of BN254: a core has one encoding, below it.
    uint256 private constant FIELD_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint8 internal constant FLAG_RUN = 0;
    uint8 internal constant FLAG_OK = 1;
    uint8 internal constant FLAG_FAIL = 2;

    /// @notice The assertions that are disputed.
    IDisputedRollup public immutable rollup;
    /// @notice The batches that the machine reads.
    ISequencerInbox public immutable sequencerInbox;
    /// @notice The configs.
    ISystemConfig public immutable systemConfig;
    /// @notice The clock that stands still in a freeze.
    IFreezeClock public immutable freezeClock;

    /// @dev The rules of the children of a node.
    struct Rules {
        address manager;
        IStepVerifier verifier;
        bytes32 core0;
        bytes32 configHash;
        uint64 target;
    }

    /// @dev Configs below this number have their steps checked by `_replacement`.
    uint32 internal _replacedConfigs;
    IStepVerifier internal _replacement;

    constructor(IDisputedRollup rollup_) {
        if (address(rollup_) == address(0)) revert ZeroAddress();
        rollup = rollup_;
        sequencerInbox = rollup_.sequencerInbox();
        systemConfig = rollup_.systemConfig();
        freezeClock = rollup_.freezeClock();
    }

    /// @dev The hash binds the parent's own config; a config without a manager is disputed by the rules of the newest one, as the
    /// Rollup has it.
    function _rulesOf(bytes32 parent) internal view returns (Rules memory rules) {
        Node memory p = rollup.nodeOf(parent);
        uint32 configId = p.configId;
        RollupConfig memory config = systemConfig.rollupConfig(configId);
        rules.configHash = keccak256(abi.encode(config));
        rules.target = p.target;
        if (config.challengeManager == address(0)) {
            configId = systemConfig.latestConfigId();
            config = systemConfig.rollupConfig(configId);
        }
        rules.manager = config.challengeManager;
        rules.core0 = config.core0;
        rules.verifier = configId < _replacedConfigs ? _replacement : IStepVerifier(config.verifier);
    }

    /// @dev The freeze clock, while it runs.
    function _time() internal view returns (uint64) {
        if (freezeClock.isFrozen()) revert Frozen();
        return freezeClock.time();
    }

    function _requireLive(bytes32 challenge, Parties calldata parties) internal view {
        if (!rollup.areLive(parties.opener.stakeId, parties.responder.stakeId)) revert PartyGone(challenge);
    }

    /// @dev Before a record exists: the parties are as the Rollup has them, and this contract decides between them by a verifier.
    function _requireRivals(Parties calldata parties) internal view {
        (Party calldata o, Party calldata r) = (parties.opener, parties.responder);
        bool areRivals = parties.parent != bytes32(0)
            && rollup.partingOf(o.node, o.stakeId, r.node, r.stakeId) == parties.parent && _isStaker(o) && _isStaker(r);
        if (!areRivals) revert NotParties(parties.parent);
        Rules memory rules = _rulesOf(parties.parent);
        if (rules.manager != address(this) || address(rules.verifier) == address(0)) revert NotParties(parties.parent);
    }

    /// @dev The machine's first state in the iteration that begins at `g`, whose hash is `start`, and its input.
    function _firstState(bytes32 parent, bytes32 start, GlobalState calldata g)
        internal
        view
        returns (bytes32 state, bytes32 input)
    {
        if (keccak256(abi.encode(g)) != start) revert OpeningInvalid(start);
        Rules memory rules = _rulesOf(parent);
        bytes32 acc = g.batch < rules.target ? sequencerInbox.accumulator(g.batch) : bytes32(0);
        input = keccak256(abi.encode(g, rules.target, acc, rules.configHash));
        state = _hash(MachineState(rules.core0, input, bytes32(0), FLAG_RUN));
    }

    /// @dev What an iteration that begins at `g` makes when the machine ends in the state that `point` is.
    function _resultOf(GlobalState calldata g, bytes32 input, MachineState calldata end, bytes32 point)
        internal
        pure
        returns (bytes32)
    {
        _requireOpens(end, point);
        if (end.input != input) revert InputWrong(end.input, input);
        if (end.flag == FLAG_OK) return end.output;
        return keccak256(abi.encode(GlobalState(g.blockHash, g.sendRoot, g.batch + 1, 0)));
    }

    function _requireOpens(MachineState calldata state, bytes32 point) internal pure {
        _requireCanonical(state);
        if (_hash(state) != point) revert OpeningInvalid(point);
    }

    function _requireCanonical(MachineState calldata state) internal pure {
        bool isCanonical = uint256(state.core) < FIELD_MODULUS && state.flag <= FLAG_FAIL;
        if (!isCanonical) revert StateNotCanonical(state.core, state.flag);
    }

    function _hash(MachineState memory state) internal pure returns (bytes32) {
        return keccak256(abi.encode(state));
    }

    function _isStaker(Party calldata party) private view returns (bool) {
        Stake memory stake = rollup.stakeOf(party.stakeId);
        return stake.owner == party.owner && stake.signer == party.signer;
    }
}
