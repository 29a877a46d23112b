// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AlreadyAnchored, ZeroRoot} from "../../contracts/src/l2/Errors.sol";
import {RecordRegistry} from "../../contracts/src/l2/RecordRegistry.sol";
import {TestBase} from "./TestBase.sol";

contract RecordRegistryTest is TestBase {
    RecordRegistry private records;
    address private clinic = account("clinic");
    address private hospital = account("hospital");
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public {
        startClock();
        records = new RecordRegistry();
    }

    function anchor(address owner, bytes32 root) private returns (uint256) {
        vm.prank(owner);
        return records.anchor(root);
    }

    function test_anchorsForTheCaller() public {
        vm.expectEmit(address(records));
        emit RecordRegistry.Anchored(clinic, 0, ROOT);
        vm.assertEq(anchor(clinic, ROOT), 0, "index");
        vm.assertEq(records.anchorOf(clinic, ROOT), START_BLOCK, "block");
        vm.assertEq(records.anchorCount(clinic), 1, "count");
        vm.assertEq(records.anchorOf(hospital, ROOT), 0, "anchored for another");
    }

    function test_countsEachOwnerAlone() public {
        anchor(clinic, ROOT);
        vm.assertEq(anchor(clinic, keccak256("next")), 1, "clinic's second");
        vm.assertEq(anchor(hospital, keccak256("other")), 0, "hospital's first");
    }

    function test_refusesARootTwice() public {
        anchor(clinic, ROOT);
        vm.roll(START_BLOCK + 5);
        vm.expectRevert(abi.encodeWithSelector(AlreadyAnchored.selector, clinic, ROOT, START_BLOCK));
        anchor(clinic, ROOT);
        vm.assertEq(records.anchorOf(clinic, ROOT), START_BLOCK, "the first block stays");
    }

    function test_nobodyBlocksAnothersRootByAnchoringItFirst() public {
        anchor(hospital, ROOT);
        vm.assertEq(anchor(clinic, ROOT), 0, "index");
        vm.assertEq(records.anchorOf(clinic, ROOT), START_BLOCK, "block");
    }

    function test_refusesTheZeroRoot() public {
        vm.expectRevert(abi.encodeWithSelector(ZeroRoot.selector));
        anchor(clinic, bytes32(0));
    }

    function testFuzz_anchorsAnyRootOnce(address owner, bytes32 root) public {
        vm.assume(root != bytes32(0));
        anchor(owner, root);
        vm.expectRevert(abi.encodeWithSelector(AlreadyAnchored.selector, owner, root, START_BLOCK));
        anchor(owner, root);
        vm.assertEq(records.anchorCount(owner), 1, "count");
    }
}
