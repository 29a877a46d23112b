// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StorageDeals} from "../../contracts/src/l2/storage/StorageDeals.sol";
import {Challenge, Deal, Terms} from "../../contracts/src/l2/storage/DealTypes.sol";
import {Answer, Beside} from "../../contracts/src/l2/storage/ShardProof.sol";
import {TestBase} from "./TestBase.sol";

/// @title The cheatcodes that sign
interface VmSign {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @title An owner, a holder, and shards that the holder really has
abstract contract StorageDealsBase is TestBase {
    VmSign internal constant SIGN = VmSign(address(vm));
    uint256 internal constant OWNER_KEY = 0xa11ce;
    uint256 internal constant HOLDER_KEY = 0xb0b;
    uint256 internal constant STRANGER_KEY = 0xbad;
    uint128 internal constant RATE = 1 ether;
    /// @dev Two shards: one of three leaves, one of 65 (two pieces).
    uint64 internal constant FIRST_BYTES = 3 * 256;
    uint64 internal constant SECOND_BYTES = 65 * 256;
    /// @dev What the set says that it has, so that rates are numbers to look at. Its shards are the first bytes of it.
    uint64 internal constant SIZE = FIRST_BYTES + SECOND_BYTES;

    StorageDeals internal deals;
    address internal owner = SIGN.addr(OWNER_KEY);
    address internal holder = SIGN.addr(HOLDER_KEY);
    address internal payout = account("payout");
    address internal stranger = SIGN.addr(STRANGER_KEY);
    bytes32 internal dealId;

    bytes32 private constant TERMS_TYPE = keccak256(
        "Terms(address owner,address holder,address payout,address token,uint128 ratePerTiBDay,uint32 generation,uint64 validUntil)"
    );
    bytes32 private constant SET_TYPE =
        keccak256("Set(bytes32 deal,uint32 generation,uint64 seq,bytes32 root,uint64 size)");

    function createDeals() internal {
        startClock();
        deals = new StorageDeals();
        dealId = deals.idOf(owner, holder);
        vm.deal(owner, 1_000_000 ether);
        vm.deal(holder, 1_000_000 ether);
        vm.deal(stranger, 1_000_000 ether);
    }

    function terms() internal view returns (Terms memory) {
        uint32 generation = deals.generationOf(dealId);
        return Terms(owner, holder, payout, address(0), RATE, generation, uint64(block.timestamp));
    }

    function signTerms(Terms memory form, uint256 key) internal view returns (bytes memory) {
        return signed(keccak256(abi.encode(TERMS_TYPE, form)), key);
    }

    function signSet(uint32 generation, uint64 seq, bytes32 root, uint64 size, uint256 key)
        internal
        view
        returns (bytes memory)
    {
        return signed(keccak256(abi.encode(SET_TYPE, dealId, generation, seq, root, size)), key);
    }

    function signed(bytes32 structHash, uint256 key) internal view returns (bytes memory) {
        (, string memory name, string memory version, uint256 chainId, address verifying,,) = deals.eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chainId,
                verifying
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = SIGN.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function openDeal() internal {
        Terms memory form = terms();
        bytes memory signature = signTerms(form, HOLDER_KEY);
        vm.prank(owner);
        deals.open(form, signature);
    }

    function post(uint64 seq, bytes32 root, uint64 size) internal {
        uint32 generation = deals.generationOf(dealId);
        deals.postSet(
            owner,
            holder,
            seq,
            root,
            size,
            signSet(generation, seq, root, size, OWNER_KEY),
            signSet(generation, seq, root, size, HOLDER_KEY)
        );
    }

    /// @dev An open deal with money, collateral and the two shards, in force.
    function running() internal {
        openDeal();
        vm.prank(owner);
        deals.fund{value: 10 ether}(dealId, 10 ether);
        vm.prank(holder);
        deals.lock{value: 10 ether}(dealId, 10 ether);
        post(1, setRoot(), SIZE);
        nextEpoch();
        deals.settle(dealId);
    }

    function nextEpoch() internal {
        vm.warp(block.timestamp + 1 days);
        vm.roll(block.number + 1);
    }

    function pay(uint64 size) internal pure returns (uint256) {
        return (uint256(RATE) * size) >> 40;
    }

    function askedAs(address who) internal returns (Challenge memory) {
        vm.prank(who);
        deals.challenge{value: 0.002 ether}(holder);
        return deals.challengeOf(dealId);
    }

    function answerTo(Challenge memory asked, uint8 question) internal view returns (Answer memory) {
        return answerAt(deals.placeOf(asked.seed, question, asked.setBytes / 256));
    }

    /// @dev The leaf at a place, as an honest holder shows it. A set is in the order of ids: the first shard's is the lower one.
    function answerAt(uint256 place) internal pure returns (Answer memory proof) {
        uint256 shard = shardAt(place);
        uint256 index = shard == 0 ? place : place - leavesOf(0);
        Beside[] memory setPath = new Beside[](1);
        setPath[0] = Beside(member(1 - shard), leavesOf(1 - shard), shard == 1);
        return Answer(
            idOfShard(shard), rootOf(shard), leavesOf(shard), setPath, leafBytes(shard, index), pathOf(shard, index)
        );
    }

    function shardAt(uint256 place) internal pure returns (uint256) {
        return place < leavesOf(0) ? 0 : 1;
    }

    function leavesOf(uint256 shard) internal pure returns (uint64) {
        return (shard == 0 ? FIRST_BYTES : SECOND_BYTES) / 256;
    }

    function setRoot() internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x11), member(0), leavesOf(0), member(1), leavesOf(1)));
    }

    function member(uint256 shard) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x10), idOfShard(shard), rootOf(shard), leavesOf(shard)));
    }

    function idOfShard(uint256 shard) private pure returns (bytes32) {
        return keccak256(abi.encode("shard", shard));
    }

    function leafBytes(uint256 shard, uint256 index) internal pure returns (bytes memory leaf) {
        bytes32[8] memory words;
        for (uint256 i = 0; i < 8; i++) {
            words[i] = keccak256(abi.encodePacked(shard, index, i));
        }
        leaf = abi.encodePacked(words);
    }

    function rootOf(uint256 shard) private pure returns (bytes32) {
        bytes32[] memory level = leaves(shard);
        while (level.length > 1) level = above(level);
        return keccak256(abi.encodePacked(bytes1(0x03), shard == 0 ? FIRST_BYTES : SECOND_BYTES, level[0]));
    }

    function pathOf(uint256 shard, uint256 index) private pure returns (bytes32[] memory path) {
        bytes32[] memory level = leaves(shard);
        path = new bytes32[](shard == 0 ? 6 : 7);
        for (uint256 i = 0; i < path.length; i++) {
            path[i] = level[index ^ 1];
            level = above(level);
            index >>= 1;
        }
    }

    /// @dev Whole pieces of 64 leaves; past the end stands keccak256(0x02).
    function leaves(uint256 shard) private pure returns (bytes32[] memory level) {
        uint256 count = (shard == 0 ? FIRST_BYTES : SECOND_BYTES) / 256;
        level = new bytes32[](shard == 0 ? 64 : 128);
        for (uint256 i = 0; i < level.length; i++) {
            level[i] = i < count
                ? keccak256(bytes.concat(bytes1(0x00), leafBytes(shard, i)))
                : keccak256(abi.encodePacked(bytes1(0x02)));
        }
    }

    function above(bytes32[] memory level) private pure returns (bytes32[] memory up) {
        up = new bytes32[](level.length / 2);
        for (uint256 i = 0; i < up.length; i++) {
            up[i] = keccak256(abi.encodePacked(bytes1(0x01), level[2 * i], level[2 * i + 1]));
        }
    }
}
