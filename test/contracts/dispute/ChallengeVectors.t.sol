// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeManager} from "../../../contracts/src/l1/dispute/ChallengeManager.sol";
import {Move, Parties, Party} from "../../../contracts/src/l1/dispute/DisputeTypes.sol";
import {ChallengeTestBase} from "./ChallengeTestBase.sol";

/// @title The ChallengeManager against the vectors that the parties read too (test/unit/protocol/dispute/vectors.test.ts)
contract ChallengeVectorsTest is ChallengeTestBase {
    string private vectors;
    ChallengeManager private named;

    function setUp() public {
        setUpChallenges();
        vectors = vm.readFile("test/contracts/vectors/challenges.json");
        // Ids and signatures bind the address: the same code at the one that the vectors name.
        named = ChallengeManager(vm.parseJsonAddress(vectors, ".challengeManager"));
        vm.etch(address(named), address(challenges).code);
    }

    function test_namesAChallengeAndAConcessionAsTheVectorsDo() public view {
        Parties memory parties =
            Parties(vm.parseJsonBytes32(vectors, ".parties.parent"), party(".parties.O"), party(".parties.R"));
        bytes32 challenge = vm.parseJsonBytes32(vectors, ".challenge");
        vm.assertEq(named.challengeIdOf(parties), challenge, "id");
        vm.assertEq(named.concessionDigestOf(challenge), vm.parseJsonBytes32(vectors, ".concession"), "concession");
    }

    function test_hashesAMoveAsTheVectorsDo() public view {
        Move memory move = Move({
            challenge: word(".move.challenge"),
            round: uint8(number(".move.round")),
            choice: uint8(number(".move.choice")),
            iteration: uint64(number(".move.iteration")),
            step: uint64(number(".move.step")),
            prev: word(".move.prev"),
            start: word(".move.start"),
            end: word(".move.end"),
            root: word(".move.root")
        });
        vm.assertEq(named.digestOf(move), word(".digest"), "digest");
    }

    function party(string memory path) private view returns (Party memory) {
        return Party({
            node: word(string.concat(path, ".node")),
            stakeId: number(string.concat(path, ".stakeId")),
            owner: vm.parseJsonAddress(vectors, string.concat(path, ".owner")),
            signer: vm.parseJsonAddress(vectors, string.concat(path, ".signer"))
        });
    }

    function word(string memory path) private view returns (bytes32) {
        return vm.parseJsonBytes32(vectors, path);
    }

    function number(string memory path) private view returns (uint256) {
        return vm.parseJsonUint(vectors, path);
    }
}
