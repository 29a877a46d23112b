// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeControllers} from "./INodeControllers.sol";

/// @title INodeRegistry: the face of the NodeRegistry
/// @notice What the network, its auditors and its nodes may ask of the registry, and what it reports.
interface INodeRegistry is INodeControllers {
    /// @notice Where a node stands. Only Active and Warned nodes can be authorized.
    enum Status {
        None,
        Applied,
        Active,
        Warned,
        Suspended,
        Ejected,
        Left
    }

    /// @notice What a node says of itself.
    /// @param peerId the libp2p peer id as multihash bytes, at most MAX_PEER_ID_BYTES
    /// @param addresses multiaddrs as text, at most MAX_ADDRESSES of MAX_ADDRESS_BYTES each
    /// @param kind KIND_DSP or KIND_BYON
    /// @param operator the account that the node itself signs with, not zero
    /// @param evidence hash of the application's documents
    struct Application {
        bytes peerId;
        string[] addresses;
        uint8 kind;
        address operator;
        bytes32 evidence;
    }

    /// @notice All that is known of a node. Times are in seconds since 1970.
    /// @param peerId see Application
    /// @param addresses see Application; the owner and the operator may change them
    /// @param owner the account that applied
    /// @param operator see Application
    /// @param kind see Application
    /// @param status in what the views return, a lapsed attestation already counts as Suspended
    /// @param appliedAt when it applied last
    /// @param attestedAt when an auditor attested last; 0 before
    /// @param validUntil when the attestation ends; authorization ends GRACE_PERIOD later
    /// @param evidence see Application
    /// @param auditor who attested last
    /// @param attestation hash of the last audit's evidence
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
    }

    /// @notice A node applied, for the first time or again after it had left.
    /// @param nodeId keccak256 of the peer id
    /// @param owner the account that applied
    /// @param operator the account that the node signs with
    /// @param kind KIND_DSP or KIND_BYON
    /// @param peerId the libp2p peer id as multihash bytes
    /// @param evidence hash of the application's documents
    event NodeApplied(
        bytes32 indexed nodeId,
        address indexed owner,
        address indexed operator,
        uint8 kind,
        bytes peerId,
        bytes32 evidence
    );
    /// @notice An auditor attested the outcome of an audit.
    /// @param nodeId keccak256 of the peer id
    /// @param auditor the auditor
    /// @param pass whether the node passed
    /// @param status the status that follows
    /// @param validUntil the end of the attestation as it now stands, in seconds since 1970
    /// @param evidence hash of the audit's evidence
    event NodeAttested(
        bytes32 indexed nodeId, address indexed auditor, bool pass, Status status, uint64 validUntil, bytes32 evidence
    );
    /// @notice The addresses of a node changed.
    /// @param nodeId keccak256 of the peer id
    /// @param addresses multiaddrs as text
    event NodeAddressesChanged(bytes32 indexed nodeId, string[] addresses);
    /// @notice An auditor voted to eject a node.
    /// @param nodeId keccak256 of the peer id
    /// @param auditor the auditor
    /// @param round the round in which the vote counts
    /// @param votes the votes in this round so far
    /// @param reason a reason code
    /// @param evidence hash of the evidence
    event EjectionVoted(
        bytes32 indexed nodeId,
        address indexed auditor,
        uint32 indexed round,
        uint8 votes,
        uint16 reason,
        bytes32 evidence
    );
    /// @notice A node was ejected, for good.
    /// @param nodeId keccak256 of the peer id
    /// @param round the round that decided
    /// @param reason the reason code of the deciding vote
    /// @param evidence hash of the evidence of the deciding vote
    event NodeEjected(bytes32 indexed nodeId, uint32 indexed round, uint16 reason, bytes32 evidence);
    /// @notice A node left by its owner's will.
    /// @param nodeId keccak256 of the peer id
    event NodeLeft(bytes32 indexed nodeId);

    /// @notice Applies for membership; the caller becomes the owner. A node that left may apply again through the same owner; one
    /// that was ejected never.
    /// @param application what the node says of itself
    /// @return nodeId keccak256 of the peer id
    function submitApplication(Application calldata application) external returns (bytes32 nodeId);

    /// @notice Attests the outcome of an audit. A pass makes the node Active. A failure warns an Active node and suspends any
    /// other; it never lengthens an authorization.
    /// @param nodeId keccak256 of the peer id
    /// @param pass whether the node passed
    /// @param validUntil seconds since 1970. Of a pass: when the next audit is due, after now and within MAX_VALIDITY. Of a
    /// failure: by when a Warned node must have passed again, if that is sooner than the end it had
    /// @param evidence hash of the audit's evidence
    function attest(bytes32 nodeId, bool pass, uint64 validUntil, bytes32 evidence) external;

    /// @notice Votes to eject a node; the vote that reaches the quorum ejects it. Votes count together for VOTING_PERIOD from the
    /// first of their round. Neither leaving nor a pass ends a round: one auditor cannot shield a node from the others.
    /// @param nodeId keccak256 of the peer id
    /// @param reason a reason code
    /// @param evidence hash of the evidence
    function eject(bytes32 nodeId, uint16 reason, bytes32 evidence) external;

    /// @notice Leaves the network, at once. The record of the node stays.
    /// @param nodeId keccak256 of the peer id; the caller is its owner
    function leaveNetwork(bytes32 nodeId) external;

    /// @notice Replaces the addresses of a node.
    /// @param nodeId keccak256 of the peer id; the caller is its owner or operator
    /// @param addresses multiaddrs as text, at most MAX_ADDRESSES of MAX_ADDRESS_BYTES each
    function setAddresses(bytes32 nodeId, string[] calldata addresses) external;

    /// @notice Whether peers may talk to a node now: it is Active or Warned and its attestation has not lapsed for longer than
    /// GRACE_PERIOD.
    /// @param peerId the libp2p peer id as multihash bytes
    function isAuthorized(bytes calldata peerId) external view returns (bool);

    /// @notice A node by its peer id; all zero, status None, when there is none.
    /// @param peerId the libp2p peer id as multihash bytes
    function nodeOf(bytes calldata peerId) external view returns (Node memory);

    /// @notice A node by its id; all zero, status None, when there is none.
    /// @param nodeId keccak256 of the peer id
    function nodeById(bytes32 nodeId) external view returns (Node memory);

    /// @notice The number of nodes that have ever applied.
    function nodeCount() external view returns (uint256);

    /// @notice A page of all nodes, in the order in which they first applied; shorter or empty at the end.
    /// @param offset the first node, counted from 0
    /// @param limit the length of the page; more than MAX_PAGE gives MAX_PAGE
    function nodesPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes);

    /// @notice The accredited auditors.
    function auditors() external view returns (address[] memory);

    /// @notice The latest ejection round of a node; all zero when nobody has voted.
    /// @param nodeId keccak256 of the peer id
    /// @return round the number of the round, from 1
    /// @return votes the votes in it
    /// @return closesAt the last second in which a vote still counts in it
    function ejectionRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt);
}
