// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {NothingToPay, NotOwedEnough, NotStakeOwner, PaymentFailed} from "./Errors.sol";
import {EntryCosts, Stake} from "./RollupTypes.sol";

/// @title Stakes: what the Rollup's stakers have locked, and what is owed
/// @notice Every wei that comes in is locked in a live stake, owed to an account, or burned; nothing else leaves. Payments are
/// pulled, so that no account can refuse one and hold up a dispute.
abstract contract Stakes is ReentrancyGuardTransient {
    /// @notice The part of a lost stake that may refund its opponents' transactions, in percent.
    uint256 public constant MAX_REFUND_PERCENT = 80;
    /// @notice The part of a lost stake that goes to the winner besides, in percent.
    uint256 public constant REWARD_PERCENT = 10;

    /// @notice What an account may claim, in wei.
    mapping(address account => uint256) public owedWei;
    /// @notice All that is locked in live stakes, in wei.
    uint256 public lockedWei;
    /// @notice All that is owed, in wei.
    uint256 public totalOwedWei;
    /// @notice All that was burned so far, in wei. It stays in this contract, which has no way to give it out.
    uint256 public burnedWei;

    Stake[] internal _stakes;

    /// @notice A stake was made.
    event Staked(uint256 indexed stakeId, address indexed owner, address signer, bytes32 standsOn, uint256 amountWei);
    /// @notice A stake was given back, to be claimed.
    event StakeReturned(uint256 indexed stakeId, address indexed owner, uint256 amountWei);
    /// @notice A stake lost a challenge.
    event StakeEliminated(
        uint256 indexed loserId, uint256 indexed winnerId, uint256 refundWei, uint256 rewardWei, uint256 burnedWei
    );
    /// @notice An account gave another what it is owed.
    event Assigned(address indexed from, address indexed to, uint256 amountWei);
    /// @notice An account took what it was owed.
    event Claimed(address indexed account, uint256 amountWei);

    /// @notice Pays out what an account is owed. Anyone may call it; only the account is paid.
    /// @param account the account
    function claim(address account) external nonReentrant {
        uint256 amountWei = owedWei[account];
        if (amountWei == 0) revert NothingToPay(account);
        owedWei[account] = 0;
        totalOwedWei -= amountWei;
        emit Claimed(account, amountWei);
        // slither-disable-next-line arbitrary-send-eth,low-level-calls
        (bool sent,) = account.call{value: amountWei}("");
        if (!sent) revert PaymentFailed(account, amountWei);
    }

    /// @notice Has another account owed what the caller is owed: a ChallengeManager divides refunds by it.
    /// @param account the account
    /// @param amountWei how much, in wei
    function assign(address account, uint256 amountWei) external {
        uint256 ownWei = owedWei[msg.sender];
        if (amountWei > ownWei) revert NotOwedEnough(msg.sender, ownWei, amountWei);
        owedWei[msg.sender] = ownWei - amountWei;
        owedWei[account] += amountWei;
        emit Assigned(msg.sender, account, amountWei);
    }

    /// @notice Whether both stakes are live.
    /// @param stakeId one stake
    /// @param otherId another
    function areLive(uint256 stakeId, uint256 otherId) public view returns (bool) {
        uint256 count = _stakes.length;
        return stakeId < count && otherId < count && _stakes[stakeId].isLive && _stakes[otherId].isLive;
    }

    /// @notice A stake by its id; all zero when there is none.
    /// @param stakeId the stake
    function stakeOf(uint256 stakeId) external view returns (Stake memory stake) {
        if (stakeId < _stakes.length) stake = _stakes[stakeId];
    }

    /// @notice The number of stakes ever made.
    function stakeCount() external view returns (uint256) {
        return _stakes.length;
    }

    function _addStake(address signer, bytes32 standsOn) internal returns (uint256 stakeId) {
        stakeId = _stakes.length;
        _stakes.push(Stake(msg.sender, signer, standsOn, uint128(msg.value), true, false));
        lockedWei += msg.value;
        emit Staked(stakeId, msg.sender, signer, standsOn, msg.value);
    }

    /// @dev The caller's own live stake.
    function _ownStake(uint256 stakeId) internal view returns (Stake storage stake) {
        if (stakeId >= _stakes.length) revert NotStakeOwner(stakeId, msg.sender);
        stake = _stakes[stakeId];
        if (stake.owner != msg.sender || !stake.isLive) revert NotStakeOwner(stakeId, msg.sender);
    }

    function _isEliminated(uint256 stakeId) internal view returns (bool) {
        return stakeId < _stakes.length && _stakes[stakeId].isEliminated;
    }

    function _returnStake(uint256 stakeId) internal {
        Stake storage stake = _stakes[stakeId];
        stake.isLive = false;
        lockedWei -= stake.amountWei;
        _owe(stake.owner, stake.amountWei);
        emit StakeReturned(stakeId, stake.owner, stake.amountWei);
    }

    /// @dev Splits a lost stake: refunds and reward to the winner's owner, the refunds of others to the caller, who divides them, the
    /// rest burned, so that losing to a friend costs it too.
    function _eliminate(uint256 loserId, uint256 winnerId, EntryCosts calldata costs)
        internal
        returns (uint256 othersWei)
    {
        Stake storage loser = _stakes[loserId];
        uint256 amountWei = loser.amountWei;
        uint256 refundWei = amountWei * MAX_REFUND_PERCENT / 100;
        if (costs.allWei < refundWei) refundWei = costs.allWei;
        uint256 winnersWei = refundWei == 0 ? 0 : refundWei * costs.winnersWei / costs.allWei;
        othersWei = refundWei - winnersWei;
        uint256 rewardWei = amountWei * REWARD_PERCENT / 100;
        uint256 restWei = amountWei - refundWei - rewardWei;
        loser.isLive = false;
        loser.isEliminated = true;
        lockedWei -= amountWei;
        burnedWei += restWei;
        _owe(_stakes[winnerId].owner, winnersWei + rewardWei);
        if (othersWei != 0) _owe(msg.sender, othersWei);
        emit StakeEliminated(loserId, winnerId, refundWei, rewardWei, restWei);
    }

    function _owe(address account, uint256 amountWei) private {
        owedWei[account] += amountWei;
        totalOwedWei += amountWei;
    }
}
