// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors of the L2 predeploys
/// @notice One place for every reason for which a call to a predeploy is refused; each carries the facts that explain it.

/// @dev The registry's constructor got no usable set of auditors: an empty, zero or repeated account.
/// @param auditor the offending account; zero also for an empty list
error InvalidAuditor(address auditor);

/// @dev The ejection quorum is zero or larger than the number of auditors.
/// @param quorum the quorum given
/// @param auditorCount the number of auditors
error InvalidQuorum(uint8 quorum, uint256 auditorCount);

/// @dev The caller is not an accredited auditor.
/// @param caller the account that called
error NotAuditor(address caller);

/// @dev The caller is not the owner of the node.
/// @param nodeId the node
/// @param caller the account that called
error NotNodeOwner(bytes32 nodeId, address caller);

/// @dev The caller is neither the owner nor the operator of the node.
/// @param nodeId the node
/// @param caller the account that called
error NotNodeController(bytes32 nodeId, address caller);

/// @dev No node has this id.
/// @param nodeId the id
error NodeUnknown(bytes32 nodeId);

/// @dev The node's status does not allow the call.
/// @param nodeId the node
/// @param status the status, as the number of NodeRegistry.Status
error NodeStatusForbids(bytes32 nodeId, uint8 status);

/// @dev A peer id is empty or longer than MAX_PEER_ID_BYTES.
/// @param size the size, in bytes
/// @param maxSize the largest size, in bytes
error InvalidPeerId(uint256 size, uint256 maxSize);

/// @dev A node has more addresses than MAX_ADDRESSES.
/// @param count the number of addresses
/// @param maxCount the largest number
error TooManyAddresses(uint256 count, uint256 maxCount);

/// @dev An address is empty or longer than MAX_ADDRESS_BYTES.
/// @param index its place in the list
/// @param size its size, in bytes
/// @param maxSize the largest size, in bytes
error InvalidAddress(uint256 index, uint256 size, uint256 maxSize);

/// @dev The kind of a node is neither KIND_DSP nor KIND_BYON.
/// @param kind the kind given
error InvalidKind(uint8 kind);

/// @dev An application names no operator.
error ZeroOperator();

/// @dev A passing attestation must be valid beyond now and no longer than MAX_VALIDITY.
/// @param validUntil the end of validity given, in seconds since 1970
/// @param latest the latest end allowed now, in seconds since 1970
error InvalidValidity(uint64 validUntil, uint64 latest);

/// @dev The auditor has voted in this round already.
/// @param nodeId the node
/// @param round the round
/// @param auditor the auditor
error AlreadyVoted(bytes32 nodeId, uint32 round, address auditor);

/// @dev The zero hash commits to nothing and cannot be anchored.
error ZeroRoot();

/// @dev This owner has anchored this root already.
/// @param owner the owner
/// @param root the root
/// @param blockNumber the L2 block in which it was anchored
error AlreadyAnchored(address owner, bytes32 root, uint256 blockNumber);

/// @dev A checkpoint of an empty log says nothing.
/// @param nodeId the node
error CheckpointEmpty(bytes32 nodeId);

/// @dev The checkpoint is smaller than the latest: the log would have been cut.
/// @param nodeId the node
/// @param size the size given, in leaves
/// @param latestSize the size of the latest checkpoint, in leaves
error CheckpointShrinks(bytes32 nodeId, uint64 size, uint64 latestSize);

/// @dev The checkpoint has the size of the latest and another root: the log would have been forked.
/// @param nodeId the node
/// @param size the size, in leaves
/// @param latestRoot the root anchored at this size
/// @param root the root given
error CheckpointForks(bytes32 nodeId, uint64 size, bytes32 latestRoot, bytes32 root);

/// @dev There is no checkpoint at this place.
/// @param nodeId the node
/// @param index the index asked for
/// @param count the number of checkpoints
error CheckpointUnknown(bytes32 nodeId, uint256 index, uint256 count);

/// @dev A constructor argument that must be a contract is the zero address.
error ZeroAddress();

/// @dev The data of a message is larger than MAX_DATA_BYTES.
/// @param size the size, in bytes
/// @param maxSize the largest size, in bytes
error MessageDataTooLarge(uint256 size, uint256 maxSize);

/// @dev The tree has 2^32 messages.
error MessageTreeFull();

/// @dev A statement is not an Ed25519 signature of 64 bytes.
/// @param size its size, in bytes
error InvalidStatement(uint256 size);

/// @dev An application deposits too little.
/// @param amountWei what was sent, in wei
/// @param requiredWei what is asked for, in wei
error DepositTooSmall(uint256 amountWei, uint256 requiredWei);

/// @dev Another entry holds the peer id and is a member.
/// @param peerHash keccak256 of the peer id
/// @param holder the entry that holds it
error PeerHeld(bytes32 peerHash, bytes32 holder);

/// @dev The holder of the peer id was ejected.
/// @param peerHash keccak256 of the peer id
/// @param holder the entry that holds it
error PeerEjected(bytes32 peerHash, bytes32 holder);

/// @dev The auditor that warned the node does not suspend it in the grace period too.
/// @param nodeId the node
/// @param auditor the auditor
/// @param allowedAt from when on it may, in seconds since 1970
error WarnedAlready(bytes32 nodeId, address auditor, uint64 allowedAt);

/// @dev The attestation has not lapsed.
/// @param nodeId the node
/// @param lapsesAt the last second in which it is authorized, in seconds since 1970
error NotLapsed(bytes32 nodeId, uint64 lapsesAt);

/// @dev An ejection needs a reason code and the hash of its evidence.
error ReasonMissing();

/// @dev The time for it is over, or it was done already.
/// @param nodeId the node
/// @param endedAt the last second in which it was allowed; 0 when it never was
error AppealClosed(bytes32 nodeId, uint64 endedAt);

/// @dev An application may be withdrawn only later.
/// @param nodeId the node
/// @param allowedAt from when on, in seconds since 1970
error ApplicationTooYoung(bytes32 nodeId, uint64 allowedAt);

/// @dev There is nothing to pay to the account.
/// @param account the account
error NothingToPay(address account);

/// @dev ETH could not be sent.
/// @param to the account
/// @param amountWei the amount, in wei
error PaymentFailed(address to, uint256 amountWei);

/// @dev No such change of the auditors is decided.
/// @param account whom it would concern
/// @param add what it would be
error AuditorChangeUnknown(address account, bool add);

/// @dev A decided change of the auditors still waits.
/// @param account whom it concerns
/// @param dueAt from when on it may be executed, in seconds since 1970
error AuditorChangeNotDue(address account, uint64 dueAt);

/// @dev A log does not grow that fast.
/// @param nodeId the node
/// @param size the size given, in leaves
/// @param maxSize the largest size that is taken now
error CheckpointLeaps(bytes32 nodeId, uint64 size, uint64 maxSize);

/// @notice An auditor who voted for an ejection does not judge the appeal against it.
/// @param nodeId the entry
/// @param auditor the caller
error VotedForEjection(bytes32 nodeId, address auditor);
