// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AlreadyVoted,
    InvalidAddress,
    InvalidAuditor,
    InvalidKind,
    InvalidPeerId,
    InvalidQuorum,
    InvalidValidity,
    NodeStatusForbids,
    NodeUnknown,
    NotAuditor,
    NotNodeController,
    NotNodeOwner,
    TooManyAddresses,
    ZeroOperator
} from "./Errors.sol";
import {INodeControllers} from "./INodeControllers.sol";
import {INodeRegistry} from "./INodeRegistry.sol";

/// @title NodeRegistry: the membership of the network
/// @notice A node applies, accredited auditors attest that it passed or failed an audit, and peers ask `isAuthorized` before they
/// talk to it. An attestation that lapses suspends the node by itself after a grace period; ejection takes several auditors.
/// @dev The chain cannot check that an applicant holds the key of the peer id that it names (Ed25519 has no precompile), so a
/// stranger may apply with another's peer id. It gains nothing: an auditor must check, before the first pass, that the peer
/// behind the id confirms owner and operator (libp2p handshake, or a statement signed by the peer key to which `evidence`
/// commits). A peer id belongs for good to whoever applied with it first; a node whose id was squatted makes a new key.
/// One auditor alone can warn and suspend, which the next pass undoes; only a quorum ejects, which is final.
/// The auditors are those of the genesis; changing them is for a later version of this contract.
/// Predeploy at 0x4e43000000000000000000000000000000000001.
contract NodeRegistry is INodeRegistry {
    /// @dev The votes to eject a node that count together.
    struct EjectionRound {
        uint32 round;
        uint8 votes;
        uint64 openedAt;
    }

    /// @notice Kind of a Data Service Provider.
    uint8 public constant KIND_DSP = 0;
    /// @notice Kind of a node that its owner brings for its own data.
    uint8 public constant KIND_BYON = 1;
    /// @notice The largest peer id, in bytes.
    uint256 public constant MAX_PEER_ID_BYTES = 64;
    /// @notice The largest number of addresses.
    uint256 public constant MAX_ADDRESSES = 8;
    /// @notice The largest address, in bytes.
    uint256 public constant MAX_ADDRESS_BYTES = 128;
    /// @notice The largest page of `nodesPaged`, in nodes.
    uint256 public constant MAX_PAGE = 100;
    /// @notice How long a node stays authorized after its attestation lapsed, in seconds.
    uint64 public constant GRACE_PERIOD = 7 days;
    /// @notice The longest validity of an attestation, in seconds: a yearly audit and some slack.
    uint64 public constant MAX_VALIDITY = 400 days;
    /// @notice How long the votes of an ejection round count together, in seconds.
    uint64 public constant VOTING_PERIOD = 30 days;

    /// @notice The number of distinct auditors whose votes eject a node.
    uint8 public ejectionQuorum;
    /// @notice Whether an account is an accredited auditor.
    mapping(address account => bool) public isAuditor;

    address[] private _auditors;
    bytes32[] private _nodeIds;
    mapping(bytes32 nodeId => Node) private _nodes;
    mapping(bytes32 nodeId => EjectionRound) private _ejectionRounds;
    mapping(bytes32 nodeId => mapping(uint32 round => mapping(address auditor => bool))) private _hasVoted;

    modifier onlyAuditor() {
        if (!isAuditor[msg.sender]) revert NotAuditor(msg.sender);
        _;
    }

    /// @param auditors_ the accredited auditors: distinct, not zero, at least one
    /// @param ejectionQuorum_ how many of them eject a node, at least 1
    constructor(address[] memory auditors_, uint8 ejectionQuorum_) {
        if (auditors_.length == 0) revert InvalidAuditor(address(0));
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

    /// @inheritdoc INodeRegistry
    function submitApplication(Application calldata application) external returns (bytes32 nodeId) {
        uint256 size = application.peerId.length;
        if (size == 0 || size > MAX_PEER_ID_BYTES) revert InvalidPeerId(size, MAX_PEER_ID_BYTES);
        if (application.kind > KIND_BYON) revert InvalidKind(application.kind);
        if (application.operator == address(0)) revert ZeroOperator();

        nodeId = keccak256(application.peerId);
        Node storage node = _nodes[nodeId];
        if (node.status == Status.None) {
            _nodeIds.push(nodeId);
            node.peerId = application.peerId;
            node.owner = msg.sender;
        } else {
            if (node.status != Status.Left) revert NodeStatusForbids(nodeId, uint8(_effectiveStatus(node)));
            if (node.owner != msg.sender) revert NotNodeOwner(nodeId, msg.sender);
        }
        _setAddresses(node, application.addresses);
        node.operator = application.operator;
        node.kind = application.kind;
        node.status = Status.Applied;
        node.appliedAt = uint64(block.timestamp);
        node.evidence = application.evidence;
        emit NodeApplied(
            nodeId, msg.sender, application.operator, application.kind, application.peerId, application.evidence
        );
    }

    /// @inheritdoc INodeRegistry
    function attest(bytes32 nodeId, bool pass, uint64 validUntil, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        Status status = _requireMember(nodeId);
        if (pass) {
            uint64 latest = uint64(block.timestamp) + MAX_VALIDITY;
            if (validUntil <= block.timestamp || validUntil > latest) revert InvalidValidity(validUntil, latest);
            node.status = Status.Active;
            node.validUntil = validUntil;
        } else {
            node.status = status == Status.Active ? Status.Warned : Status.Suspended;
            if (validUntil < node.validUntil) node.validUntil = validUntil;
        }
        node.attestedAt = uint64(block.timestamp);
        node.auditor = msg.sender;
        node.attestation = evidence;
        emit NodeAttested(nodeId, msg.sender, pass, node.status, node.validUntil, evidence);
    }

    /// @inheritdoc INodeRegistry
    function eject(bytes32 nodeId, uint16 reason, bytes32 evidence) external onlyAuditor {
        Node storage node = _nodes[nodeId];
        if (node.status == Status.None) revert NodeUnknown(nodeId);
        if (node.status == Status.Ejected) revert NodeStatusForbids(nodeId, uint8(Status.Ejected));

        EjectionRound storage current = _ejectionRounds[nodeId];
        if (current.votes == 0 || block.timestamp > current.openedAt + VOTING_PERIOD) {
            current.round++;
            current.votes = 0;
            current.openedAt = uint64(block.timestamp);
        }
        uint32 round = current.round;
        if (_hasVoted[nodeId][round][msg.sender]) revert AlreadyVoted(nodeId, round, msg.sender);
        _hasVoted[nodeId][round][msg.sender] = true;
        current.votes++;
        emit EjectionVoted(nodeId, msg.sender, round, current.votes, reason, evidence);
        if (current.votes < ejectionQuorum) return;

        node.status = Status.Ejected;
        node.validUntil = 0;
        emit NodeEjected(nodeId, round, reason, evidence);
    }

    /// @inheritdoc INodeRegistry
    function leaveNetwork(bytes32 nodeId) external {
        Node storage node = _nodes[nodeId];
        _requireMember(nodeId);
        if (msg.sender != node.owner) revert NotNodeOwner(nodeId, msg.sender);
        node.status = Status.Left;
        node.validUntil = 0;
        emit NodeLeft(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function setAddresses(bytes32 nodeId, string[] calldata addresses) external {
        Node storage node = _nodes[nodeId];
        _requireMember(nodeId);
        if (msg.sender != node.owner && msg.sender != node.operator) revert NotNodeController(nodeId, msg.sender);
        _setAddresses(node, addresses);
        emit NodeAddressesChanged(nodeId, addresses);
    }

    /// @inheritdoc INodeRegistry
    function isAuthorized(bytes calldata peerId) external view returns (bool) {
        Status status = _effectiveStatus(_nodes[keccak256(peerId)]);
        return status == Status.Active || status == Status.Warned;
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(bytes calldata peerId) external view returns (Node memory) {
        return _read(keccak256(peerId));
    }

    /// @inheritdoc INodeRegistry
    function nodeById(bytes32 nodeId) external view returns (Node memory) {
        return _read(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function nodeCount() external view returns (uint256) {
        return _nodeIds.length;
    }

    /// @inheritdoc INodeRegistry
    function nodesPaged(uint256 offset, uint256 limit) external view returns (Node[] memory nodes) {
        uint256 count = _nodeIds.length;
        uint256 rest = offset < count ? count - offset : 0;
        uint256 size = limit < MAX_PAGE ? limit : MAX_PAGE;
        if (size > rest) size = rest;
        nodes = new Node[](size);
        for (uint256 i = 0; i < size; i++) {
            nodes[i] = _read(_nodeIds[offset + i]);
        }
    }

    /// @inheritdoc INodeControllers
    function controllersOf(bytes32 nodeId) external view returns (address owner, address operator) {
        Node storage node = _nodes[nodeId];
        return (node.owner, node.operator);
    }

    /// @inheritdoc INodeRegistry
    function auditors() external view returns (address[] memory) {
        return _auditors;
    }

    /// @inheritdoc INodeRegistry
    function ejectionRoundOf(bytes32 nodeId) external view returns (uint32 round, uint8 votes, uint64 closesAt) {
        EjectionRound storage current = _ejectionRounds[nodeId];
        if (current.round != 0) closesAt = current.openedAt + VOTING_PERIOD;
        return (current.round, current.votes, closesAt);
    }

    /// @dev The stored status, with a lapsed attestation counted as Suspended. The sum fits: `attest` bounds validUntil.
    function _effectiveStatus(Node storage node) private view returns (Status) {
        Status status = node.status;
        if (status != Status.Active && status != Status.Warned) return status;
        return block.timestamp > node.validUntil + GRACE_PERIOD ? Status.Suspended : status;
    }

    /// @dev Returns the effective status of a node that exists and has neither left nor been ejected.
    function _requireMember(bytes32 nodeId) private view returns (Status status) {
        status = _effectiveStatus(_nodes[nodeId]);
        if (status == Status.None) revert NodeUnknown(nodeId);
        if (status == Status.Left || status == Status.Ejected) revert NodeStatusForbids(nodeId, uint8(status));
    }

    function _setAddresses(Node storage node, string[] calldata addresses) private {
        if (addresses.length > MAX_ADDRESSES) revert TooManyAddresses(addresses.length, MAX_ADDRESSES);
        delete node.addresses;
        for (uint256 i = 0; i < addresses.length; i++) {
            uint256 size = bytes(addresses[i]).length;
            if (size == 0 || size > MAX_ADDRESS_BYTES) revert InvalidAddress(i, size, MAX_ADDRESS_BYTES);
            node.addresses.push(addresses[i]);
        }
    }

    function _read(bytes32 nodeId) private view returns (Node memory node) {
        node = _nodes[nodeId];
        node.status = _effectiveStatus(_nodes[nodeId]);
    }
}
