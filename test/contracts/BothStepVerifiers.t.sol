// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ZeroAddress} from "../../contracts/src/l1/Errors.sol";
import {BothStepVerifiers} from "../../contracts/src/l1/dispute/BothStepVerifiers.sol";
import {IStepVerifier, MachineState, Read} from "../../contracts/src/l1/dispute/IStepVerifier.sol";
import {TestBase} from "./TestBase.sol";

/// @dev Believes one proof alone.
contract OneProof is IStepVerifier {
    bytes32 private immutable digest;

    constructor(bytes memory proof) {
        digest = keccak256(proof);
    }

    function verify(MachineState calldata, MachineState calldata, Read calldata, bytes calldata proof)
        external
        view
        returns (bool)
    {
        return keccak256(proof) == digest;
    }
}

contract BothStepVerifiersTest is TestBase {
    BothStepVerifiers private both;

    function setUp() public {
        both = new BothStepVerifiers(new OneProof("one"), new OneProof("other"));
    }

    function test_bothHaveToSaySo() public view {
        vm.assertTrue(_verify("one", "other"), "both proofs are right");
        vm.assertTrue(!_verify("wrong", "other"), "the first is wrong");
        vm.assertTrue(!_verify("one", "wrong"), "the second is wrong");
        vm.assertTrue(!_verify("other", "one"), "each has its own");
    }

    function test_noVerifierIsMissing() public {
        IStepVerifier one = new OneProof("one");
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new BothStepVerifiers(one, IStepVerifier(address(0)));
        vm.expectRevert(abi.encodeWithSelector(ZeroAddress.selector));
        new BothStepVerifiers(IStepVerifier(address(0)), one);
    }

    function _verify(bytes memory first, bytes memory second) private view returns (bool) {
        MachineState memory state;
        Read memory read;
        return both.verify(state, state, read, abi.encode(first, second));
    }
}
