// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepHonk} from "../../contracts/src/l1/dispute/IStepHonk.sol";
import {MachineState, NO_READ, Read} from "../../contracts/src/l1/dispute/IStepVerifier.sol";
import {StepHonk} from "../../contracts/honk/StepHonk.sol";
import {ZkStepVerifier} from "../../contracts/src/l1/dispute/ZkStepVerifier.sol";
import {TestBase} from "./TestBase.sol";

/// @title Proofs of steps of each kind, by a development SRS (scripts/circuit.ts vectors)
contract ZkStepVerifierTest is TestBase {
    uint256 private constant MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant STEPS = 9;
    uint256 private constant READ = 5;
    uint256 private constant FIELD_BYTES = 32;
    string private vectors;
    bytes private key;
    ZkStepVerifier private verifier;

    struct Step {
        MachineState pre;
        MachineState post;
        Read read;
        bytes proof;
    }

    function setUp() public {
        vectors = vm.readFile("test/contracts/vectors/step-proofs.json");
        key = vm.parseJsonBytes(vectors, ".key");
        verifier = new ZkStepVerifier(IStepHonk(address(new StepHonk(key))));
    }

    function test_takesAStepOfEachKind() public view {
        for (uint256 index = 0; index < STEPS; index++) {
            vm.assertTrue(verify(stepAt(index)), place(index, ".name"));
        }
        vm.assertTrue(!vm.keyExistsJson(vectors, place(STEPS, "")), "steps in the vectors");
    }

    function test_gasOfARead() public view {
        Step memory step = stepAt(READ);
        uint256 before = gasleft();
        bool isTrue = verify(step);
        uint256 used = before - gasleft();
        vm.assertTrue(isTrue && used < 720_000, vm.toString(used));
    }

    function test_refusesEveryOtherEnd() public view {
        for (uint256 index = 0; index < STEPS; index++) {
            Step memory step = stepAt(index);
            step.post.core = bytes32(addmod(uint256(step.post.core), 1, MODULUS));
            refuse(step, "core");
            step = stepAt(index);
            step.post.flag = (step.post.flag + 1) % 3;
            refuse(step, "flag");
            step = stepAt(index);
            step.post.output ^= bytes32(uint256(1));
            refuse(step, "second half of the output");
            step = stepAt(index);
            step.post.output ^= bytes32(uint256(1) << 255);
            refuse(step, "first half of the output");
        }
    }

    function test_refusesEveryOtherBeginning() public view {
        Step memory step = stepAt(READ);
        step.pre.core = bytes32(addmod(uint256(step.pre.core), 1, MODULUS));
        refuse(step, "core");
        step = stepAt(READ);
        step.pre.flag = 1;
        refuse(step, "flag");
        step = stepAt(READ);
        step.pre.output ^= bytes32(uint256(1));
        refuse(step, "output");
        step = stepAt(READ);
        step.pre.input ^= bytes32(uint256(1));
        step.post.input = step.pre.input;
        refuse(step, "input, which the proof is bound to");
    }

    function test_refusesEveryOtherRead() public view {
        Step memory step = stepAt(READ);
        step.read.kind = 1;
        refuse(step, "kind");
        step = stepAt(READ);
        step.read.key ^= bytes32(uint256(1));
        refuse(step, "key");
        step = stepAt(READ);
        step.read.offset += 16;
        refuse(step, "offset");
        step = stepAt(READ);
        step.read.data ^= bytes16(uint128(1));
        refuse(step, "data");
        step = stepAt(READ);
        step.read.length += 1;
        refuse(step, "length");
        step = stepAt(READ);
        step.read = Read(NO_READ, 0, 0, 0, 0);
        refuse(step, "nothing");
        step = stepAt(0);
        step.read.length = 1;
        refuse(step, "a length of what is not read");
    }

    function test_refusesASecondEncoding() public view {
        Step memory step = stepAt(0);
        step.pre.core = bytes32(uint256(step.pre.core) + MODULUS);
        refuse(step, "core before");
        step = stepAt(0);
        step.post.core = bytes32(uint256(step.post.core) + MODULUS);
        refuse(step, "core after");
        step = stepAt(6);
        step.pre.flag = 3;
        refuse(step, "flag before");
        step = stepAt(7);
        step.post.flag = 3;
        refuse(step, "flag after");
        step = stepAt(0);
        step.post.input ^= bytes32(uint256(1));
        refuse(step, "two inputs");
    }

    function test_refusesEveryAlteredWordOfAProof() public view {
        Step memory step = stepAt(READ);
        for (uint256 where = 0; where < step.proof.length; where += FIELD_BYTES) {
            step.proof[where + FIELD_BYTES - 1] ^= 0x01;
            refuse(step, string.concat("word ", vm.toString(where / FIELD_BYTES)));
            step.proof[where + FIELD_BYTES - 1] ^= 0x01;
        }
        vm.assertTrue(verify(step), "the proof is as it was");
    }

    function test_refusesEveryWordOfAProofInASecondEncoding() public view {
        Step memory step = stepAt(READ);
        bytes memory proof = step.proof;
        for (uint256 where = 0; where < proof.length; where += FIELD_BYTES) {
            uint256 word = load(proof, where);
            store(proof, where, word + MODULUS);
            refuse(step, string.concat("word ", vm.toString(where / FIELD_BYTES)));
            store(proof, where, word);
        }
        vm.assertTrue(verify(step), "the proof is as it was");
    }

    function test_refusesAProofOfAnotherLength() public view {
        Step memory step = stepAt(0);
        step.proof = bytes.concat(step.proof, bytes32(0));
        refuse(step, "longer");
        step.proof = "";
        refuse(step, "none");
    }

    function test_refusesAProofByAnotherKey() public {
        Step memory step = stepAt(0);
        bytes memory other = key;
        for (uint256 where = 0; where < 160; where += FIELD_BYTES) {
            uint256 word = load(other, where);
            store(other, where, word ^ 1);
            ZkStepVerifier wrong = new ZkStepVerifier(IStepHonk(address(new StepHonk(other))));
            vm.assertTrue(!wrong.verify(step.pre, step.post, step.read, step.proof), "another key");
            store(other, where, word);
        }
    }

    function test_saysWhichKeyItHas() public {
        vm.assertEq(new StepHonk(key).KEY_HASH(), keccak256(key), "hash");
        vm.expectRevert();
        new StepHonk(bytes.concat(key, bytes32(0)));
    }

    function verify(Step memory step) private view returns (bool) {
        return verifier.verify(step.pre, step.post, step.read, step.proof);
    }

    function refuse(Step memory step, string memory what) private view {
        vm.assertTrue(!verify(step), string.concat("takes another ", what));
    }

    function stepAt(uint256 index) private view returns (Step memory) {
        Read memory read = Read(
            uint32(vm.parseJsonUint(vectors, place(index, ".read.kind"))),
            vm.parseJsonBytes32(vectors, place(index, ".read.key")),
            uint32(vm.parseJsonUint(vectors, place(index, ".read.offset"))),
            bytes16(vm.parseJsonBytes(vectors, place(index, ".read.data"))),
            uint32(vm.parseJsonUint(vectors, place(index, ".read.length")))
        );
        bytes memory proof = vm.parseJsonBytes(vectors, place(index, ".proof"));
        return Step(stateAt(place(index, ".pre")), stateAt(place(index, ".post")), read, proof);
    }

    function stateAt(string memory where) private view returns (MachineState memory) {
        return MachineState(
            vm.parseJsonBytes32(vectors, string.concat(where, ".core")),
            vm.parseJsonBytes32(vectors, string.concat(where, ".input")),
            vm.parseJsonBytes32(vectors, string.concat(where, ".output")),
            uint8(vm.parseJsonUint(vectors, string.concat(where, ".flag")))
        );
    }

    function place(uint256 index, string memory part) private pure returns (string memory) {
        return string.concat(".steps[", vm.toString(index), "]", part);
    }

    function load(bytes memory data, uint256 where) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), where))
        }
    }

    function store(bytes memory data, uint256 where, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x20), where), word)
        }
    }
}
