// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The part of forge's cheatcodes that the tests use
/// @dev Declared here because forge-std is not an npm package.
interface Vm {
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function prank(address sender, address origin) external;
    function expectRevert() external;
    function expectRevert(bytes calldata data) external;
    function expectEmit(address emitter) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
    function blobhashes(bytes32[] calldata hashes) external;
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
    function deal(address account, uint256 balance) external;
    function etch(address account, bytes calldata code) external;
    function assume(bool condition) external pure;
    function assertTrue(bool condition, string calldata claim) external pure;
    function assertEq(bool left, bool right, string calldata claim) external pure;
    function assertEq(uint256 left, uint256 right, string calldata claim) external pure;
    function assertEq(address left, address right, string calldata claim) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata claim) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata claim) external pure;
    function assertEq(string calldata left, string calldata right, string calldata claim) external pure;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function fee(uint256 baseFee) external;
    function chainId(uint256 id) external;
    function cool(address account) external;
    function toString(uint256 value) external pure returns (string memory);
}

/// @title What every contract test starts from
abstract contract TestBase {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev A time and height unlike zero, so that a forgotten one shows.
    uint256 internal constant START_TIME = 1_760_000_000;
    uint256 internal constant START_BLOCK = 1_000;

    function startClock() internal {
        vm.warp(START_TIME);
        vm.roll(START_BLOCK);
    }

    /// @dev Brings a fuzzed value into [low, high].
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    /// @dev A readable account for a role.
    function account(string memory role) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(role)))));
    }
}
