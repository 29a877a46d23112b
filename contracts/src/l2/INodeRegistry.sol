// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeControllers} from "./INodeControllers.sol";

/// @title INodeRegistry: the face of the NodeRegistry
/// @notice What the network, its auditors and its nodes may ask of the registry, and what it reports.
interface INodeRegistry is INodeControllers {
    /// @notice Where a node stands. Only Active and Warned nodes can be authorized. A Draining node is to be ejected and
    /// still serves what it holds.
    enum Status {
        None,
        Applied,
        Active,
        Warned,
        Suspended,
        Ejected,
        Left,
        Draining
    }

    /// @notice What a node says of itself.
    /// @param peerId the libp2p peer id as multihash bytes, at most MAX_PEER_ID_BYTES
    /// @param addresses multiaddrs as text, at most MAX_ADDRESSES of MAX_ADDRESS_BYTES each
    /// @param kind KIND_DSP or KIND_BYON
    /// @param operator the account that the node itself signs with, not zero
    /// @param evidence hash of the application's documents
    /// @param statement Ed25519 signature of the peer's key, 64 bytes, over "nectar/node-statement/v1\n", the chain id as 8 bytes
    /// big endian, the owner and the operator, 20 bytes each. The chain cannot check it (Ed25519 has no precompile): auditors and
    /// nodes do, and take no node without it
    struct Application {
        bytes peerId;
        string[] addresses;
        uint8 kind;
        address operator;
        bytes32 evidence;
        bytes statement;
    }

    /// @notice All that is known of a node. Times are in seconds since 1970.
    /// @param peerId see Application
    /// @param addresses see Application; the owner and the operator may change them
    /// @param owner the account that applied
    /// @param operator see Application
    /// @param kind see Application
    /// @param status in what the views return, a lapsed attestation already counts as Suspended, and a draining node whose time is over
    /// as Ejected
    /// @param appliedAt when it applied last
    /// @param attestedAt when an auditor attested last; 0 before
    /// @param validUntil when the attestation ends; authorization ends GRACE_PERIOD later
    /// @param evidence see Application
    /// @param auditor who attested last
    /// @param attestation hash of the last audit's evidence
    /// @param depositWei what the application still holds
    /// @param ejectedAt when auditors voted it out: it drains for DRAIN_PERIOD from then; 0 while they did not
    /// @param appealedAt when the owner appealed against that; 0 before
    /// @param statement see Application
    struct Node {
        bytes peerId;
        string[] addresses;
        address owner;
        address operator;
        uint8 kind;
        Status status;
        uint64 appliedAt;
        uint64 attestedAt;
        uint64 validUntil;
        bytes32 evidence;
        address auditor;
        bytes32 attestation;
        uint128 depositWei;
        uint64 ejectedAt;
        uint64 appealedAt;
        bytes statement;
    }

    /// @notice A node applied, for the first time or again after it had left.
    /// @param nodeId the entry: keccak256 of peer id and owner
    /// @param owner the account that applied
    /// @param operator the account that the node signs with
    /// @param kind KIND_DSP or KIND_BYON
    /// @param peerId the libp2p peer id as multihash bytes
    /// @param evidence hash of the application's documents
    /// @param depositWei what was deposited
    event NodeApplied(
        bytes32 indexed nodeId,
        address indexed owner,
        address indexed operator,
        uint8 kind,
        bytes peerId,
        bytes32 evidence,
        uint256 depositWei
    );
    /// @notice A node passed an audit.
    /// @param nodeId the entry
    /// @param auditor the auditor
    /// @param validUntil the end of the attestation, in seconds since 1970
    /// @param evidence hash of the audit's evidence
    event NodeAttested(bytes32 indexed nodeId, address indexed auditor, uint64 validUntil, bytes32 evidence);
    /// @notice A member failed an audit, and stays one for the time it has to put things right.
    /// @param nodeId the entry
    /// @param auditor the auditor
    /// @param reason a reason code
    /// @param validUntil the end of the attestation as it now stands, in seconds since 1970; GRACE_PERIOD is on top of it
    /// @param evidence hash of the audit's evidence
    event NodeWarned(
        bytes32 indexed nodeId, address indexed auditor, uint16 reason, uint64 validUntil, bytes32 evidence
    );
    /// @notice A node failed an audit, and is no member until it passes one.
    event NodeSuspended(bytes32 indexed nodeId, address indexed auditor, uint16 reason, bytes32 evidence);
    /// @notice The addresses of a node changed.
    event NodeAddressesChanged(bytes32 indexed nodeId, string[] addresses);
    /// @notice An attestation has lapsed for longer than the grace period.
    event NodeLapsed(bytes32 indexed nodeId);
    /// @notice An auditor voted to eject a node, or to readmit one that appealed.
    /// @param nodeId the entry
    /// @param auditor the auditor
    /// @param readmit whether the vote is for readmission
    /// @param votes the votes of this round so far
    /// @param reason a reason code; 0 for a readmission
    /// @param evidence hash of the evidence
    event NodeVoted(
        bytes32 indexed nodeId, address indexed auditor, bool readmit, uint8 votes, uint16 reason, bytes32 evidence
    );
    /// @notice Auditors voted a node out.
    /// @param nodeId the entry
    /// @param reason a reason code
    /// @param outAt until when it drains, in seconds since 1970; the time of this block where it is out at once
    /// @param evidence hash of the evidence
    event NodeEjected(bytes32 indexed nodeId, uint16 reason, uint64 outAt, bytes32 evidence);
    /// @notice The owner of a node that was voted out appealed.
    event NodeAppealed(bytes32 indexed nodeId, bytes32 evidence);
    /// @notice An ejection was taken back. The node is Suspended until an auditor passes it.
    event NodeReadmitted(bytes32 indexed nodeId, bytes32 evidence);
    /// @notice A node left by its owner's will.
    event NodeLeft(bytes32 indexed nodeId);
    /// @notice A deposit came free, to be claimed, or was forfeited with the ejection of its application.
    event DepositReleased(bytes32 indexed nodeId, address indexed owner, uint256 amountWei, bool forfeited);
    /// @notice An account took what it was owed.
    event Claimed(address indexed account, uint256 amountWei);

    /// @notice Applies for membership with at least `depositRequired()`; the caller becomes the owner. An entry belongs to its peer
    /// id **and** its owner: whoever names another's peer id makes an entry of its own and stands in nobody's way. An entry that left
    /// may apply again, with nothing of its past attestation; one that was ejected not.
    /// @param application what the node says of itself
    /// @return nodeId the entry: keccak256 of peer id and owner
    function submitApplication(Application calldata application) external payable returns (bytes32 nodeId);

    /// @notice Attests that a node passed an audit: the entry becomes Active and the holder of its peer id. Refused while another
    /// entry holds the id and is a member, or the id's holder was voted out.
    /// @param nodeId the entry
    /// @param validUntil when the next audit is due, in seconds since 1970: after now and within MAX_VALIDITY
    /// @param evidence hash of the audit's evidence
    function attest(bytes32 nodeId, uint64 validUntil, bytes32 evidence) external;

    /// @notice Warns an Active node that failed an audit. It stays authorized for GRACE_PERIOD at least, and never longer than before.
    /// @param nodeId the entry
    /// @param reason a reason code, not 0
    /// @param cureBy by when it must have passed again, if that is sooner than the end it had and not before now; seconds since 1970
    /// @param evidence hash of the audit's evidence, not zero
    function warn(bytes32 nodeId, uint16 reason, uint64 cureBy, bytes32 evidence) external;

    /// @notice Suspends a node that failed an audit: a Warned one by another auditor at once, by the one who warned it after
    /// GRACE_PERIOD; an applicant or a lapsed one at once; an Active one never.
    /// @param nodeId the entry
    /// @param reason a reason code, not 0
    /// @param evidence hash of the audit's evidence, not zero
    function suspend(bytes32 nodeId, uint16 reason, bytes32 evidence) external;

    /// @notice Takes a node whose attestation has lapsed for longer than the grace period off the members. Anyone may call it; it
    /// only makes visible what `isAuthorized` says already.
    /// @param nodeId the entry
    function lapse(bytes32 nodeId) external;

    /// @notice Votes to eject a node. The vote that reaches the quorum puts it out: it drains for DRAIN_PERIOD and is Ejected then.
    /// With REASON_HARM, whose votes count apart, it is Ejected at once, also while it drains; so are an applicant and who has left.
    /// Neither leaving nor a pass ends a round: one auditor cannot shield a node from the others. A deposit is forfeited.
    /// @param nodeId the entry
    /// @param reason a reason code, not 0
    /// @param evidence hash of the evidence, not zero
    function eject(bytes32 nodeId, uint16 reason, bytes32 evidence) external;

    /// @notice Appeals against an ejection, once, within APPEAL_WINDOW of the vote.
    /// @param nodeId the entry; the caller is its owner
    /// @param evidence hash of the appeal
    function appeal(bytes32 nodeId, bytes32 evidence) external;

    /// @notice Votes to take an ejection back. Within DECISION_PERIOD of an appeal those who did not vote for the ejection judge it:
    /// as many as eject, or all of them where they are fewer. Without an appeal, or later, it takes as many auditors as eject.
    /// @param nodeId the entry
    /// @param evidence hash of the decision, not zero
    function readmit(bytes32 nodeId, bytes32 evidence) external;

    /// @notice Leaves the network, at once, or withdraws an application older than APPLICATION_PERIOD. The record stays.
    /// @param nodeId the entry; the caller is its owner
    function leaveNetwork(bytes32 nodeId) external;

    /// @notice Replaces the addresses of a node.
    /// @param nodeId the entry; the caller is its owner or operator
    /// @param addresses multiaddrs as text, at most MAX_ADDRESSES of MAX_ADDRESS_BYTES each
    function setAddresses(bytes32 nodeId, string[] calldata addresses) external;

    /// @notice Pays out what an account is owed. Anyone may call it; only the account is paid.
    /// @param account the account
    function claim(address account) external;

    /// @notice Whether peers may talk to a node now: its holder is Active or Warned and its attestation has not lapsed for longer
    /// than GRACE_PERIOD.
    /// @param peerId the libp2p peer id as multihash bytes
    function isAuthorized(bytes calldata peerId) external view returns (bool);

    /// @notice The entry that holds a peer id; all zero, status None, when none does.
    /// @param peerId the libp2p peer id as multihash bytes
    function nodeOf(bytes calldata peerId) external view returns (Node memory);

    /// @notice An entry; all zero, status None, when there is none.
    /// @param nodeId the entry
    function nodeById(bytes32 nodeId) external view returns (Node memory);

    /// @notice The number of members: Active and Warned nodes, with those that lapsed and were not yet taken off.
    function memberCount() external view returns (uint256);

    /// @notice A page of the members; shorter or empty at the end. The order changes when one leaves.
    /// @param offset the first node, counted from 0
    /// @param limit the length of the page; more than MAX_PAGE gives MAX_PAGE
    function membersPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes);

    /// @notice The number of applications that wait for an auditor.
    function pendingCount() external view returns (uint256);

    /// @notice A page of the applications that wait; shorter or empty at the end. The order changes when one is decided.
    /// @param offset the first node, counted from 0
    /// @param limit the length of the page; more than MAX_PAGE gives MAX_PAGE
    function pendingPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes);

    /// @notice What an application has to deposit now, in wei: more with every application that waits.
    function depositRequired() external view returns (uint256);

    /// @notice The latest ejection round of a node; all zero when nobody has voted.
    /// @param nodeId the entry
    /// @return round the number of the round, from 1
    /// @return votes the votes in it
    /// @return closesAt the last second in which a vote still counts in it
    function ejectionRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt);

    /// @notice The same of the votes with REASON_HARM.
    /// @param nodeId the entry
    /// @return round the number of the round, from 1
    /// @return votes the votes in it
    /// @return closesAt the last second in which a vote still counts in it
    function harmRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt);

    /// @notice Whether an auditor cast one of the votes that put a node out last: then it does not judge the appeal.
    /// @param nodeId the entry
    /// @param auditor the auditor
    function votedForEjection(bytes32 nodeId, address auditor) external view returns (bool);
}
