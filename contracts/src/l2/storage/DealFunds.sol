// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {NothingOwed, PaymentRefused, WrongValue} from "./DealErrors.sol";

/// @title DealFunds: what came in and what is owed, by token
/// @notice The zero token is L2's own coin. Payments are pulled, so that no account can refuse one and hold up a deal.
abstract contract DealFunds is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice What an account may claim.
    mapping(address token => mapping(address account => uint256)) public owed;

    /// @notice An account took what it was owed.
    event Claimed(address indexed token, address indexed account, uint256 amount);

    /// @notice Pays out what an account is owed. Anyone may call it; only the account is paid.
    function claim(address token, address account) external nonReentrant {
        uint256 amount = owed[token][account];
        if (amount == 0) revert NothingOwed(token, account);
        owed[token][account] = 0;
        emit Claimed(token, account, amount);
        if (token != address(0)) return IERC20(token).safeTransfer(account, amount);
        // slither-disable-next-line arbitrary-send-eth,low-level-calls
        (bool sent,) = account.call{value: amount}("");
        if (!sent) revert PaymentRefused(account, amount);
    }

    function _owe(address token, address account, uint256 amount) internal {
        if (amount != 0) owed[token][account] += amount;
    }

    /// @dev Takes an amount from the caller. @return received what came: a token may keep a part for itself
    function _take(address token, uint256 amount) internal returns (uint256 received) {
        uint256 expected = token == address(0) ? amount : 0;
        if (msg.value != expected) revert WrongValue(msg.value, expected);
        if (token == address(0)) return amount;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return IERC20(token).balanceOf(address(this)) - before;
    }
}
