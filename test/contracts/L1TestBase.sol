// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DelayedMessages} from "../../contracts/src/l1/DelayedMessages.sol";
import {Guardian} from "../../contracts/src/l1/Guardian.sol";
import {Inbox} from "../../contracts/src/l1/Inbox.sol";
import {Outbox} from "../../contracts/src/l1/Outbox.sol";
import {Rollup} from "../../contracts/src/l1/Rollup.sol";
import {GlobalState, RollupConfig} from "../../contracts/src/l1/RollupTypes.sol";
import {SequencerInbox} from "../../contracts/src/l1/SequencerInbox.sol";
import {SystemConfig} from "../../contracts/src/l1/SystemConfig.sol";
import {Timelock} from "../../contracts/src/l1/Timelock.sol";
import {TestBase} from "./TestBase.sol";

/// @title A whole deployment as on a public network, and the people around it
abstract contract L1TestBase is TestBase {
    uint256 internal constant DELAY = 30 days;
    uint256 internal constant FORCE_DELAY = 1 days;
    uint128 internal constant STAKE = 10 ether;
    uint64 internal constant PERIOD = 7 days;
    uint64 internal constant INTERVAL = 15 minutes;
    bytes32 internal constant GENESIS_HASH = keccak256("genesis");
    bytes32 internal constant SEND_ROOT = keccak256("send root");

    Timelock internal timelock;
    Inbox internal inbox;
    SystemConfig internal systemConfig;
    SequencerInbox internal batches;
    Guardian internal guardian;
    Rollup internal rollup;
    Outbox internal outbox;

    address internal poster = account("poster");
    address internal steward = account("steward");
    address internal guard = account("guard");
    address internal proposer = account("proposer");
    address internal manager = account("challenge manager");
    address internal alice = account("alice");
    address internal mallory = account("mallory");
    address internal stranger = account("stranger");

    function deploy() internal {
        startClock();
        vm.setBlockhash(START_BLOCK - 1, keccak256("parent"));
        address[] memory proposers = new address[](1);
        proposers[0] = proposer;
        uint256 nonce = vm.getNonce(address(this));
        address outboxAt = vm.computeCreateAddress(address(this), nonce + 6);
        address configAt = vm.computeCreateAddress(address(this), nonce + 2);
        timelock = new Timelock(DELAY, proposers);
        inbox = new Inbox(outboxAt, configAt);
        systemConfig = new SystemConfig(address(timelock), steward, inbox, poster, alice, config());
        batches = new SequencerInbox(systemConfig, inbox, FORCE_DELAY);
        guardian = new Guardian(guard, timelock, systemConfig);
        rollup = new Rollup(batches, systemConfig, guardian, genesis());
        outbox = new Outbox(inbox, rollup, guardian, [address(batches), address(systemConfig), address(timelock)]);
        vm.assertEq(address(outbox), outboxAt, "outbox");
        vm.assertEq(address(systemConfig), configAt, "system config");
        vm.prank(steward);
        systemConfig.addValidator(mallory);
        vm.deal(alice, 1_000 ether);
        vm.deal(mallory, 1_000 ether);
    }

    function config() internal view virtual returns (RollupConfig memory) {
        return RollupConfig(bytes32("machine"), bytes32("core0"), address(0), manager, STAKE, PERIOD, INTERVAL);
    }

    function genesis() internal pure returns (GlobalState memory) {
        return GlobalState(GENESIS_HASH, SEND_ROOT, 0, 0);
    }

    function state(uint64 batch, string memory what) internal pure returns (GlobalState memory) {
        return GlobalState(keccak256(bytes(what)), SEND_ROOT, batch, 0);
    }

    function post() internal {
        uint256 number = batches.batchCount();
        uint256 read = batches.delayedMessagesRead();
        vm.prank(poster, poster);
        batches.addBatch(number, abi.encode(number), read);
    }

    /// @dev The accumulator after a batch that comes in the present block.
    function nextAcc(bytes32 before, bytes32 dataHash, bytes32 delayedAcc, uint256 count, SequencerInbox.Source source)
        internal
        view
        returns (bytes32)
    {
        bytes32 parent = blockhash(block.number - 1);
        return keccak256(abi.encode(before, dataHash, delayedAcc, count, block.number, block.timestamp, parent, source));
    }

    /// @dev The message that a call of the present block leaves in the Inbox.
    function message(uint8 kind, address sender, bytes memory data)
        internal
        view
        returns (DelayedMessages.Message memory)
    {
        return DelayedMessages.Message(kind, sender, keccak256(data), block.number, block.timestamp);
    }

    function schedule(address target, bytes memory call) internal {
        vm.prank(proposer);
        timelock.schedule(target, 0, call, bytes32(0), bytes32(0), DELAY);
    }

    function execute(address target, bytes memory call) internal {
        timelock.execute(target, 0, call, bytes32(0), bytes32(0));
    }

    /// @dev A change through the timelock, waited for.
    function change(bytes memory call) internal {
        schedule(address(systemConfig), call);
        vm.warp(block.timestamp + DELAY);
        execute(address(systemConfig), call);
    }

    function stakeAs(address who) internal returns (uint256 stakeId) {
        vm.prank(who);
        stakeId = rollup.newStake{value: STAKE}(who);
    }

    function createAs(address who, uint256 stakeId, bytes32 parent, GlobalState memory to) internal returns (bytes32) {
        vm.prank(who);
        return rollup.create(stakeId, parent, to, "");
    }

    function backAs(address who, uint256 stakeId, bytes32 nodeId) internal {
        vm.prank(who);
        rollup.back(stakeId, nodeId);
    }
}
