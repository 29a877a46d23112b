// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeManager} from "../../../contracts/src/l1/dispute/ChallengeManager.sol";
import {Answer, Parties, StepClaim} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title What each call costs as a transaction, against docs/design/0034-challenges.md
/// @notice What went before is done in setUp, so that storage costs what it costs in a transaction of its own.
abstract contract ChallengeGasBase is ChallengeTestBase {
    uint256 private constant TRANSACTION_GAS = 21_000;

    /// @dev The intrinsic gas and the call's, at least the floor of EIP-7623.
    function gasOf(address from, bytes memory data) internal returns (uint256 gasUsed) {
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; i++) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        address[7] memory cold = [
            address(challenges),
            address(rollup),
            address(guardian),
            address(systemConfig),
            address(batches),
            address(verifier),
            address(timelock)
        ];
        for (uint256 i = 0; i < cold.length; i++) {
            vm.cool(cold[i]);
        }
        vm.prank(from);
        uint256 before = gasleft();
        (bool isDone,) = address(challenges).call(data);
        gasUsed = before - gasleft() + TRANSACTION_GAS + 4 * tokens;
        vm.assertTrue(isDone, "the call failed");
        uint256 floor = TRANSACTION_GAS + 10 * tokens;
        if (floor > gasUsed) gasUsed = floor;
    }

    function assertWithin(uint256 gasUsed, uint256 most, string memory what) internal pure {
        vm.assertTrue(gasUsed <= most, string.concat(what, " costs ", vm.toString(gasUsed)));
        vm.assertTrue(gasUsed > most - most / 20, string.concat(what, " costs only ", vm.toString(gasUsed)));
    }

    function answerCall(Parties memory p, Tale memory tale, Message memory prev, bytes memory signature)
        internal
        view
        returns (bytes memory)
    {
        Message memory next = reply(tale, prev, choose(tale, prev));
        Answer memory given = Answer(next.move_.choice, openingOf(prev, next.move_.choice), next.points);
        if (next.move_.round != 5) return abi.encodeCall(ChallengeManager.answer, (p, prev.move_, signature, given));
        return abi.encodeCall(
            ChallengeManager.answerBySteps,
            (
                p,
                prev.move_,
                signature,
                given,
                stateAfter(tale, next.move_.iteration),
                machineAt(tale, next.move_.iteration, 2 ** 40)
            )
        );
    }
}

contract ChallengeGasWithoutARecordTest is ChallengeGasBase {
    function setUp() public {
        setUpChallenges();
    }

    function test_open() public {
        Parties memory p = parties();
        bytes memory data = abi.encodeCall(ChallengeManager.open, (p, firstMessage(p, told()).points));
        assertWithin(gasOf(p.opener.signer, data), 226_000, "open");
    }

    function test_openByASignedMessage() public {
        Parties memory p = parties();
        Message memory prev = talkTo(p, told(), invented(), 6);
        bytes memory data = answerCall(p, told(), prev, signed(p, prev));
        assertWithin(gasOf(p.opener.signer, data), 245_000, "open by a signed message");
    }

    function test_settleATalk() public {
        Parties memory p = parties();
        Message memory last = talkTo(p, told(), invented(), 12);
        StepClaim memory claim = claimOn(last);
        bytes memory data = abi.encodeCall(ChallengeManager.settle, (p, last.move_, signed(p, last), claim));
        assertWithin(gasOf(p.opener.signer, data), 305_000, "settle a talk");
    }

    function test_concede() public {
        Parties memory p = parties();
        bytes memory signature = sign(p.responder, challenges.concessionDigestOf(challenges.challengeIdOf(p)));
        bytes memory data = abi.encodeCall(ChallengeManager.concede, (p, false, signature));
        assertWithin(gasOf(stranger, data), 234_000, "concede");
    }
}

abstract contract ChallengeGasPlayed is ChallengeGasBase {
    Message internal played;

    function play(uint8 round) internal {
        setUpChallenges();
        played = playTo(parties(), told(), invented(), round);
        vm.warp(block.timestamp + 1 hours);
    }

    function taleNow() internal view returns (Tale memory) {
        return played.move_.round % 2 == 1 ? invented() : told();
    }

    function signerNow() internal view returns (address) {
        return played.move_.round % 2 == 1 ? parties().responder.signer : parties().opener.signer;
    }
}

contract ChallengeGasAtRoundOneTest is ChallengeGasPlayed {
    function setUp() public {
        play(1);
    }

    function test_firstAnswer() public {
        assertWithin(gasOf(signerNow(), answerCall(parties(), taleNow(), played, "")), 138_000, "first answer");
    }
}

contract ChallengeGasAtRoundSixTest is ChallengeGasPlayed {
    function setUp() public {
        play(6);
    }

    function test_answer() public {
        assertWithin(gasOf(signerNow(), answerCall(parties(), taleNow(), played, "")), 118_000, "answer");
    }

    function test_jump() public {
        Parties memory p = parties();
        Message memory prev = talkTo(p, told(), invented(), 8);
        assertWithin(gasOf(signerNow(), answerCall(p, told(), prev, signed(p, prev))), 127_500, "jump");
    }

    function test_timeout() public {
        vm.warp(block.timestamp + 302_400);
        assertWithin(gasOf(stranger, abi.encodeCall(ChallengeManager.timeout, (parties()))), 181_000, "timeout");
    }
}

contract ChallengeGasAtRoundFourTest is ChallengeGasPlayed {
    function setUp() public {
        play(4);
    }

    function test_answerBySteps() public {
        assertWithin(gasOf(signerNow(), answerCall(parties(), taleNow(), played, "")), 169_000, "answer by steps");
    }
}

contract ChallengeGasAtTheEndTest is ChallengeGasPlayed {
    StepClaim private claim;

    function setUp() public {
        play(12);
        claim = claimOn(played);
    }

    function test_settle() public {
        bytes memory data = abi.encodeCall(ChallengeManager.settle, (parties(), played.move_, "", claim));
        assertWithin(gasOf(parties().opener.signer, data), 244_000, "settle");
    }
}
