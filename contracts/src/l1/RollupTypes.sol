// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice G: a point in the execution of L2.
/// @param blockHash hash of the last L2 block
/// @param sendRoot root of the tree of messages from L2 to L1 after that block
/// @param batch the batch that is executed next
/// @param offset how many of its blocks are executed already
struct GlobalState {
    bytes32 blockHash;
    bytes32 sendRoot;
    uint64 batch;
    uint64 offset;
}

/// @notice By which rules the children of a node are asserted and disputed.
/// @param machine hash of what the machine must know of the chain and no hash of the chain says: it opens it by this word
/// @param core0 hash of the empty machine with that image, CORE0 of the challenge
/// @param verifier checks the proof of one step; zero while there are no challenges
/// @param challengeManager may eliminate stakers; zero while there are no challenges
/// @param stakeWei what a staker locks
/// @param periodS the challenge period P, in seconds
/// @param intervalS the shortest time between a node and its child, in seconds
struct RollupConfig {
    bytes32 machine;
    bytes32 core0;
    address verifier;
    address challengeManager;
    uint128 stakeWei;
    uint64 periodS;
    uint64 intervalS;
}

/// @notice Where a node of the Rollup stands.
enum NodeStatus {
    None,
    Live,
    Dead,
    Confirmed
}

/// @notice An assertion. Times are those of the freeze clock.
/// @param parent the assertion that it continues
/// @param stateHash keccak256(abi.encode(GlobalState))
/// @param batch GlobalState.batch
/// @param offset GlobalState.offset
/// @param target the batch to which its children go
/// @param createdAt when it was created
/// @param firstChildAt when the present window of its children opened; 0 without a live child
/// @param lastChildAt when the newest child of this window came
/// @param lastDeathAt when a child last lost its last backer
/// @param configId the SystemConfig's number of the config of its children
/// @param liveChildren children that are neither dead nor confirmed, or the confirmed one
/// @param windowChildren children that came in this window
/// @param backers stakes that back it and are not pruned
/// @param status see NodeStatus
struct Node {
    bytes32 parent;
    bytes32 stateHash;
    uint64 batch;
    uint64 offset;
    uint64 target;
    uint64 createdAt;
    uint64 firstChildAt;
    uint64 lastChildAt;
    uint64 lastDeathAt;
    uint32 configId;
    uint32 liveChildren;
    uint32 windowChildren;
    uint32 backers;
    NodeStatus status;
}

/// @notice A stake. It backs every node from the one where it began to the one where it stands.
/// @param owner who steps with it and gets it back
/// @param signer who signs the owner's messages in challenges
/// @param standsOn the node where it stands
/// @param amountWei what is locked
/// @param isLive false once it is eliminated or withdrawn
/// @param isEliminated true once it lost a challenge
struct Stake {
    address owner;
    address signer;
    bytes32 standsOn;
    uint128 amountWei;
    bool isLive;
    bool isEliminated;
}

/// @notice What the transactions of a lost stake's opponents cost, as the ChallengeManager counted them.
/// @param allWei those of all opponents
/// @param winnersWei those of the one who won, a part of allWei
struct EntryCosts {
    uint128 allWei;
    uint128 winnersWei;
}
