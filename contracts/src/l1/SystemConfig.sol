// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ConfigInvalid,
    FeeFloorTooHigh,
    ForkBackwards,
    IndexOutOfRange,
    NotSteward,
    NotTimelock,
    ZeroAddress
} from "./Errors.sol";
import {IInbox} from "./IInbox.sol";
import {IPosters} from "./IPosters.sol";
import {ISystemConfig} from "./ISystemConfig.sol";
import {RollupConfig} from "./RollupTypes.sol";

/// @title SystemConfig: what may change without a new deployment, and how slowly
/// @notice Posters, validators, the Rollup's configs, and the chain's own parameters (fee floor, fork). Whatever could harm a user
/// goes through the timelock, whose delay is longer than the longest dispute; what can only take power away, the steward does at
/// once. The chain's parameters reach L2 as a message of the Inbox: a machine learns them from what it derives, and nowhere else.
contract SystemConfig is ISystemConfig, IPosters {
    /// @notice The highest fee floor, in wei per unit of gas: more could lock everybody out of L2.
    uint64 public constant MAX_FEE_FLOOR_WEI = 1_000 gwei;
    /// @notice The largest stake, in wei.
    uint128 public constant MAX_STAKE_WEI = 1_000 ether;
    /// @notice The longest challenge period, in seconds: funds on their way out must come out.
    uint64 public constant MAX_PERIOD_S = 30 days;

    /// @notice An OpenZeppelin TimelockController.
    address public immutable timelock;
    /// @notice May remove a poster and add a validator, at once.
    address public immutable steward;
    /// @notice The Inbox, through which the chain's parameters reach L2.
    IInbox public immutable inbox;

    /// @inheritdoc IPosters
    mapping(address account => bool) public isPoster;
    /// @notice Whether an account is on the list of validators.
    mapping(address account => bool) public isValidator;
    /// @notice Whether anyone may stake. Only ever turned on.
    bool public isOpenToAll;
    /// @notice The lowest base fee of L2, in wei per unit of gas.
    uint64 public feeFloorWei;
    /// @notice The number of the fork of Ethereum by whose rules L2 runs; 0 is that of the genesis.
    uint8 public fork;

    RollupConfig[] private _configs;

    /// @notice A poster was added or removed.
    event PosterSet(address indexed account, bool isPoster);
    /// @notice A validator was added or removed.
    event ValidatorSet(address indexed account, bool isValidator);
    /// @notice From now on anyone may stake.
    event OpenedToAll();
    /// @notice A config was appended; it binds nodes created from now on.
    event RollupConfigSet(uint32 indexed configId, RollupConfig config);
    /// @notice The chain's parameters changed with this message of the Inbox.
    event ChainParametersSet(uint64 feeFloorWei, uint8 fork, uint256 indexed messageIndex);

    modifier onlyTimelock() {
        if (msg.sender != timelock) revert NotTimelock(msg.sender);
        _;
    }

    modifier onlyStewardOrTimelock() {
        if (msg.sender != steward && msg.sender != timelock) revert NotSteward(msg.sender);
        _;
    }

    /// @param timelock_ the timelock, not zero
    /// @param steward_ who may only take power away, or the timelock; not zero
    /// @param inbox_ the Inbox, not zero
    /// @param poster the first poster, not zero
    /// @param validator the first validator, not zero
    /// @param config the first config of the Rollup
    constructor(
        address timelock_,
        address steward_,
        IInbox inbox_,
        address poster,
        address validator,
        RollupConfig memory config
    ) {
        if (timelock_ == address(0) || steward_ == address(0) || address(inbox_) == address(0)) {
            revert ZeroAddress();
        }
        if (poster == address(0) || validator == address(0)) revert ZeroAddress();
        timelock = timelock_;
        steward = steward_;
        inbox = inbox_;
        isPoster[poster] = true;
        emit PosterSet(poster, true);
        isValidator[validator] = true;
        emit ValidatorSet(validator, true);
        _append(config);
    }

    /// @notice Lets an account post batches.
    function addPoster(address account) external onlyTimelock {
        if (account == address(0)) revert ZeroAddress();
        isPoster[account] = true;
        emit PosterSet(account, true);
    }

    /// @notice Takes an account off the posters. Without any, forceInclusion still carries the Inbox to L2.
    function removePoster(address account) external onlyStewardOrTimelock {
        isPoster[account] = false;
        emit PosterSet(account, false);
    }

    /// @notice Lets an account stake while the list is not open.
    function addValidator(address account) external onlyStewardOrTimelock {
        if (account == address(0)) revert ZeroAddress();
        isValidator[account] = true;
        emit ValidatorSet(account, true);
    }

    /// @notice Takes an account off the validators. A stake that it has stays good to its end.
    function removeValidator(address account) external onlyTimelock {
        isValidator[account] = false;
        emit ValidatorSet(account, false);
    }

    /// @notice Lets anyone stake, for good.
    function openToAll() external onlyTimelock {
        isOpenToAll = true;
        emit OpenedToAll();
    }

    /// @notice Appends a config for the children of later nodes.
    function setRollupConfig(RollupConfig calldata config) external onlyTimelock {
        _append(config);
    }

    /// @notice Sets the chain's parameters. They hold from the L2 block after the one that consumes the message.
    /// @param feeFloorWei_ the lowest base fee, in wei per unit of gas, at most MAX_FEE_FLOOR_WEI
    /// @param fork_ the number of the fork, not below the present one
    function setChainParameters(uint64 feeFloorWei_, uint8 fork_) external onlyTimelock {
        if (feeFloorWei_ > MAX_FEE_FLOOR_WEI) revert FeeFloorTooHigh(feeFloorWei_, MAX_FEE_FLOOR_WEI);
        if (fork_ < fork) revert ForkBackwards(fork_, fork);
        feeFloorWei = feeFloorWei_;
        fork = fork_;
        uint256 index = inbox.deliverConfig(abi.encode(feeFloorWei_, fork_));
        emit ChainParametersSet(feeFloorWei_, fork_, index);
    }

    /// @inheritdoc ISystemConfig
    function mayStake(address account) external view returns (bool) {
        return isOpenToAll || isValidator[account];
    }

    /// @inheritdoc ISystemConfig
    function latestConfigId() external view returns (uint32) {
        return uint32(_configs.length - 1);
    }

    /// @inheritdoc ISystemConfig
    function rollupConfig(uint32 configId) external view returns (RollupConfig memory) {
        if (configId >= _configs.length) revert IndexOutOfRange(configId, _configs.length);
        return _configs[configId];
    }

    function _append(RollupConfig memory config) private {
        bool isSound = config.stakeWei != 0 && config.stakeWei <= MAX_STAKE_WEI && config.periodS != 0
            && config.periodS <= MAX_PERIOD_S && config.intervalS <= config.periodS;
        if (!isSound) revert ConfigInvalid(config.stakeWei, config.periodS, config.intervalS);
        _configs.push(config);
        emit RollupConfigSet(uint32(_configs.length - 1), config);
    }
}
