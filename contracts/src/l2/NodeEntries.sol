// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {AuditorSet} from "./AuditorSet.sol";
import {
    DepositTooSmall,
    InvalidAddress,
    InvalidKind,
    InvalidPeerId,
    InvalidStatement,
    NodeStatusForbids,
    NodeUnknown,
    TooManyAddresses,
    ZeroOperator
} from "./Errors.sol";
import {INodeRegistry} from "./INodeRegistry.sol";

/// @title NodeEntries: what the NodeRegistry keeps, and how it stays consistent
/// @notice Entries by id, who holds a peer id, which entries are members and which wait, and the deposits of applications.
abstract contract NodeEntries is AuditorSet {
    using EnumerableSet for EnumerableSet.Bytes32Set;

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
    /// @notice The largest page, in nodes.
    uint256 public constant MAX_PAGE = 100;
    /// @notice The size of a statement, in bytes: an Ed25519 signature.
    uint256 public constant STATEMENT_BYTES = 64;
    /// @notice How long a node stays authorized after its attestation lapsed, in seconds.
    uint64 public constant GRACE_PERIOD = 7 days;
    /// @notice How long an ejected node still serves what it holds, in seconds, unless it is ejected at once.
    uint64 public constant DRAIN_PERIOD = 30 days;
    /// @notice What an application deposits, times one more than applications wait, in wei. A thousand that wait cost the next one
    /// a thousand times as much: nobody buries the auditors for little.
    uint256 public constant DEPOSIT_STEP_WEI = 0.001 ether;

    /// @notice The entry that an auditor passed last for a peer id; zero when none ever was.
    mapping(bytes32 peerHash => bytes32 nodeId) public holderOf;
    /// @notice What an account may claim, in wei.
    mapping(address account => uint256) public owedWei;

    mapping(bytes32 nodeId => INodeRegistry.Node) internal _nodes;
    mapping(bytes32 nodeId => uint32) internal _ejectionsDecided;
    EnumerableSet.Bytes32Set internal _members;
    EnumerableSet.Bytes32Set internal _pending;
    /// @dev The vote that ejected a node last: who cast it does not judge the appeal.
    mapping(bytes32 nodeId => Ballot) internal _ejectedBy;

    /// @dev What the interface says of it.
    function depositRequired() public view virtual returns (uint256) {
        return DEPOSIT_STEP_WEI * (1 + _pending.length());
    }

    function _checkApplication(INodeRegistry.Application calldata application) internal view {
        uint256 size = application.peerId.length;
        if (size == 0 || size > MAX_PEER_ID_BYTES) revert InvalidPeerId(size, MAX_PEER_ID_BYTES);
        if (application.kind > KIND_BYON) revert InvalidKind(application.kind);
        if (application.operator == address(0)) revert ZeroOperator();
        if (application.statement.length != STATEMENT_BYTES) revert InvalidStatement(application.statement.length);
        uint256 required = NodeEntries.depositRequired();
        if (msg.value < required || msg.value > type(uint128).max) revert DepositTooSmall(msg.value, required);
    }

    /// @dev The only place where a status changes: the two sets follow it.
    function _moveTo(bytes32 nodeId, INodeRegistry.Node storage node, INodeRegistry.Status status) internal {
        node.status = status;
        _pending.remove(nodeId);
        bool isMember = status == INodeRegistry.Status.Active || status == INodeRegistry.Status.Warned;
        if (isMember) _members.add(nodeId);
        else _members.remove(nodeId);
    }

    /// @dev A decided application's deposit comes free, or stays here for ever.
    function _releaseDeposit(bytes32 nodeId, INodeRegistry.Node storage node, bool forfeited) internal {
        uint256 amountWei = node.depositWei;
        if (amountWei == 0) return;
        node.depositWei = 0;
        if (!forfeited) owedWei[node.owner] += amountWei;
        emit INodeRegistry.DepositReleased(nodeId, node.owner, amountWei, forfeited);
    }

    /// @dev The stored status, with a lapsed attestation counted as Suspended and a draining node as Ejected when its time is over.
    /// The sums fit: `attest` bounds validUntil, and ejectedAt is a block's time.
    function _effectiveStatus(INodeRegistry.Node storage node) internal view returns (INodeRegistry.Status) {
        INodeRegistry.Status status = node.status;
        if (status == INodeRegistry.Status.Draining && block.timestamp > node.ejectedAt + DRAIN_PERIOD) {
            return INodeRegistry.Status.Ejected;
        }
        if (status != INodeRegistry.Status.Active && status != INodeRegistry.Status.Warned) return status;
        return block.timestamp > node.validUntil + GRACE_PERIOD ? INodeRegistry.Status.Suspended : status;
    }

    function _isMember(bytes32 nodeId) internal view returns (bool) {
        INodeRegistry.Status status = _effectiveStatus(_nodes[nodeId]);
        return status == INodeRegistry.Status.Active || status == INodeRegistry.Status.Warned;
    }

    /// @dev Returns the effective status of a node that exists and has neither left nor been ejected; it may drain.
    function _requireServing(bytes32 nodeId) internal view returns (INodeRegistry.Status status) {
        status = _effectiveStatus(_nodes[nodeId]);
        if (status == INodeRegistry.Status.None) revert NodeUnknown(nodeId);
        if (status == INodeRegistry.Status.Left || status == INodeRegistry.Status.Ejected) {
            revert NodeStatusForbids(nodeId, uint8(status));
        }
    }

    /// @dev Returns the effective status of a node that exists, has not left, and whose ejection is not decided.
    function _requireMember(bytes32 nodeId) internal view returns (INodeRegistry.Status status) {
        status = _requireServing(nodeId);
        if (status == INodeRegistry.Status.Draining) revert NodeStatusForbids(nodeId, uint8(status));
    }

    function _setAddresses(INodeRegistry.Node storage node, string[] calldata addresses) internal {
        if (addresses.length > MAX_ADDRESSES) revert TooManyAddresses(addresses.length, MAX_ADDRESSES);
        delete node.addresses;
        for (uint256 i = 0; i < addresses.length; i++) {
            uint256 size = bytes(addresses[i]).length;
            if (size == 0 || size > MAX_ADDRESS_BYTES) revert InvalidAddress(i, size, MAX_ADDRESS_BYTES);
            node.addresses.push(addresses[i]);
        }
    }

    function _page(EnumerableSet.Bytes32Set storage set, uint256 offset, uint256 limit)
        internal
        view
        returns (INodeRegistry.Node[] memory nodes)
    {
        uint256 count = set.length();
        uint256 rest = offset < count ? count - offset : 0;
        uint256 size = limit < MAX_PAGE ? limit : MAX_PAGE;
        if (size > rest) size = rest;
        nodes = new INodeRegistry.Node[](size);
        for (uint256 i = 0; i < size; i++) {
            nodes[i] = _read(set.at(offset + i));
        }
    }

    function _read(bytes32 nodeId) internal view returns (INodeRegistry.Node memory node) {
        node = _nodes[nodeId];
        node.status = _effectiveStatus(_nodes[nodeId]);
    }
}
