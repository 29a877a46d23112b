// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rv32im: immediates and arithmetic of the instruction set
/// @notice Words and results are 32 bits in a uint256; whatever is given is below 2^32.
library Rv32im {
    uint256 internal constant OP_LUI = 0x37;
    uint256 internal constant OP_AUIPC = 0x17;
    uint256 internal constant OP_JAL = 0x6f;
    uint256 internal constant OP_JALR = 0x67;
    uint256 internal constant OP_BRANCH = 0x63;
    uint256 internal constant OP_LOAD = 0x03;
    uint256 internal constant OP_STORE = 0x23;
    uint256 internal constant OP_IMMEDIATE = 0x13;
    uint256 internal constant OP_REGISTERS = 0x33;
    uint256 internal constant OP_FENCE = 0x0f;
    uint256 internal constant ECALL_WORD = 0x73;
    uint256 internal constant MASK = 0xffffffff;

    uint256 private constant SIGN = 0x80000000;
    uint256 private constant ALTERNATE = 0x20;
    uint256 private constant MULTIPLY = 1;

    function immediateI(uint256 word) internal pure returns (uint256) {
        return extended(word >> 20, 12);
    }

    function immediateS(uint256 word) internal pure returns (uint256) {
        return extended(((word >> 25) << 5) | ((word >> 7) & 0x1f), 12);
    }

    function immediateB(uint256 word) internal pure returns (uint256) {
        uint256 low = (((word >> 25) & 0x3f) << 5) | (((word >> 8) & 0xf) << 1);
        return extended(((word >> 31) << 12) | (((word >> 7) & 1) << 11) | low, 13);
    }

    function immediateU(uint256 word) internal pure returns (uint256) {
        return word & 0xfffff000;
    }

    function immediateJ(uint256 word) internal pure returns (uint256) {
        uint256 low = (((word >> 20) & 1) << 11) | (((word >> 21) & 0x3ff) << 1);
        return extended(((word >> 31) << 20) | (((word >> 12) & 0xff) << 12) | low, 21);
    }

    /// @notice a + b, modulo 2^32.
    function sum(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a + b) & MASK;
    }

    /// @notice A number of `bits` bits with its sign carried to 32.
    function extended(uint256 value, uint256 bits) internal pure returns (uint256) {
        uint256 sign = 1 << (bits - 1);
        return ((value ^ sign) + (1 << 32) - sign) & MASK;
    }

    /// @notice Whether a branch is taken, and whether there is such a branch.
    function compare(uint256 funct3, uint256 a, uint256 b) internal pure returns (bool isTaken, bool isLegal) {
        if (funct3 == 2 || funct3 == 3) return (false, false);
        if (funct3 < 2) isTaken = a == b;
        else if (funct3 < 6) isTaken = a ^ SIGN < b ^ SIGN;
        else isTaken = a < b;
        return (isTaken != (funct3 & 1 == 1), true);
    }

    /// @notice OP-IMM; b is the immediate.
    function withImmediate(uint256 funct3, uint256 funct7, uint256 a, uint256 b)
        internal
        pure
        returns (uint256 result, bool isLegal)
    {
        bool isShift = funct3 == 1 || funct3 == 5;
        if (!isShift || funct7 == 0) return (_alter(funct3, false, a, b), true);
        if (funct3 == 5 && funct7 == ALTERNATE) return (_alter(funct3, true, a, b), true);
    }

    /// @notice OP, the M extension included.
    function withRegisters(uint256 funct3, uint256 funct7, uint256 a, uint256 b)
        internal
        pure
        returns (uint256 result, bool isLegal)
    {
        if (funct7 == MULTIPLY) return (_multiply(funct3, a, b), true);
        if (funct7 == 0) return (_alter(funct3, false, a, b), true);
        if (funct7 == ALTERNATE && (funct3 == 0 || funct3 == 5)) return (_alter(funct3, true, a, b), true);
    }

    function _alter(uint256 funct3, bool isAlternate, uint256 a, uint256 b) private pure returns (uint256) {
        if (funct3 == 0) return isAlternate ? (a + (1 << 32) - b) & MASK : (a + b) & MASK;
        if (funct3 == 1) return (a << (b & 31)) & MASK;
        if (funct3 == 2) return a ^ SIGN < b ^ SIGN ? 1 : 0;
        if (funct3 == 3) return a < b ? 1 : 0;
        if (funct3 == 4) return a ^ b;
        if (funct3 == 6) return a | b;
        if (funct3 == 7) return a & b;
        uint256 shift = b & 31;
        if (!isAlternate || a < SIGN) return a >> shift;
        return (a >> shift) | (MASK ^ (MASK >> shift));
    }

    function _multiply(uint256 funct3, uint256 a, uint256 b) private pure returns (uint256) {
        if (funct3 == 0) return (a * b) & MASK;
        if (funct3 == 3) return (a * b) >> 32;
        if (funct3 == 5) return b == 0 ? MASK : a / b;
        if (funct3 == 7) return b == 0 ? a : a % b;
        int256 signedA = _signed(a);
        if (funct3 == 1) return _low((signedA * _signed(b)) >> 32);
        if (funct3 == 2) return _low((signedA * int256(b)) >> 32);
        if (funct3 == 4) return b == 0 ? MASK : _low(signedA / _signed(b));
        return b == 0 ? a : _low(signedA % _signed(b));
    }

    function _signed(uint256 value) private pure returns (int256) {
        return int256(int32(uint32(value)));
    }

    function _low(int256 value) private pure returns (uint256) {
        return uint256(value) & MASK;
    }
}
