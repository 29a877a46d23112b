// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, MachineState, NO_READ, Read} from "../../../contracts/src/l1/dispute/IStepVerifier.sol";

/// @title A verifier of a small machine that the tests know by heart, in the place of a proof
/// @notice Step n of input I has core hash(I) x 2^64 + n; it halts at step HALT with the output that it was taught. A step that was
/// taught to read depends on the answer. It says true for the one successor of a state and looks at no proof.
contract TestStepVerifier is IStepVerifier {
    uint64 public constant HALT = 2 ** 38 + 12_345;
    bytes32 private constant CORE0 = bytes32("core0") >> 4;

    struct Question {
        bool isAsked;
        uint32 kind;
        bytes32 key;
        uint32 offset;
    }

    mapping(bytes32 input => bytes32 output) private outputs;
    mapping(bytes32 core => Question question) private questions;
    /// @notice Says true to everything, as an unsound verifier would.
    bool public isUnsound;
    /// @notice Says false to everything, as a broken one would.
    bool public isBroken;

    function teachOutput(bytes32 input, bytes32 output) external {
        outputs[input] = output;
    }

    function teachRead(bytes32 core, uint32 kind, bytes32 key, uint32 offset) external {
        questions[core] = Question(true, kind, key, offset);
    }

    function breakIt(bool unsound, bool broken) external {
        (isUnsound, isBroken) = (unsound, broken);
    }

    function verify(MachineState calldata pre, MachineState calldata post, Read calldata read, bytes calldata)
        external
        view
        returns (bool)
    {
        if (isBroken || isUnsound) return isUnsound;
        Question memory asked = questions[pre.core];
        bool isAnswered = asked.isAsked
            ? read.kind == asked.kind && read.key == asked.key && read.offset == asked.offset
            : read.kind == NO_READ;
        return isAnswered && keccak256(abi.encode(successor(pre, read))) == keccak256(abi.encode(post));
    }

    function coreOf(bytes32 input, bytes32 tag, uint64 step) public pure returns (bytes32) {
        if (step == 0) return CORE0;
        return bytes32(((uint256(keccak256(abi.encode(input, tag))) >> 80) << 64) | step);
    }

    function successor(MachineState calldata pre, Read calldata read) public view returns (MachineState memory post) {
        post = MachineState(pre.core, pre.input, pre.output, pre.flag);
        if (pre.flag != 0) return post;
        if (questions[pre.core].isAsked) {
            post.core = bytes32(uint256(keccak256(abi.encode(pre.core, read.data, read.length))) >> 4);
            return post;
        }
        bytes32 first = coreOf(pre.input, bytes32(0), 1);
        post.core = pre.core == CORE0 ? first : bytes32(uint256(pre.core) + 1);
        if (uint64(uint256(post.core)) == HALT) (post.output, post.flag) = (outputs[pre.input], 1);
    }
}
