// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Answer,
    Challenge,
    ChallengeStatus,
    Parties,
    Party,
    StepClaim
} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {GlobalState} from "../../../contracts/src/l1/RollupTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title One honest staker, two liars, and calls in any order
/// @notice The honest side's key signs what it would say and nothing else; the liars' keys sign anything, concessions too.
contract ChallengeHandler is ChallengeTestBase {
    uint256 private constant SECOND_KEY = 0x5ec0;
    uint256 private constant PAIRS = 4;

    Parties[PAIRS] private pairs;
    /// @dev The newest message of each pair on L1, which a party answers.
    mapping(uint256 => Message) private positions;
    mapping(uint256 => uint8) private rounds;
    uint256 public paidIn;
    bool public roundShrank;
    bool public refusedTheHonest;
    uint256 public unexplained;

    constructor() {
        setUpChallenges();
        uint256 second = stakeWith(mallory, SECOND_KEY);
        backAs(mallory, second, lie);
        paidIn = 3 * uint256(STAKE);
        Party memory h = parties().opener;
        Party memory a = parties().responder;
        Party memory b = Party(lie, second, mallory, vm.addr(SECOND_KEY));
        pairs[0] = Parties(root, h, a);
        pairs[1] = Parties(root, a, h);
        pairs[2] = Parties(root, h, b);
        pairs[3] = Parties(root, b, h);
    }

    function inputs() external view returns (uint256 balance, uint256 accounted) {
        balance = address(rollup).balance;
        accounted = rollup.lockedWei() + rollup.totalOwedWei() + rollup.burnedWei();
    }

    function honestLives() external view returns (bool) {
        return rollup.stakeOf(honest).isLive;
    }

    function owedToTheManager() external view returns (uint256 owed, uint256 still) {
        owed = rollup.owedWei(address(challenges));
        for (uint256 stakeId = 0; stakeId < 3; stakeId++) {
            (, uint128 refundWei) = challenges.refundsOf(stakeId);
            still += refundWei;
        }
    }

    function record(uint256 i) public view returns (Challenge memory) {
        return recordOf(pairs[i]);
    }

    function keyFor(address signer) private pure returns (uint256) {
        if (signer == vm.addr(ALICE_KEY)) return ALICE_KEY;
        return signer == vm.addr(SECOND_KEY) ? SECOND_KEY : MALLORY_KEY;
    }

    function signatureOn(Parties memory p, Message memory message) private view returns (bytes memory) {
        Party memory mover = message.move_.round % 2 == 1 ? p.opener : p.responder;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyFor(mover.signer), challenges.digestOf(message.move_));
        return abi.encodePacked(r, s, v);
    }

    /// @dev What a party says in a pair: the honest side the truth, a liar any lie.
    function taleOf(Party memory party, uint256 what) private view returns (Tale memory) {
        if (party.stakeId == honest) return told();
        return Tale("lie", LIE_ITERATION, uint64(LIE_STEP + what % 3));
    }

    function isLive(Parties memory p) private view returns (bool) {
        return rollup.areLive(p.opener.stakeId, p.responder.stakeId);
    }

    function note(uint256 i, Message memory message) private {
        if (message.move_.round <= rounds[i]) roundShrank = true;
        positions[i] = message;
        rounds[i] = message.move_.round;
    }

    function open(uint256 which, uint256 what) external {
        uint256 i = which % PAIRS;
        Parties memory p = pairs[i];
        if (record(i).status != ChallengeStatus.None || !isLive(p)) return;
        Message memory message = firstMessage(p, taleOf(p.opener, what));
        vm.prank(p.opener.signer);
        try challenges.open(p, message.points) {
            note(i, message);
        } catch {
            if (p.opener.stakeId == honest && !guardian.isFrozen()) refusedTheHonest = true;
        }
    }

    /// @dev Whose turn it is answers, an honest one by the truth; a liar may be too late, the honest one is not let be.
    function answerNext(uint256 which, uint256 what) public {
        uint256 i = which % PAIRS;
        Parties memory p = pairs[i];
        if (record(i).status != ChallengeStatus.Open || !isLive(p) || rounds[i] >= 12) return;
        Message memory prev = positions[i];
        Party memory mover = prev.move_.round % 2 == 1 ? p.responder : p.opener;
        Tale memory tale = taleOf(mover, what);
        uint256 choice = choose(tale, prev);
        if (choice == NO_CHOICE) {
            if (mover.stakeId == honest) refusedTheHonest = true;
            return;
        }
        attempt(i, p, tale, prev, "", reply(tale, prev, choice), mover);
    }

    /// @dev A liar goes on from a message that the honest side signed in the talk, at any round.
    function jump(uint256 which, uint256 what, uint256 round) external {
        uint256 i = which % PAIRS;
        Parties memory p = pairs[i];
        if (!isLive(p) || uint256(record(i).status) > 1) return;
        Tale memory tale = taleOf(p.opener.stakeId == honest ? p.responder : p.opener, what);
        bool opens = p.opener.stakeId == honest;
        uint8 n = uint8(round % 5) * 2 + (opens ? 1 : 2);
        Message memory prev = opens ? talkTo(p, told(), tale, n) : talkTo(p, tale, told(), n);
        if (n <= rounds[i]) return;
        Message memory next = reply(tale, prev, choose(tale, prev));
        Party memory mover = opens ? p.responder : p.opener;
        attempt(i, p, tale, prev, signatureOn(p, prev), next, mover);
    }

    function attempt(
        uint256 i,
        Parties memory p,
        Tale memory tale,
        Message memory prev,
        bytes memory signature,
        Message memory next,
        Party memory mover
    ) private {
        Answer memory given = Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
        GlobalState memory g = stateAfter(tale, next.move_.iteration);
        bytes memory data = next.move_.round != 5
            ? abi.encodeCall(challenges.answer, (p, prev.move_, signature, given))
            : abi.encodeCall(
                challenges.answerBySteps,
                (p, prev.move_, signature, given, g, machineAt(tale, next.move_.iteration, 2 ** 40))
            );
        vm.prank(mover.signer);
        (bool isDone,) = address(challenges).call(data);
        if (isDone) note(i, next);
        else if (mover.stakeId == honest && !guardian.isFrozen()) refusedTheHonest = true;
    }

    function settleLast(uint256 which) public {
        uint256 i = which % PAIRS;
        Parties memory p = pairs[i];
        if (record(i).status != ChallengeStatus.Open || !isLive(p) || rounds[i] != 12) return;
        Message memory last = positions[i];
        if (choose(told(), last) == NO_CHOICE) return;
        StepClaim memory claim = claimOn(last);
        vm.prank(p.opener.signer);
        try challenges.settle(p, last.move_, "", claim) {
            if (p.opener.stakeId != honest) unexplained++;
        } catch {
            if (p.opener.stakeId == honest && !guardian.isFrozen()) refusedTheHonest = true;
        }
    }

    /// @dev A liar claims any step of the honest side's last message.
    function settleFalsely(uint256 which, uint256 choice) external {
        uint256 i = which % PAIRS;
        Parties memory p = pairs[i];
        if (rounds[i] != 12 || p.opener.stakeId == honest || !isLive(p)) return;
        StepClaim memory claim;
        claim.choice = uint8(choice % 32);
        Message memory last = positions[i];
        claim.opening = openingOf(last, claim.choice);
        claim.pre = machineAt(told(), last.move_.iteration, last.move_.step + claim.choice);
        claim.post = machineAt(told(), last.move_.iteration, last.move_.step + claim.choice + 1);
        claim.read.kind = type(uint32).max;
        vm.prank(p.opener.signer);
        try challenges.settle(p, last.move_, "", claim) {
            unexplained++;
        } catch {}
    }

    function timeout(uint256 which) external {
        try challenges.timeout(pairs[which % PAIRS]) {} catch {}
    }

    function concede(uint256 which, bool byOpener) external {
        Parties memory p = pairs[which % PAIRS];
        bytes32 digest = challenges.concessionDigestOf(challenges.challengeIdOf(p));
        // Whoever is said to concede, the signature is a liar's.
        Party memory liars = p.opener.stakeId == honest ? p.responder : p.opener;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyFor(liars.signer), digest);
        try challenges.concede(p, byOpener, abi.encodePacked(r, s, v)) {} catch {}
    }

    function closeAndRefund(uint256 which) external {
        try challenges.closeMoot(pairs[which % PAIRS]) {} catch {}
        try challenges.refund(pairs[which % PAIRS]) {} catch {}
    }

    function freeze() external {
        vm.prank(guard);
        try guardian.freeze() {} catch {}
    }

    /// @dev The honest side is never asleep for longer than it may be: it answers before the time passes.
    function elapse(uint256 time) external {
        for (uint256 i = 0; i < PAIRS; i++) {
            bool opens = pairs[i].opener.stakeId == honest;
            bool isHonestsTurn = (rounds[i] % 2 == 0) == opens && rounds[i] != 0;
            if (!isHonestsTurn || guardian.isFrozen()) continue;
            if (rounds[i] == 12) settleLast(i);
            else answerNext(i, 0);
        }
        uint256 until = block.timestamp + time % 100 hours;
        // Nobody can answer in a freeze: its end is a moment of its own, after which the honest side answers before time passes.
        uint256 thawsAt = guardian.frozenUntil();
        bool endsAFreeze = guardian.isFrozen() && until > thawsAt;
        vm.warp(endsAFreeze ? thawsAt : until);
    }
}

contract ChallengeInvariantTest is ChallengeTestBase {
    ChallengeHandler private handler;

    function setUp() public {
        handler = new ChallengeHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// forge-config: default.invariant.runs = 8
    function invariant_theHonestStakeLivesAndItsCallsCount() public view {
        vm.assertTrue(handler.honestLives(), "the honest stake is gone");
        vm.assertTrue(!handler.refusedTheHonest(), "the honest side had no answer");
        vm.assertEq(handler.unexplained(), 0, "a liar settled");
    }

    /// forge-config: default.invariant.runs = 8
    function invariant_whatCameInIsLockedOwedOrBurned() public view {
        (uint256 balance, uint256 accounted) = handler.inputs();
        vm.assertEq(balance, accounted, "balance");
        vm.assertEq(balance, handler.paidIn(), "in");
        (uint256 owed, uint256 still) = handler.owedToTheManager();
        vm.assertEq(owed, still, "what the manager is owed is what it still divides");
    }

    /// forge-config: default.invariant.runs = 8
    function invariant_roundsGrowAndClocksStayWithinTheirBounds() public view {
        vm.assertTrue(!handler.roundShrank(), "a round shrank");
        for (uint256 i = 0; i < 4; i++) {
            Challenge memory record = handler.record(i);
            if (record.status == ChallengeStatus.None) continue;
            vm.assertTrue(record.round <= 12, "round");
            vm.assertTrue(record.openerClockS <= 302_400 && record.responderClockS <= 302_400, "a clock above C");
            bool isOpen = record.status == ChallengeStatus.Open;
            vm.assertTrue(!isOpen || (record.openerClockS != 0 && record.responderClockS != 0), "an empty clock");
        }
    }
}
