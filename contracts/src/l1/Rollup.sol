// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ContactTooLong,
    Frozen,
    NodeExists,
    NodeStatusForbids,
    NotChallengeManager,
    NothingToPrune,
    NotRivals,
    NotValidator,
    ParentPassed,
    StakeAmountWrong,
    StakeElsewhere,
    StateOutOfRange,
    StillRivaled,
    TargetNotReached,
    TooEarly,
    TooLate,
    ZeroAddress
} from "./Errors.sol";
import {IFreezeClock} from "./IFreezeClock.sol";
import {ISequencerInbox} from "./ISequencerInbox.sol";
import {ISystemConfig} from "./ISystemConfig.sol";
import {RollupNodes} from "./RollupNodes.sol";
import {EntryCosts, GlobalState, Node, NodeStatus, RollupConfig, Stake} from "./RollupTypes.sol";
import {Stakes} from "./Stakes.sol";

/// @title Rollup: what L1 believes of L2
/// @notice Stakers assert what a batch makes of L2's state. An assertion is confirmed when its challenge period is over and no rival
/// lives. Rivals are told apart by their stakers, one of whom the ChallengeManager eliminates; the content of an assertion never
/// loses: anyone may back it again. All calls take constant gas. State table: docs/design/0015-contracts-review.md.
/// @dev id = keccak256(abi.encode(parent, stateHash, acc, configHash)); acc binds the batches that the state consumed, so an L1
/// reorg gives another id; configHash is that of the parent's config, the same for all siblings. Times are the freeze clock's.
contract Rollup is Stakes, RollupNodes {
    /// @notice The longest contact of a staker, in bytes.
    uint256 public constant MAX_CONTACT_BYTES = 256;

    /// @notice An assertion was made, for the first time or again after it had died.
    /// @param nodeId the assertion
    /// @param parent the assertion that it continues
    /// @param stakeId the stake that makes it
    /// @param state the state that it names
    /// @param target the batch to which its children go
    /// @param contact how to reach the staker for a challenge off chain
    event NodeCreated(
        bytes32 indexed nodeId,
        bytes32 indexed parent,
        uint256 indexed stakeId,
        GlobalState state,
        uint64 target,
        string contact
    );
    /// @notice A stake stepped to an assertion.
    event NodeBacked(bytes32 indexed nodeId, uint256 indexed stakeId);
    /// @notice An assertion lost its last backer.
    event NodeDied(bytes32 indexed nodeId, bytes32 indexed parent);
    /// @param sequencerInbox_ the SequencerInbox, not zero
    /// @param systemConfig_ the SystemConfig, not zero
    /// @param freezeClock_ the Guardian, not zero
    /// @param genesis the state before the first batch: the genesis block's hash, the empty send root, 0, 0
    constructor(
        ISequencerInbox sequencerInbox_,
        ISystemConfig systemConfig_,
        IFreezeClock freezeClock_,
        GlobalState memory genesis
    ) RollupNodes(sequencerInbox_, systemConfig_, freezeClock_, genesis) {}

    /// @notice Locks a stake, which then stands on the latest confirmed node.
    /// @param signer who signs the owner's messages in challenges, not zero
    /// @return stakeId the stake
    function newStake(address signer) external payable returns (uint256 stakeId) {
        if (!systemConfig.mayStake(msg.sender)) revert NotValidator(msg.sender);
        if (signer == address(0)) revert ZeroAddress();
        uint256 expected = _configOf(_nodes[latestConfirmed]).stakeWei;
        if (msg.value != expected) revert StakeAmountWrong(msg.value, expected);
        stakeId = _addStake(signer, latestConfirmed);
    }

    /// @notice Gives a stake back that stands on a confirmed node; the owner claims it.
    /// @param stakeId the caller's stake
    function returnStake(uint256 stakeId) external {
        bytes32 nodeId = _ownStake(stakeId).standsOn;
        NodeStatus status = _nodes[nodeId].status;
        if (status != NodeStatus.Confirmed) revert NodeStatusForbids(nodeId, uint8(status));
        _returnStake(stakeId);
    }

    /// @notice Asserts a state after `parent`, and steps there.
    /// @param stakeId the caller's stake, which stands on `parent`
    /// @param parent the node to continue
    /// @param state the parent's target; or, when that is too far, a state short of it and beyond the parent's
    /// @param contact how to reach the caller for a challenge off chain, at most MAX_CONTACT_BYTES
    function create(uint256 stakeId, bytes32 parent, GlobalState calldata state, string calldata contact)
        external
        returns (bytes32 nodeId)
    {
        Stake storage stake = _standingOn(stakeId, parent);
        if (bytes(contact).length > MAX_CONTACT_BYTES) revert ContactTooLong(bytes(contact).length, MAX_CONTACT_BYTES);
        Node storage p = _nodes[parent];
        RollupConfig memory config = _configOf(p);
        _requireEnoughAndOpen(stake, parent, p, config);
        _requireInRange(state, parent, p, config);
        bytes32 stateHash = keccak256(abi.encode(state));
        nodeId = keccak256(abi.encode(parent, stateHash, _accumulatorOf(state), keccak256(abi.encode(config))));
        Node storage node = _nodes[nodeId];
        if (node.status == NodeStatus.Live || node.status == NodeStatus.Confirmed) revert NodeExists(nodeId);
        uint64 time = freezeClock.time();
        _openChild(parent, p, config, node.status == NodeStatus.Dead, time);
        if (node.status == NodeStatus.None) {
            _write(nodeId, parent, stateHash, state);
        } else if (node.liveChildren != 0) {
            // It died and lives again: what the dead left below it has its whole period again, to be pruned or defended.
            (node.firstChildAt, node.lastChildAt) = (time, time);
        }
        node.status = NodeStatus.Live;
        emit NodeCreated(nodeId, parent, stakeId, state, node.target, contact);
        _step(stakeId, stake, nodeId, node);
    }

    /// @notice Steps forward to an assertion that another made.
    /// @param stakeId the caller's stake, which stands on the node's parent
    /// @param nodeId the assertion
    function back(uint256 stakeId, bytes32 nodeId) external {
        Node storage node = _nodes[nodeId];
        if (node.status != NodeStatus.Live) revert NodeStatusForbids(nodeId, uint8(node.status));
        Stake storage stake = _standingOn(stakeId, node.parent);
        Node storage p = _nodes[node.parent];
        RollupConfig memory config = _configOf(p);
        _requireEnoughAndOpen(stake, node.parent, p, config);
        if (p.windowChildren > 1) {
            uint64 end = _joinEnd(p, config);
            if (freezeClock.time() > end) revert TooLate(nodeId, end);
        }
        _step(stakeId, stake, nodeId, node);
    }

    /// @notice Ends a challenge: the loser's stake is split and never counts again. The caller is the ChallengeManager of the config
    /// of the node where the two paths part; while that config names none, the one of the newest config.
    /// @param winnerChild the child that the winner backs
    /// @param winnerId the winner's stake
    /// @param loserChild the child that the loser backs
    /// @param loserId the loser's stake
    /// @param costs what the transactions of its opponents cost; a stake refunds MAX_REFUND_PERCENT of itself at most
    /// @return restWei what it refunds opponents other than the winner; the caller is owed it, to assign it to them
    function eliminate(
        bytes32 winnerChild,
        uint256 winnerId,
        bytes32 loserChild,
        uint256 loserId,
        EntryCosts calldata costs
    ) external returns (uint256 restWei) {
        if (freezeClock.isFrozen()) revert Frozen();
        bytes32 parent = _nodes[winnerChild].parent;
        if (msg.sender != challengeManagerOf(parent)) revert NotChallengeManager(msg.sender);
        if (partingOf(winnerChild, winnerId, loserChild, loserId) == bytes32(0)) revert NotRivals(parent);
        restWei = _eliminate(loserId, winnerId, costs);
    }

    /// @notice Takes an eliminated stake off a node's backers; without any left the node dies. Anyone may call it.
    /// @param nodeId the node
    /// @param stakeId the eliminated stake
    function prune(bytes32 nodeId, uint256 stakeId) external {
        if (!isBacker[nodeId][stakeId] || !_isEliminated(stakeId)) revert NothingToPrune(nodeId, stakeId);
        isBacker[nodeId][stakeId] = false;
        Node storage node = _nodes[nodeId];
        node.backers--;
        if (node.backers != 0 || node.status != NodeStatus.Live) return;
        node.status = NodeStatus.Dead;
        Node storage p = _nodes[node.parent];
        p.liveChildren--;
        p.lastDeathAt = freezeClock.time();
        // With no child alive the next one is a first child again: otherwise the late death of the last would end the chain.
        if (p.liveChildren == 0) p.windowChildren = 0;
        emit NodeDied(nodeId, node.parent);
    }

    /// @notice Makes a child of the latest confirmed node the latest confirmed. Anyone may call it.
    /// @param nodeId the child
    function confirm(bytes32 nodeId) external {
        if (freezeClock.isFrozen()) revert Frozen();
        Node storage node = _nodes[nodeId];
        if (node.status != NodeStatus.Live) revert NodeStatusForbids(nodeId, uint8(node.status));
        if (node.parent != latestConfirmed) revert ParentPassed(node.parent, latestConfirmed);
        Node storage p = _nodes[node.parent];
        if (p.liveChildren != 1) revert StillRivaled(node.parent, p.liveChildren);
        uint64 allowedAt = confirmableAt(nodeId);
        if (freezeClock.time() < allowedAt) revert TooEarly(nodeId, allowedAt);
        node.status = NodeStatus.Confirmed;
        latestConfirmed = nodeId;
        emit NodeConfirmed(nodeId, node.parent);
    }

    /// @notice The node where the paths of two live stakes part, the next on the paths being these children; zero when they do not.
    /// @param nodeId the child that the one backs
    /// @param stakeId the one stake
    /// @param otherNodeId the child that the other backs
    /// @param otherId the other stake
    function partingOf(bytes32 nodeId, uint256 stakeId, bytes32 otherNodeId, uint256 otherId)
        public
        view
        returns (bytes32 parent)
    {
        bool areRivals = nodeId != otherNodeId && _nodes[nodeId].parent == _nodes[otherNodeId].parent
            && isBacker[nodeId][stakeId] && isBacker[otherNodeId][otherId] && areLive(stakeId, otherId);
        if (areRivals) parent = _nodes[nodeId].parent;
    }

    /// @dev Counts a child in its parent's window. What died may come back as long as its rivals take backers, without moving that
    /// end: otherwise a truth whose only backer gives up in the joining window would be sunk for good.
    function _openChild(bytes32 parent, Node storage p, RollupConfig memory config, bool isRevival, uint64 time)
        private
    {
        if (p.windowChildren == 0) {
            (p.firstChildAt, p.lastChildAt) = (time, time);
        } else {
            uint64 end = isRevival ? _joinEnd(p, config) : p.firstChildAt + config.periodS;
            if (time > end) revert TooLate(parent, end);
            if (!isRevival) p.lastChildAt = time;
        }
        p.windowChildren++;
        p.liveChildren++;
    }

    function _step(uint256 stakeId, Stake storage stake, bytes32 nodeId, Node storage node) private {
        stake.standsOn = nodeId;
        node.backers++;
        isBacker[nodeId][stakeId] = true;
        emit NodeBacked(nodeId, stakeId);
    }

    function _standingOn(uint256 stakeId, bytes32 nodeId) private view returns (Stake storage stake) {
        stake = _ownStake(stakeId);
        if (stake.standsOn != nodeId) revert StakeElsewhere(stakeId, stake.standsOn, nodeId);
    }

    /// @dev A confirmed node that has been passed takes no more children: nobody could ever leave them.
    function _requireEnoughAndOpen(Stake storage stake, bytes32 parent, Node storage p, RollupConfig memory config)
        private
        view
    {
        if (stake.amountWei < config.stakeWei) revert StakeAmountWrong(stake.amountWei, config.stakeWei);
        bool isOpen = p.status == NodeStatus.Live || parent == latestConfirmed;
        if (!isOpen) revert ParentPassed(parent, latestConfirmed);
    }

    function _requireInRange(GlobalState calldata state, bytes32 parent, Node storage p, RollupConfig memory config)
        private
        view
    {
        uint256 batchCount = sequencerInbox.batchCount();
        if (batchCount < p.target) revert TargetNotReached(batchCount, p.target);
        bool isBeyond = state.batch > p.batch || (state.batch == p.batch && state.offset > p.offset);
        if (state.batch < p.target && isBeyond) return;
        if (state.batch != p.target || state.offset != 0) revert StateOutOfRange(state.batch, state.offset, p.target);
        uint64 allowedAt = p.createdAt + config.intervalS;
        if (freezeClock.time() < allowedAt) revert TooEarly(parent, allowedAt);
    }
}
