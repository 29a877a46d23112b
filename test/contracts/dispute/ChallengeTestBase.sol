// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeManager} from "../../../contracts/src/l1/dispute/ChallengeManager.sol";
import {
    Answer,
    Challenge,
    ChallengeStatus,
    Move,
    Opening,
    Parties,
    Party,
    StepClaim
} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {IDisputedRollup} from "../../../contracts/src/l1/dispute/IDisputedRollup.sol";
import {MachineState, NO_READ, Read} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";
import {GlobalState, RollupConfig} from "../../../contracts/src/l1/RollupTypes.sol";
import {L1TestBase} from "../L1TestBase.sol";
import {TestStepVerifier} from "./TestStepVerifier.sol";

/// @title Two rivals on one parent, a machine that both know, and what each says of it
abstract contract ChallengeTestBase is L1TestBase {
    uint256 internal constant ALICE_KEY = 0xa11ce;
    uint256 internal constant MALLORY_KEY = 0x3a110;
    uint64 internal constant ITERATIONS = 2 ** 20;
    uint64 internal constant HALT = 2 ** 38 + 12_345;
    uint256 internal constant NO_CHOICE = 32;
    bytes32 internal constant CORE0 = bytes32("core0") >> 4;

    /// @dev What a party says: the truth up to a step of an iteration, and lies from the next step on. A tag of zero lies nowhere.
    struct Tale {
        bytes32 tag;
        uint64 iteration;
        uint64 step;
    }

    struct Message {
        Move move_;
        bytes32[32] points;
    }

    ChallengeManager internal challenges;
    TestStepVerifier internal verifier;
    bytes32 internal root;
    bytes32 internal truth;
    bytes32 internal lie;
    uint256 internal honest;
    uint256 internal liar;
    uint256 internal first;
    /// @dev Where the lie begins.
    uint64 internal constant LIE_ITERATION = 700_123;
    uint64 internal constant LIE_STEP = 2 ** 37 + 99;

    function setUpChallenges() internal {
        verifier = new TestStepVerifier();
        manager = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 7);
        deploy();
        challenges = new ChallengeManager(IDisputedRollup(address(rollup)), address(timelock));
        vm.assertEq(address(challenges), manager, "challenge manager");
        root = rollup.latestConfirmed();
        honest = stakeWith(alice, ALICE_KEY);
        liar = stakeWith(mallory, MALLORY_KEY);
        vm.warp(START_TIME + INTERVAL);
        first = block.timestamp;
        post();
        truth = createAs(alice, honest, root, stateAfter(told(), ITERATIONS));
        lie = createAs(mallory, liar, root, stateAfter(invented(), ITERATIONS));
        vm.fee(30 gwei);
    }

    function config() internal view virtual override returns (RollupConfig memory) {
        return RollupConfig(bytes32("machine"), CORE0, address(verifier), manager, STAKE, PERIOD, INTERVAL);
    }

    function told() internal pure returns (Tale memory tale) {}

    function invented() internal pure returns (Tale memory) {
        return Tale(bytes32("lie"), LIE_ITERATION, LIE_STEP);
    }

    function stakeWith(address who, uint256 key) internal returns (uint256) {
        vm.prank(who);
        return rollup.newStake{value: STAKE}(vm.addr(key));
    }

    /// @dev The honest side opens.
    function parties() internal view returns (Parties memory) {
        return
            Parties(
                root, Party(truth, honest, alice, vm.addr(ALICE_KEY)), Party(lie, liar, mallory, vm.addr(MALLORY_KEY))
            );
    }

    /// @dev The liar opens.
    function reversed() internal view returns (Parties memory) {
        return Parties(root, parties().responder, parties().opener);
    }

    function keyOf(Party memory party) internal pure returns (uint256) {
        return party.signer == vm.addr(ALICE_KEY) ? ALICE_KEY : MALLORY_KEY;
    }

    function sign(Party memory party, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(party), digest);
        return abi.encodePacked(r, s, v);
    }

    function signed(Parties memory p, Message memory message) internal view returns (bytes memory) {
        Party memory mover = message.move_.round % 2 == 1 ? p.opener : p.responder;
        return sign(mover, challenges.digestOf(message.move_));
    }

    function recordOf(Parties memory p) internal view returns (Challenge memory) {
        return challenges.challengeOf(challenges.challengeIdOf(p));
    }

    function assertOutcome(Parties memory p, ChallengeStatus status, string memory claim) internal view {
        vm.assertEq(uint256(recordOf(p).status), uint256(status), claim);
    }

    // The tales.

    function stateAfter(Tale memory tale, uint64 iteration) internal pure returns (GlobalState memory) {
        if (iteration == 0) return genesis();
        bytes32 tag = iteration > tale.iteration ? tale.tag : bytes32(0);
        bytes32 blockHash = keccak256(abi.encode(tag, iteration));
        if (iteration == ITERATIONS) return GlobalState(blockHash, SEND_ROOT, 1, 0);
        return GlobalState(blockHash, SEND_ROOT, 0, iteration);
    }

    function inputAt(Tale memory tale, uint64 iteration) internal view returns (bytes32) {
        GlobalState memory g = stateAfter(tale, iteration);
        bytes32 acc = g.batch == 0 ? batches.accumulator(0) : bytes32(0);
        return keccak256(abi.encode(g, uint64(1), acc, keccak256(abi.encode(config()))));
    }

    function machineAt(Tale memory tale, uint64 iteration, uint64 step) internal view returns (MachineState memory) {
        bytes32 input = inputAt(tale, iteration);
        bool isLie = tale.tag != bytes32(0) && iteration == tale.iteration && step > tale.step;
        bytes32 core = verifier.coreOf(input, isLie ? tale.tag : bytes32(0), step < HALT ? step : HALT);
        if (step < HALT) return MachineState(core, input, bytes32(0), 0);
        return MachineState(core, input, keccak256(abi.encode(stateAfter(tale, iteration + 1))), 1);
    }

    function pointAt(Tale memory tale, uint8 round, uint64 iteration, uint64 step) internal view returns (bytes32) {
        if (round <= 4) return keccak256(abi.encode(stateAfter(tale, iteration)));
        return keccak256(abi.encode(machineAt(tale, iteration, step)));
    }

    function width(uint8 round) internal pure returns (uint64) {
        return uint64(32) ** (round <= 4 ? 4 - round : 12 - round);
    }

    function tellPoint(Tale memory tale, Move memory from, uint256 index) internal view returns (bytes32) {
        uint64 distance = uint64(index + 1) * width(from.round);
        if (from.round <= 4) return pointAt(tale, from.round, from.iteration + distance, 0);
        return pointAt(tale, from.round, from.iteration, from.step + distance);
    }

    function fill(Tale memory tale, Message memory message) internal view {
        for (uint256 i = 0; i < 32; i++) {
            message.points[i] = tellPoint(tale, message.move_, i);
        }
        message.move_.end = message.points[31];
        message.move_.root = treeOf(message.points)[1];
    }

    function firstMessage(Parties memory p, Tale memory tale) internal view returns (Message memory message) {
        message.move_.challenge = challenges.challengeIdOf(p);
        message.move_.round = 1;
        message.move_.start = keccak256(abi.encode(genesis()));
        fill(tale, message);
    }

    /// @dev The first point that differs from the own tale; NO_CHOICE when all agree.
    function choose(Tale memory tale, Message memory prev) internal view returns (uint256 choice) {
        while (choice < 32 && tellPoint(tale, prev.move_, choice) == prev.points[choice]) choice++;
    }

    function reply(Tale memory tale, Message memory prev, uint256 choice) internal view returns (Message memory next) {
        Move memory m = next.move_;
        (m.challenge, m.round, m.choice) = (prev.move_.challenge, prev.move_.round + 1, uint8(choice));
        uint64 distance = uint64(choice) * width(prev.move_.round);
        (m.iteration, m.step) = prev.move_.round <= 4
            ? (prev.move_.iteration + distance, uint64(0))
            : (prev.move_.iteration, prev.move_.step + distance);
        m.prev = challenges.digestOf(prev.move_);
        m.start = choice == 0 ? prev.move_.start : prev.points[choice - 1];
        if (m.round == 5) m.start = keccak256(abi.encode(machineAt(tale, m.iteration, 0)));
        fill(tale, next);
    }

    // Merkle trees: a heap, the root at 1.

    function treeOf(bytes32[32] memory points) internal pure returns (bytes32[64] memory tree) {
        for (uint256 i = 63; i != 0; i--) {
            tree[i] = i >= 32 ? points[i - 32] : keccak256(abi.encode(tree[2 * i], tree[2 * i + 1]));
        }
    }

    function pathOf(bytes32[32] memory points, uint256 index) internal pure returns (bytes32[5] memory path) {
        bytes32[64] memory tree = treeOf(points);
        uint256 place = 32 + index;
        for (uint256 level = 0; level < 5; level++) {
            path[level] = tree[place ^ 1];
            place /= 2;
        }
    }

    function openingOf(Message memory prev, uint256 choice) internal pure returns (Opening memory opening) {
        if (choice != 0) {
            opening.before = prev.points[choice - 1];
            opening.beforePath = pathOf(prev.points, choice - 1);
        }
        opening.denied = prev.points[choice];
        opening.deniedPath = pathOf(prev.points, choice);
    }

    // Calls, each by the signer whose it is.

    function open(Parties memory p, Tale memory tale) internal returns (Message memory message) {
        message = firstMessage(p, tale);
        vm.prank(p.opener.signer);
        challenges.open(p, message.points);
    }

    function answer(Parties memory p, Tale memory tale, Message memory prev, bytes memory signature)
        internal
        returns (Message memory next)
    {
        uint256 choice = choose(tale, prev);
        next = reply(tale, prev, choice);
        send(p, tale, prev, signature, next);
    }

    function send(Parties memory p, Tale memory tale, Message memory prev, bytes memory signature, Message memory next)
        internal
    {
        Answer memory given = Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
        address signer = next.move_.round % 2 == 1 ? p.opener.signer : p.responder.signer;
        if (next.move_.round != 5) {
            vm.prank(signer);
            challenges.answer(p, prev.move_, signature, given);
            return;
        }
        GlobalState memory g = stateAfter(tale, next.move_.iteration);
        MachineState memory end = machineAt(tale, next.move_.iteration, 2 ** 40);
        vm.prank(signer);
        challenges.answerBySteps(p, prev.move_, signature, given, g, end);
    }

    /// @dev Both talk: the messages up to a round, none of them on L1.
    function talkTo(Parties memory p, Tale memory o, Tale memory r, uint8 round)
        internal
        view
        returns (Message memory message)
    {
        message = firstMessage(p, o);
        while (message.move_.round < round) {
            Tale memory tale = message.move_.round % 2 == 1 ? r : o;
            message = reply(tale, message, choose(tale, message));
        }
    }

    /// @dev Both answer on L1 up to a round.
    function playTo(Parties memory p, Tale memory o, Tale memory r, uint8 round)
        internal
        returns (Message memory message)
    {
        message = open(p, o);
        while (message.move_.round < round) {
            message = answer(p, message.move_.round % 2 == 1 ? r : o, message, "");
        }
    }

    /// @dev What the opener proves of a message of the last round: the true step at the choice.
    function claimOn(Message memory last) internal returns (StepClaim memory claim) {
        uint64 iteration = last.move_.iteration;
        claim.choice = uint8(choose(told(), last));
        claim.opening = openingOf(last, claim.choice);
        claim.pre = machineAt(told(), iteration, last.move_.step + claim.choice);
        claim.post = machineAt(told(), iteration, last.move_.step + claim.choice + 1);
        claim.read = Read(NO_READ, 0, 0, 0, 0);
        verifier.teachOutput(inputAt(told(), iteration), keccak256(abi.encode(stateAfter(told(), iteration + 1))));
    }

    function settle(Parties memory p, Message memory last, bytes memory signature) internal {
        StepClaim memory claim = claimOn(last);
        vm.prank(p.opener.signer);
        challenges.settle(p, last.move_, signature, claim);
    }
}
