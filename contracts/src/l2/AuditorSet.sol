// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AlreadyVoted,
    AuditorChangeNotDue,
    AuditorChangeUnknown,
    InvalidAuditor,
    InvalidQuorum,
    NotAuditor
} from "./Errors.sol";

/// @title AuditorSet: the accredited auditors, their votes, and how the set itself changes
/// @notice One auditor decides little; what is grave takes several, who vote within VOTING_PERIOD of each other. The set changes by
/// a majority of the auditors and after CHANGE_DELAY, in which the same majority may still call it off.
/// @dev A change of the set ends all open rounds: nobody's vote outlives its mandate.
abstract contract AuditorSet {
    /// @notice The votes that count together.
    /// @param round counted from 1
    /// @param votes in this round
    /// @param openedAt time of the first of them
    struct Round {
        uint32 round;
        uint8 votes;
        uint64 openedAt;
    }

    /// @notice A round whose votes can still be looked up when the set has changed.
    /// @param key where its votes are kept
    /// @param round its number there, from 1
    struct Ballot {
        bytes32 key;
        uint32 round;
    }

    /// @notice How long the votes of a round count together, in seconds.
    uint64 public constant VOTING_PERIOD = 30 days;
    /// @notice How long a decided change of the set waits, in seconds.
    uint64 public constant CHANGE_DELAY = 7 days;
    /// @notice How long a decided change may be executed after that, in seconds.
    uint64 public constant CHANGE_EXPIRY = 30 days;
    /// @notice The largest number of auditors.
    uint256 public constant MAX_AUDITORS = 64;

    /// @notice The number of distinct auditors whose votes eject or readmit a node.
    uint8 public ejectionQuorum;
    /// @notice Grows with every change of the set.
    uint32 public auditorEpoch;
    /// @notice Whether an account is an accredited auditor.
    mapping(address account => bool) public isAuditor;
    /// @notice When a decided change may be executed, in seconds since 1970; 0 when none is decided.
    mapping(address account => mapping(bool add => uint64)) public changeDueAt;

    address[] private _auditors;
    mapping(bytes32 topic => Round) private _rounds;
    mapping(bytes32 topic => mapping(uint32 round => mapping(address auditor => bool))) private _hasVoted;

    /// @notice An auditor voted to change the set, or to call a change off.
    event AuditorChangeVoted(address indexed account, bool add, bool cancel, address indexed auditor, uint8 votes);
    /// @notice A change is decided and may be executed from then on.
    event AuditorChangeDecided(address indexed account, bool add, uint64 dueAt);
    /// @notice A decided change was called off.
    event AuditorChangeCancelled(address indexed account, bool add);
    /// @notice The set changed.
    event AuditorSetChanged(address indexed account, bool isAuditor, uint256 count);

    modifier onlyAuditor() {
        if (!isAuditor[msg.sender]) revert NotAuditor(msg.sender);
        _;
    }

    /// @param auditors_ the accredited auditors: distinct, not zero, 1 to MAX_AUDITORS
    /// @param ejectionQuorum_ how many of them eject a node, at least 1
    constructor(address[] memory auditors_, uint8 ejectionQuorum_) {
        if (auditors_.length == 0 || auditors_.length > MAX_AUDITORS) revert InvalidAuditor(address(0));
        for (uint256 i = 0; i < auditors_.length; i++) {
            address auditor = auditors_[i];
            if (auditor == address(0) || isAuditor[auditor]) revert InvalidAuditor(auditor);
            isAuditor[auditor] = true;
            _auditors.push(auditor);
        }
        if (ejectionQuorum_ == 0 || ejectionQuorum_ > auditors_.length) {
            revert InvalidQuorum(ejectionQuorum_, auditors_.length);
        }
        ejectionQuorum = ejectionQuorum_;
    }

    /// @notice Votes to add or remove an auditor. The vote that makes a majority decides; the change waits for CHANGE_DELAY.
    /// @param account whom to add or remove
    /// @param add true to add
    function voteAuditorChange(address account, bool add) external onlyAuditor {
        if (account == address(0) || isAuditor[account] == add) revert InvalidAuditor(account);
        uint8 votes = _vote(keccak256(abi.encode("change", account, add)), bytes32(uint256(uint160(account))));
        emit AuditorChangeVoted(account, add, false, msg.sender, votes);
        if (votes != majority() || changeDueAt[account][add] != 0) return;
        changeDueAt[account][add] = uint64(block.timestamp) + CHANGE_DELAY;
        emit AuditorChangeDecided(account, add, changeDueAt[account][add]);
    }

    /// @notice Votes to call a decided change off.
    /// @param account whom the change concerns
    /// @param add what the change is
    function voteCancelChange(address account, bool add) external onlyAuditor {
        if (changeDueAt[account][add] == 0) revert AuditorChangeUnknown(account, add);
        uint8 votes = _vote(keccak256(abi.encode("cancel", account, add)), bytes32(uint256(uint160(account))));
        emit AuditorChangeVoted(account, add, true, msg.sender, votes);
        if (votes != majority()) return;
        changeDueAt[account][add] = 0;
        auditorEpoch++;
        emit AuditorChangeCancelled(account, add);
    }

    /// @notice Executes a decided change. Anyone may call it, from CHANGE_DELAY after the decision for CHANGE_EXPIRY.
    /// @param account whom the change concerns
    /// @param add what the change is
    function executeAuditorChange(address account, bool add) external {
        uint64 dueAt = changeDueAt[account][add];
        if (dueAt == 0 || isAuditor[account] == add) revert AuditorChangeUnknown(account, add);
        if (block.timestamp < dueAt) revert AuditorChangeNotDue(account, dueAt);
        changeDueAt[account][add] = 0;
        auditorEpoch++;
        if (block.timestamp > dueAt + CHANGE_EXPIRY) {
            emit AuditorChangeCancelled(account, add);
            return;
        }
        if (add) _add(account);
        else _remove(account);
        emit AuditorSetChanged(account, add, _auditors.length);
    }

    /// @notice The accredited auditors.
    function auditors() external view returns (address[] memory) {
        return _auditors;
    }

    /// @notice How many votes change the set: more than half, and no fewer than eject a node.
    function majority() public view returns (uint8) {
        uint8 half = uint8(_auditors.length / 2 + 1);
        return half < ejectionQuorum ? ejectionQuorum : half;
    }

    /// @dev Counts the caller's vote on a topic and returns the votes of its round.
    /// @param topic what is voted on
    /// @param subject what an error names
    function _vote(bytes32 topic, bytes32 subject) internal returns (uint8) {
        bytes32 key = keccak256(abi.encode(auditorEpoch, topic));
        Round storage current = _rounds[key];
        if (current.votes == 0 || block.timestamp > current.openedAt + VOTING_PERIOD) {
            current.round++;
            current.votes = 0;
            current.openedAt = uint64(block.timestamp);
        }
        if (_hasVoted[key][current.round][msg.sender]) revert AlreadyVoted(subject, current.round, msg.sender);
        _hasVoted[key][current.round][msg.sender] = true;
        return ++current.votes;
    }

    /// @dev The newest round on a topic in the present epoch.
    function _roundOf(bytes32 topic) internal view returns (Round memory) {
        return _rounds[keccak256(abi.encode(auditorEpoch, topic))];
    }

    /// @dev The newest round on a topic, to be kept by whom it decided about.
    function _ballotOf(bytes32 topic) internal view returns (Ballot memory) {
        bytes32 key = keccak256(abi.encode(auditorEpoch, topic));
        return Ballot(key, _rounds[key].round);
    }

    /// @dev Whether an auditor voted in a round of before.
    function _votedIn(Ballot storage ballot, address auditor) internal view returns (bool) {
        return _hasVoted[ballot.key][ballot.round][auditor];
    }

    /// @dev How many of today's auditors did not vote in a round of before.
    function _othersThan(Ballot storage ballot) internal view returns (uint256 count) {
        for (uint256 i = 0; i < _auditors.length; i++) {
            if (!_votedIn(ballot, _auditors[i])) count++;
        }
    }

    function _add(address account) private {
        if (_auditors.length == MAX_AUDITORS) revert InvalidAuditor(account);
        isAuditor[account] = true;
        _auditors.push(account);
    }

    function _remove(address account) private {
        uint256 count = _auditors.length;
        if (count - 1 < ejectionQuorum) revert InvalidQuorum(ejectionQuorum, count - 1);
        isAuditor[account] = false;
        for (uint256 i = 0; i < count; i++) {
            if (_auditors[i] != account) continue;
            _auditors[i] = _auditors[count - 1];
            _auditors.pop();
            return;
        }
    }
}
