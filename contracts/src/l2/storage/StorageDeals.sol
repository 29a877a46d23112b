// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {
    AmountLocked,
    AskedAlready,
    CollateralTooSmall,
    DeadlineIs,
    DealOpen,
    DealOver,
    NoChallenge,
    NoQuestion,
    NotEnded,
    NothingStored,
    NotParty,
    NotUnpaid,
    RateTooHigh,
    SetStale,
    TermsStale,
    WrongAnswer,
    WrongParties,
    WrongSet,
    WrongSignature,
    WrongValue
} from "./DealErrors.sol";
import {DealEpochs} from "./DealEpochs.sol";
import {Challenge, Deal, Terms} from "./DealTypes.sol";
import {Answer, ShardProof} from "./ShardProof.sol";

/// @title StorageDeals: what an owner pays a holder, and what the holder loses when it does not prove what it holds
/// @notice One entry for a pair, whatever it stores: the chain learns who pays whom, the rate and bytes in sum. State table and what
/// nobody can do: docs/design/0036-storage-deals.md.
contract StorageDeals is DealEpochs, EIP712 {
    /// @notice Notice that a party gives, and what an owner keeps prepaid, in seconds and epochs.
    uint64 public constant NOTICE_S = 30 days;
    uint64 public constant LOCKUP_EPOCHS = 30;
    /// @notice Epochs for which a deal may go unpaid: the shards are still read, and after that the holder may leave.
    uint64 public constant UNPAID_EPOCHS = 30;
    /// @notice What the holder's collateral has to cover, in epochs of the rate.
    uint64 public constant COLLATERAL_EPOCHS = 90;
    /// @notice Time to answer a challenge, in seconds.
    uint64 public constant ANSWER_S = 24 hours;
    /// @notice Questions of a challenge.
    uint8 public constant QUESTIONS = 5;
    /// @notice What a challenge costs the owner when it is answered, in wei: more than the answers cost the holder.
    uint256 public constant BOND_WEI = 0.002 ether;
    /// @notice The highest rate and the largest set: with them no sum overflows for a century, and no deal gets stuck.
    uint128 public constant MAX_RATE = 2 ** 96;
    uint64 public constant MAX_SET_BYTES = 2 ** 56;

    bytes32 private constant TERMS_TYPE = keccak256(
        "Terms(address owner,address holder,address payout,address token,uint128 ratePerTiBDay,uint32 generation,uint64 validUntil)"
    );
    bytes32 private constant SET_TYPE =
        keccak256("Set(bytes32 deal,uint32 generation,uint64 seq,bytes32 root,uint64 size)");
    uint8 private constant ALL_ANSWERED = uint8((1 << QUESTIONS) - 1);

    mapping(bytes32 dealId => mapping(uint32 generation => mapping(uint64 epoch => bool))) private _asked;

    /// @notice A deal began.
    event Opened(bytes32 indexed dealId, address indexed owner, address indexed holder, uint32 generation, Terms terms);
    /// @notice Prepaid money came or went.
    event BalanceChanged(bytes32 indexed dealId, uint256 balance);
    /// @notice Collateral came or went.
    event CollateralChanged(bytes32 indexed dealId, uint256 collateral);
    /// @notice A set was posted; it is in force from `fromEpoch` on.
    event SetPosted(bytes32 indexed dealId, uint64 indexed seq, bytes32 root, uint64 size, uint64 fromEpoch);
    /// @notice Questions were asked.
    event Challenged(bytes32 indexed dealId, uint64 indexed epoch, bytes32 seed, uint64 deadline);
    /// @notice A question was answered.
    event Answered(bytes32 indexed dealId, uint64 indexed epoch, uint8 question);
    /// @notice Questions stayed unanswered: the epoch is not paid, and so much of the collateral is the owner's.
    event Faulted(bytes32 indexed dealId, uint64 indexed epoch, uint8 unanswered, uint256 slashed);
    /// @notice A party gave notice, or the owner let the holder go.
    event Ending(bytes32 indexed dealId, uint64 endsAt);
    /// @notice The deal is over.
    event Closed(bytes32 indexed dealId, uint256 toOwner, uint256 toHolder);

    constructor() EIP712("Nectar StorageDeals", "1") {}

    /// @notice Opens a deal on terms that the holder signed. The caller is the owner.
    function open(Terms calldata terms, bytes calldata holderSignature) external returns (bytes32 dealId) {
        (address owner, address holder) = (terms.owner, terms.holder);
        if (owner == address(0) || holder == address(0) || owner == holder || terms.payout == address(0)) {
            revert WrongParties(owner, holder);
        }
        dealId = idOf(owner, holder);
        if (msg.sender != owner) revert NotParty(dealId, msg.sender);
        if (_deals[dealId].openedAt != 0) revert DealOpen(dealId);
        if (terms.ratePerTiBDay > MAX_RATE) revert RateTooHigh(terms.ratePerTiBDay, MAX_RATE);
        uint32 generation = generationOf[dealId];
        if (terms.generation != generation || block.timestamp > terms.validUntil) {
            revert TermsStale(terms.validUntil, terms.generation);
        }
        _requireSigned(holder, keccak256(abi.encode(TERMS_TYPE, terms)), holderSignature);
        Deal storage deal = _deals[dealId];
        (deal.payout, deal.token, deal.ratePerTiBDay) = (terms.payout, terms.token, terms.ratePerTiBDay);
        deal.openedAt = uint64(block.timestamp);
        emit Opened(dealId, owner, holder, generation, terms);
    }

    /// @notice Prepays. Anyone may; what is left at the end is the owner's.
    /// @param amount units of the deal's token; wei are sent along when that is L2's own coin
    function fund(bytes32 dealId, uint256 amount) external payable nonReentrant {
        Deal storage deal = _settledDeal(dealId);
        deal.balance += _toUint128(_take(deal.token, amount));
        emit BalanceChanged(dealId, deal.balance);
    }

    /// @notice Takes prepaid money back, but for 30 days of the rate.
    function withdraw(address holder, uint256 amount) external {
        bytes32 dealId = idOf(msg.sender, holder);
        Deal storage deal = _settledDeal(dealId);
        uint256 locked = LOCKUP_EPOCHS * _payOf(deal, _mostBytes(deal));
        uint256 available = deal.balance > locked ? deal.balance - locked : 0;
        if (amount > available) revert AmountLocked(amount, available);
        deal.balance -= uint128(amount);
        _owe(deal.token, msg.sender, amount);
        emit BalanceChanged(dealId, deal.balance);
    }

    /// @notice Adds collateral. Anyone may; what is left at the end is the holder's.
    function lock(bytes32 dealId, uint256 amount) external payable nonReentrant {
        Deal storage deal = _settledDeal(dealId);
        deal.collateral += _toUint128(_take(deal.token, amount));
        emit CollateralChanged(dealId, deal.collateral);
    }

    /// @notice Takes collateral back that the bytes do not need.
    function unlock(address owner, uint256 amount) external {
        bytes32 dealId = idOf(owner, msg.sender);
        Deal storage deal = _settledDeal(dealId);
        _requireNoChallenge(dealId);
        uint256 needed = COLLATERAL_EPOCHS * _payOf(deal, _mostBytes(deal));
        uint256 available = deal.collateral > needed ? deal.collateral - needed : 0;
        if (amount > available) revert AmountLocked(amount, available);
        deal.collateral -= uint128(amount);
        _owe(deal.token, msg.sender, amount);
        emit CollateralChanged(dealId, deal.collateral);
    }

    /// @notice Posts a set that both signed; the newest number wins. Anyone may post it. It is in force from the next epoch on.
    /// @param seq above that of every set posted before
    /// @param root of the tree of the set; zero for an empty one
    /// @param size bytes of all its shards, whole leaves
    function postSet(
        address owner,
        address holder,
        uint64 seq,
        bytes32 root,
        uint64 size,
        bytes calldata ownerSignature,
        bytes calldata holderSignature
    ) external {
        bytes32 dealId = idOf(owner, holder);
        Deal storage deal = _runningDeal(dealId);
        if ((root == 0) != (size == 0) || size % ShardProof.LEAF_BYTES != 0 || size > MAX_SET_BYTES) {
            revert WrongSet(root, size);
        }
        uint64 newest = deal.nextFrom == 0 ? deal.seq : deal.nextSeq;
        if (seq <= newest) revert SetStale(seq, newest);
        bytes32 digest = keccak256(abi.encode(SET_TYPE, dealId, generationOf[dealId], seq, root, size));
        _requireSigned(owner, digest, ownerSignature);
        _requireSigned(holder, digest, holderSignature);
        uint256 needed = COLLATERAL_EPOCHS * _payOf(deal, size);
        // What shrinks is taken whatever the collateral: a slashed holder has to be able to hand bytes over.
        if (size > deal.setBytes && deal.collateral < needed) revert CollateralTooSmall(deal.collateral, needed);
        uint64 fromEpoch = _epochsBefore(deal, uint64(block.timestamp)) + 1;
        (deal.nextRoot, deal.nextBytes, deal.nextSeq, deal.nextFrom) = (root, size, seq, fromEpoch);
        emit SetPosted(dealId, seq, root, size, fromEpoch);
    }

    /// @notice Accounts for epochs that are over, MAX_SETTLED of them at most. Anyone may call it.
    function settle(bytes32 dealId) external {
        _settle(dealId, _deal(dealId));
    }

    /// @notice Asks the holder for five leaves of the set in force. The caller is the owner and sends BOND_WEI along: the holder's
    /// when it answers, the owner's again when it does not. Once an epoch.
    function challenge(address holder) external payable returns (bytes32 seed) {
        bytes32 dealId = idOf(msg.sender, holder);
        Deal storage deal = _runningDeal(dealId);
        _requireNoChallenge(dealId);
        if (msg.value != BOND_WEI) revert WrongValue(msg.value, BOND_WEI);
        if (deal.setBytes == 0) revert NothingStored(dealId);
        uint64 epoch = deal.settled;
        uint32 generation = generationOf[dealId];
        if (_asked[dealId][generation][epoch]) revert AskedAlready(dealId, epoch);
        _asked[dealId][generation][epoch] = true;
        // The set was fixed in an earlier block, so nobody chose its shards by the questions.
        bytes32 randomness = keccak256(abi.encodePacked(blockhash(block.number - 1), block.prevrandao));
        seed = keccak256(abi.encodePacked(randomness, dealId, epoch));
        uint64 deadline = uint64(block.timestamp) + ANSWER_S;
        _challenges[dealId] = Challenge(deal.setRoot, deal.setBytes, seed, epoch, deadline, 0);
        emit Challenged(dealId, epoch, seed, deadline);
    }

    /// @notice Answers one question. Anyone may, with the bytes.
    function answer(bytes32 dealId, uint8 question, Answer calldata proof) external {
        Challenge storage asked = _challenges[dealId];
        if (asked.deadline == 0) revert NoChallenge(dealId);
        if (block.timestamp > asked.deadline) revert DeadlineIs(asked.deadline);
        if (question >= QUESTIONS || (asked.answered >> question) & 1 == 1) revert NoQuestion(question);
        uint256 leaves = asked.setBytes / ShardProof.LEAF_BYTES;
        uint256 place = placeOf(asked.seed, question, leaves);
        if (!ShardProof.shows(proof, asked.setRoot, leaves, place)) revert WrongAnswer(question);
        asked.answered |= uint8(1 << question);
        emit Answered(dealId, asked.epoch, question);
        if (asked.answered != ALL_ANSWERED) return;
        delete _challenges[dealId];
        _owe(address(0), _deals[dealId].payout, BOND_WEI);
    }

    /// @notice Ends a challenge that was not answered whole in time. Anyone may call it.
    function fault(address owner, address holder) external {
        bytes32 dealId = idOf(owner, holder);
        Challenge memory asked = _challenges[dealId];
        if (asked.deadline == 0) revert NoChallenge(dealId);
        if (block.timestamp <= asked.deadline) revert DeadlineIs(asked.deadline);
        delete _challenges[dealId];
        Deal storage deal = _deals[dealId];
        uint8 unanswered = 0;
        for (uint8 question = 0; question < QUESTIONS; question++) {
            if ((asked.answered >> question) & 1 == 0) unanswered++;
        }
        uint256 slashed = uint256(deal.collateral) * unanswered / QUESTIONS;
        deal.collateral -= uint128(slashed);
        _faulted[dealId][generationOf[dealId]][asked.epoch] = true;
        _owe(deal.token, owner, slashed);
        _owe(address(0), owner, BOND_WEI);
        emit Faulted(dealId, asked.epoch, unanswered, slashed);
    }

    /// @notice Gives notice: the deal ends in 30 days. Either party may, once.
    function giveNotice(address owner, address holder) external {
        bytes32 dealId = idOf(owner, holder);
        if (msg.sender != owner && msg.sender != holder) revert NotParty(dealId, msg.sender);
        Deal storage deal = _settledDeal(dealId);
        if (deal.endsAt != 0) revert DealOver(dealId, deal.endsAt);
        _end(dealId, deal, uint64(block.timestamp) + NOTICE_S);
    }

    /// @notice Lets the holder go at once: its successors hold what it held. The caller is the owner.
    function letGo(address holder) external {
        bytes32 dealId = idOf(msg.sender, holder);
        Deal storage deal = _runningDeal(dealId);
        _requireNoChallenge(dealId);
        _end(dealId, deal, uint64(block.timestamp));
    }

    /// @notice Ends a deal that went unpaid for UNPAID_EPOCHS. The caller is the holder.
    function leaveUnpaid(address owner) external {
        bytes32 dealId = idOf(owner, msg.sender);
        Deal storage deal = _runningDeal(dealId);
        if (deal.unpaidEpochs < UNPAID_EPOCHS) revert NotUnpaid(dealId, deal.unpaidEpochs);
        _end(dealId, deal, uint64(block.timestamp));
    }

    /// @notice Closes a deal that has ended: what is left goes to whom it belongs. Anyone may call it.
    function close(address owner, address holder) external {
        bytes32 dealId = idOf(owner, holder);
        Deal storage deal = _settledDeal(dealId);
        _requireNoChallenge(dealId);
        if (deal.endsAt == 0 || block.timestamp < deal.endsAt) revert NotEnded(dealId, deal.endsAt);
        (address token, uint256 balance, uint256 collateral) = (deal.token, deal.balance, deal.collateral);
        delete _deals[dealId];
        generationOf[dealId]++;
        _owe(token, owner, balance);
        _owe(token, holder, collateral);
        emit Closed(dealId, balance, collateral);
    }

    /// @notice The id of a pair's deal.
    function idOf(address owner, address holder) public pure returns (bytes32) {
        return keccak256(abi.encode(owner, holder));
    }

    /// @notice The place, among a deal's leaves, that a question is about: protocol/storage/audit.ts draws it alike.
    function placeOf(bytes32 seed, uint8 question, uint256 leaves) public pure returns (uint256) {
        return (uint256(keccak256(abi.encodePacked(seed, uint32(question)))) >> 128) % leaves;
    }

    /// @notice A pair's deal; all zero when there is none.
    function dealOf(bytes32 dealId) external view returns (Deal memory) {
        return _deals[dealId];
    }

    /// @notice The challenge that a holder has to answer; all zero when there is none.
    function challengeOf(bytes32 dealId) external view returns (Challenge memory) {
        return _challenges[dealId];
    }

    function _end(bytes32 dealId, Deal storage deal, uint64 endsAt) private {
        deal.endsAt = endsAt;
        emit Ending(dealId, endsAt);
    }

    function _requireSigned(address account, bytes32 structHash, bytes calldata signature) private view {
        bool isSigned = SignatureChecker.isValidSignatureNow(account, _hashTypedDataV4(structHash), signature);
        if (!isSigned) revert WrongSignature(account);
    }
}
