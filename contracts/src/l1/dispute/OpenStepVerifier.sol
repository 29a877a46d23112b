// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, MachineState, NO_READ, Read} from "./IStepVerifier.sol";
import {OpenedMemory} from "./OpenedMemory.sol";
import {FIELD_MODULUS, Poseidon2} from "./Poseidon2.sol";
import {Rv32im} from "./Rv32im.sol";

/// @title OpenStepVerifier: executes one step of the machine from opened memory
/// @notice The machine of docs/design/0031-dispute-machine.md in Solidity, with no secret and no setup: what stands beside the proof's
/// verifier until strangers have audited the circuit. Everything that is read is shown to be under the core of the state before.
///
/// The proof is a list of words of 32 bytes:
///
/// | words | are |
/// |---|---|
/// | 5 | registers and pc as they are hashed: e0 to e4 |
/// | 1 | root of the memory |
/// | 1 + 28 | the leaf at pc, and its siblings |
/// | 1 + 28 | the leaf that is loaded, stored to, given out or written by a call, and its siblings |
/// | 2 + 27 | the leaves of a key, and the siblings of the node above them |
///
/// Groups that a step does not need are left out, from the end; a state that has ended needs no word.
contract OpenStepVerifier is IStepVerifier {
    uint256 private constant ROOT_AT = 5;
    uint256 private constant CODE_AT = 6;
    uint256 private constant DATA_AT = CODE_AT + 1 + OpenedMemory.LEVELS;
    uint256 private constant KEY_AT = DATA_AT + 1 + OpenedMemory.LEVELS;
    uint256 private constant END_AT = KEY_AT + 2 + OpenedMemory.LEVELS - 1;

    uint256 private constant KEPT_PAGE_AT = 0xfffff000;
    uint256 private constant PACKED_PER_WORD = 7;
    uint256 private constant LEAF_MASK = type(uint128).max;
    uint8 private constant RUN = 0;
    uint8 private constant OK = 1;
    uint8 private constant FAIL = 2;
    uint256 private constant A0 = 10;
    uint256 private constant A1 = 11;
    uint256 private constant A2 = 12;
    uint256 private constant A3 = 13;
    uint256 private constant A7 = 17;
    uint256 private constant LAST_KIND = 2;

    /// @dev The machine while it makes its step. A field that the step does not change keeps what it was.
    /// @param rounds Poseidon2's constants
    /// @param words registers and pc, packed
    /// @param root the memory's
    /// @param output what it answers
    /// @param flag whether it runs
    /// @param isProven false as soon as the proof does not show what the step reads
    /// @param asks whether it asked for a preimage
    struct Machine {
        bytes rounds;
        uint256[5] words;
        uint256 root;
        bytes32 output;
        uint8 flag;
        bool isProven;
        bool asks;
    }

    /// @inheritdoc IStepVerifier
    function verify(MachineState calldata pre, MachineState calldata post, Read calldata read, bytes calldata proof)
        external
        pure
        returns (bool)
    {
        bool isCanonical = uint256(pre.core) < FIELD_MODULUS && uint256(post.core) < FIELD_MODULUS && pre.flag <= FAIL;
        if (!isCanonical || pre.input != post.input) return false;
        bytes32 core = pre.core;
        uint256[5] memory words = [uint256(0), 0, 0, 0, 0];
        Machine memory machine = Machine("", words, 0, pre.output, pre.flag, true, false);
        if (pre.flag == RUN) {
            if (!_open(machine, proof, pre.core)) return false;
            _step(machine, proof, pre.input, read);
            if (!machine.isProven) return false;
            if (machine.flag == RUN) core = bytes32(Poseidon2.hashSix(machine.rounds, machine.words, machine.root));
        }
        if (!machine.asks && !_isNothing(read)) return false;
        return post.core == core && post.output == machine.output && post.flag == machine.flag;
    }

    /// @dev Takes registers, pc and memory's root from the proof, and holds them against the core.
    function _open(Machine memory machine, bytes calldata proof, bytes32 core) private pure returns (bool) {
        if (proof.length < 32 * CODE_AT) return false;
        for (uint256 i = 0; i < ROOT_AT; i++) {
            uint256 word = OpenedMemory.wordAt(proof, i);
            if (word >> (i == 4 ? 128 : 32 * PACKED_PER_WORD) != 0) return false;
            machine.words[i] = word;
        }
        machine.root = OpenedMemory.wordAt(proof, ROOT_AT);
        if (machine.root >= FIELD_MODULUS) return false;
        machine.rounds = Poseidon2.load();
        return Poseidon2.hashSix(machine.rounds, machine.words, machine.root) == uint256(core);
    }

    function _step(Machine memory machine, bytes calldata proof, bytes32 input, Read calldata read) private pure {
        uint256 pc = _pc(machine);
        if (pc & 3 != 0) return _fault(machine);
        uint256 word = _wordIn(_leafAt(machine, proof, CODE_AT, pc), pc);
        if (!machine.isProven) return;
        if (word == Rv32im.ECALL_WORD) return _call(machine, proof, input, read);
        uint256 opcode = word & 0x7f;
        if (opcode == Rv32im.OP_LOAD) return _load(machine, proof, word);
        if (opcode == Rv32im.OP_STORE) return _store(machine, proof, word);
        _compute(machine, word, opcode, pc);
    }

    /// @dev All that leaves memory alone.
    function _compute(Machine memory machine, uint256 word, uint256 opcode, uint256 pc) private pure {
        uint256 funct3 = (word >> 12) & 7;
        uint256 a = _register(machine, (word >> 15) & 0x1f);
        uint256 b = _register(machine, (word >> 20) & 0x1f);
        uint256 next = Rv32im.sum(pc, 4);
        uint256 result = next;
        bool isLegal = true;
        bool writes = true;
        if (opcode == Rv32im.OP_LUI) {
            result = Rv32im.immediateU(word);
        } else if (opcode == Rv32im.OP_AUIPC) {
            result = Rv32im.sum(pc, Rv32im.immediateU(word));
        } else if (opcode == Rv32im.OP_JAL) {
            next = Rv32im.sum(pc, Rv32im.immediateJ(word));
        } else if (opcode == Rv32im.OP_JALR) {
            next = Rv32im.sum(a, Rv32im.immediateI(word)) & ~uint256(1);
            isLegal = funct3 == 0;
        } else if (opcode == Rv32im.OP_BRANCH) {
            bool isTaken;
            (isTaken, isLegal) = Rv32im.compare(funct3, a, b);
            if (isTaken) next = Rv32im.sum(pc, Rv32im.immediateB(word));
            writes = false;
        } else if (opcode == Rv32im.OP_IMMEDIATE) {
            (result, isLegal) = Rv32im.withImmediate(funct3, word >> 25, a, Rv32im.immediateI(word));
        } else if (opcode == Rv32im.OP_REGISTERS) {
            (result, isLegal) = Rv32im.withRegisters(funct3, word >> 25, a, b);
        } else {
            isLegal = opcode == Rv32im.OP_FENCE;
            writes = false;
        }
        if (!isLegal || next & 3 != 0) return _fault(machine);
        if (writes) _setRegister(machine, (word >> 7) & 0x1f, result);
        _setPc(machine, next);
    }

    function _load(Machine memory machine, bytes calldata proof, uint256 word) private pure {
        uint256 funct3 = (word >> 12) & 7;
        uint256 size = _sizeOf(funct3 & 3);
        uint256 location = Rv32im.sum(_register(machine, (word >> 15) & 0x1f), Rv32im.immediateI(word));
        if (size == 0 || funct3 > 5 || location & (size - 1) != 0) return _fault(machine);
        uint256 value = (_leafAt(machine, proof, DATA_AT, location) >> (8 * (location & 15))) & ((1 << (8 * size)) - 1);
        _setRegister(machine, (word >> 7) & 0x1f, funct3 < 4 ? Rv32im.extended(value, 8 * size) : value);
        _goOn(machine);
    }

    function _store(Machine memory machine, bytes calldata proof, uint256 word) private pure {
        uint256 size = _sizeOf((word >> 12) & 7);
        uint256 location = Rv32im.sum(_register(machine, (word >> 15) & 0x1f), Rv32im.immediateS(word));
        if (size == 0 || location & (size - 1) != 0 || location >= KEPT_PAGE_AT) return _fault(machine);
        uint256 mask = ((1 << (8 * size)) - 1) << (8 * (location & 15));
        uint256 value = _register(machine, (word >> 20) & 0x1f) << (8 * (location & 15));
        uint256 leaf = _leafAt(machine, proof, DATA_AT, location);
        _replace(machine, proof, location, (leaf & ~mask) | (value & mask));
        _goOn(machine);
    }

    function _call(Machine memory machine, bytes calldata proof, bytes32 input, Read calldata read) private pure {
        uint256 number = _register(machine, A7);
        uint256 location = _register(machine, A0);
        uint256 half = _register(machine, A1);
        if (number == 0) {
            machine.flag = location == 0 ? OK : FAIL;
        } else if (number == 1) {
            if (location & 15 != 0 || half > 1) return _fault(machine);
            uint256 leaf = _leafAt(machine, proof, DATA_AT, location);
            machine.output = OpenedMemory.withHalf(machine.output, half, leaf);
            _goOn(machine);
        } else if (number == 2) {
            if (!_isDestination(location) || half > 1) return _fault(machine);
            _leafAt(machine, proof, DATA_AT, location);
            _replace(machine, proof, location, OpenedMemory.leafOf(input, half));
            _goOn(machine);
        } else if (number == 3) {
            _read(machine, proof, read);
        } else {
            _fault(machine);
        }
    }

    function _read(Machine memory machine, bytes calldata proof, Read calldata read) private pure {
        uint256 kind = _register(machine, A0);
        uint256 keyAt = _register(machine, A1);
        uint256 offset = _register(machine, A2);
        uint256 location = _register(machine, A3);
        if (kind > LAST_KIND || keyAt & 31 != 0 || offset & 15 != 0 || !_isDestination(location)) {
            return _fault(machine);
        }
        machine.asks = true;
        bool isAsked = read.kind == kind && read.offset == offset && _isKey(machine, proof, keyAt, read.key);
        if (!isAsked) {
            machine.isProven = false;
            return;
        }
        _leafAt(machine, proof, DATA_AT, location);
        _replace(machine, proof, location, OpenedMemory.reversed(uint128(read.data)));
        _setRegister(machine, A0, read.length);
        _goOn(machine);
    }

    /// @dev Whether the 32 bytes at an address are a key.
    function _isKey(Machine memory machine, bytes calldata proof, uint256 location, bytes32 key)
        private
        pure
        returns (bool)
    {
        if (proof.length < 32 * END_AT) return false;
        uint256 first = OpenedMemory.wordAt(proof, KEY_AT);
        uint256 second = OpenedMemory.wordAt(proof, KEY_AT + 1);
        if (first != OpenedMemory.leafOf(key, 0) || second != OpenedMemory.leafOf(key, 1)) return false;
        uint256 node = Poseidon2.hashPair(machine.rounds, first, second);
        uint256 levels = OpenedMemory.LEVELS - 1;
        (uint256 root, bool isCanonical) =
            OpenedMemory.rootFrom(machine.rounds, proof, KEY_AT + 2, levels, location >> 5, node);
        return isCanonical && root == machine.root;
    }

    /// @dev The leaf at an address, which the proof shows in the group that begins at a word.
    function _leafAt(Machine memory machine, bytes calldata proof, uint256 group, uint256 location)
        private
        pure
        returns (uint256 leaf)
    {
        if (proof.length >= 32 * (group + 1 + OpenedMemory.LEVELS)) {
            leaf = OpenedMemory.wordAt(proof, group);
            if (leaf <= LEAF_MASK && _rootWith(machine, proof, group, location, leaf) == machine.root) return leaf;
        }
        machine.isProven = false;
        return 0;
    }

    /// @dev Replaces the leaf that was shown in the group of data.
    function _replace(Machine memory machine, bytes calldata proof, uint256 location, uint256 leaf) private pure {
        if (machine.isProven) machine.root = _rootWith(machine, proof, DATA_AT, location, leaf);
    }

    function _rootWith(Machine memory machine, bytes calldata proof, uint256 group, uint256 location, uint256 leaf)
        private
        pure
        returns (uint256 root)
    {
        bool isCanonical;
        (root, isCanonical) =
            OpenedMemory.rootFrom(machine.rounds, proof, group + 1, OpenedMemory.LEVELS, location >> 4, leaf);
        if (!isCanonical) machine.isProven = false;
    }

    function _goOn(Machine memory machine) private pure {
        _setPc(machine, Rv32im.sum(_pc(machine), 4));
    }

    /// @dev What is no legal step ends the machine; nothing of it was changed before.
    function _fault(Machine memory machine) private pure {
        machine.flag = FAIL;
    }

    function _pc(Machine memory machine) private pure returns (uint256) {
        return machine.words[4] >> 96;
    }

    function _setPc(Machine memory machine, uint256 pc) private pure {
        machine.words[4] = (machine.words[4] & ((1 << 96) - 1)) | (pc << 96);
    }

    function _register(Machine memory machine, uint256 index) private pure returns (uint256) {
        if (index == 0) return 0;
        uint256 place = index - 1;
        return (machine.words[place / PACKED_PER_WORD] >> (32 * (place % PACKED_PER_WORD))) & Rv32im.MASK;
    }

    function _setRegister(Machine memory machine, uint256 index, uint256 value) private pure {
        if (index == 0) return;
        uint256 place = index - 1;
        uint256 shift = 32 * (place % PACKED_PER_WORD);
        uint256 word = machine.words[place / PACKED_PER_WORD];
        machine.words[place / PACKED_PER_WORD] = (word & ~(Rv32im.MASK << shift)) | (value << shift);
    }

    function _wordIn(uint256 leaf, uint256 location) private pure returns (uint256) {
        return (leaf >> (8 * (location & 12))) & Rv32im.MASK;
    }

    /// @dev Bytes that an access takes; 0 when there is none of that size.
    function _sizeOf(uint256 funct3) private pure returns (uint256) {
        return funct3 > 2 ? 0 : 1 << funct3;
    }

    function _isDestination(uint256 location) private pure returns (bool) {
        return location & 15 == 0 && location < KEPT_PAGE_AT;
    }

    function _isNothing(Read calldata read) private pure returns (bool) {
        return read.kind == NO_READ && read.key == 0 && read.offset == 0 && read.data == 0 && read.length == 0;
    }
}
