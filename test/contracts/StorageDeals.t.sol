// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AmountLocked,
    AskedAlready,
    ChallengeOpen,
    CollateralTooSmall,
    DeadlineIs,
    DealOpen,
    DealOver,
    NoChallenge,
    NoDeal,
    NoQuestion,
    NotEnded,
    NothingStored,
    NotParty,
    NotUnpaid,
    RateTooHigh,
    SetStale,
    SettleFirst,
    TermsStale,
    WrongAnswer,
    WrongSet,
    WrongSignature,
    WrongValue
} from "../../contracts/src/l2/storage/DealErrors.sol";
import {Challenge, Deal, Terms} from "../../contracts/src/l2/storage/DealTypes.sol";
import {Answer, Beside, ShardProof} from "../../contracts/src/l2/storage/ShardProof.sol";
import {StorageDealsBase} from "./StorageDealsBase.sol";

contract StorageDealsTest is StorageDealsBase {
    function setUp() public {
        createDeals();
    }

    function test_opensOnTermsThatTheHolderSigned() public {
        openDeal();
        Deal memory deal = deals.dealOf(dealId);
        vm.assertEq(deal.payout, payout, "payout");
        vm.assertEq(uint256(deal.ratePerTiBDay), RATE, "rate");
        Terms memory form = terms();
        bytes memory signature = signTerms(form, HOLDER_KEY);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(DealOpen.selector, dealId));
        deals.open(form, signature);
    }

    function test_refusesTermsOfAnotherOrOld() public {
        Terms memory form = terms();
        bytes memory foreign = signTerms(form, STRANGER_KEY);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(WrongSignature.selector, holder));
        deals.open(form, foreign);
        bytes memory signature = signTerms(form, HOLDER_KEY);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(NotParty.selector, dealId, stranger));
        deals.open(form, signature);
        form.ratePerTiBDay++;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(WrongSignature.selector, holder));
        deals.open(form, signature);
        form.ratePerTiBDay = 2 ** 96 + 1;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(RateTooHigh.selector, uint128(2 ** 96 + 1), uint128(2 ** 96)));
        deals.open(form, signature);
        form = terms();
        vm.warp(block.timestamp + 1);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(TermsStale.selector, form.validUntil, uint32(0)));
        deals.open(form, signature);
    }

    function test_aClosedDealsTermsOpenNoOther() public {
        Terms memory form = terms();
        form.validUntil = type(uint64).max;
        bytes memory signature = signTerms(form, HOLDER_KEY);
        vm.prank(owner);
        deals.open(form, signature);
        vm.prank(owner);
        deals.letGo(holder);
        deals.close(owner, holder);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(TermsStale.selector, form.validUntil, uint32(0)));
        deals.open(form, signature);
        openDeal();
    }

    function test_paysEachEpochOnceAndByTheBytesInForceWhenItBegan() public {
        running();
        vm.assertEq(deals.owed(address(0), payout), 0, "the set was not in force in epoch 0");
        nextEpoch();
        deals.settle(dealId);
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), pay(SIZE), "one epoch");
        post(2, keccak256("more"), 2 * SIZE);
        nextEpoch();
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 2 * pay(SIZE), "the larger set counts from the next epoch");
        nextEpoch();
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 2 * pay(SIZE) + pay(2 * SIZE), "and then it does");
        uint256 before = payout.balance;
        deals.claim(address(0), payout);
        vm.assertEq(payout.balance - before, 2 * pay(SIZE) + pay(2 * SIZE), "claimed");
    }

    function test_aSetNeedsBothAndANewerNumber() public {
        running();
        bytes32 root = keccak256("other");
        bytes memory byOwner = signSet(0, 2, root, SIZE, OWNER_KEY);
        bytes memory byHolder = signSet(0, 2, root, SIZE, HOLDER_KEY);
        vm.expectRevert(abi.encodeWithSelector(WrongSignature.selector, owner));
        deals.postSet(owner, holder, 2, root, SIZE, byHolder, byHolder);
        vm.expectRevert(abi.encodeWithSelector(WrongSignature.selector, holder));
        deals.postSet(owner, holder, 2, root, SIZE, byOwner, byOwner);
        vm.expectRevert(abi.encodeWithSelector(WrongSignature.selector, owner));
        deals.postSet(owner, holder, 3, root, SIZE, byOwner, byHolder);
        deals.postSet(owner, holder, 2, root, SIZE, byOwner, byHolder);
        vm.expectRevert(abi.encodeWithSelector(SetStale.selector, uint64(2), uint64(2)));
        deals.postSet(owner, holder, 2, root, SIZE, byOwner, byHolder);
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(SetStale.selector, uint64(1), uint64(2)));
        this.postOutside(1, setRoot(), SIZE);
        vm.expectRevert(abi.encodeWithSelector(WrongSet.selector, root, uint64(0)));
        this.postOutside(3, root, 0);
        vm.expectRevert(abi.encodeWithSelector(WrongSet.selector, bytes32(0), uint64(256)));
        this.postOutside(3, 0, 256);
        vm.expectRevert(abi.encodeWithSelector(WrongSet.selector, root, uint64(255)));
        this.postOutside(3, root, 255);
    }

    function postOutside(uint64 seq, bytes32 root, uint64 size) external {
        post(seq, root, size);
    }

    function test_growthNeedsCollateralAndShrinkingNone() public {
        running();
        uint64 large = 2 ** 50;
        uint256 needed = 90 * pay(large);
        vm.expectRevert(abi.encodeWithSelector(CollateralTooSmall.selector, 10 ether, needed));
        this.postOutside(2, keccak256("large"), large);
        Challenge memory asked = askedAs(owner);
        vm.warp(asked.deadline + 1);
        deals.fault(owner, holder);
        vm.assertEq(uint256(deals.dealOf(dealId).collateral), 0, "all of it is lost");
        post(2, keccak256("small"), 256);
    }

    function test_moneyThatIsLockedStays() public {
        running();
        post(2, keccak256("more"), 4 * SIZE);
        uint256 locked = 30 * pay(4 * SIZE);
        uint256 balance = deals.dealOf(dealId).balance;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AmountLocked.selector, balance - locked + 1, balance - locked));
        deals.withdraw(holder, balance - locked + 1);
        vm.prank(owner);
        deals.withdraw(holder, balance - locked);
        vm.assertEq(deals.owed(address(0), owner), balance - locked, "the rest is owed");
        uint256 needed = 90 * pay(4 * SIZE);
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(AmountLocked.selector, 10 ether, 10 ether - needed));
        deals.unlock(owner, 10 ether);
        bytes32 none = deals.idOf(stranger, holder);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(NoDeal.selector, none));
        deals.withdraw(holder, 1);
    }

    function test_collateralStaysWhileAQuestionIsOpen() public {
        running();
        Challenge memory asked = askedAs(owner);
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(ChallengeOpen.selector, dealId, asked.deadline));
        deals.unlock(owner, 1);
        for (uint8 question = 0; question < 5; question++) {
            deals.answer(dealId, question, answerTo(asked, question));
        }
        vm.prank(holder);
        deals.unlock(owner, 1);
    }

    function test_aDealThatIsOverClosesAfterItsQuestion() public {
        running();
        vm.prank(holder);
        deals.giveNotice(owner, holder);
        uint64 endsAt = deals.dealOf(dealId).endsAt;
        vm.warp(endsAt - 1);
        Challenge memory asked = askedAs(owner);
        vm.warp(endsAt + 1);
        vm.expectRevert(abi.encodeWithSelector(ChallengeOpen.selector, dealId, asked.deadline));
        deals.close(owner, holder);
        vm.warp(asked.deadline + 1);
        deals.fault(owner, holder);
        deals.close(owner, holder);
        vm.assertEq(deals.owed(address(0), owner) >= 10 ether, true, "the collateral is the owner's");
    }

    function shows(Answer calldata proof, uint256 leaves, uint256 place) external pure returns (bool) {
        return ShardProof.shows(proof, setRoot(), leaves, place);
    }

    /// @dev The way up a shard's tree takes as many bits of the index as it has levels: whoever has the first shard of three leaves
    /// would answer for the leaves 64 to 66 of the set.
    function test_aLeafOutsideItsShardIsWrong() public view {
        uint256 all = SIZE / 256;
        for (uint256 place = 0; place < 3; place++) {
            Answer memory proof = answerAt(place);
            vm.assertTrue(this.shows(proof, all, place), "its own place");
            vm.assertTrue(!this.shows(proof, all, place + 64), "a place of the other shard");
            vm.assertTrue(!this.shows(proof, all + 1, place), "another set");
            proof = answerAt(place + 64);
            vm.assertTrue(this.shows(proof, all, place + 64), "the other shard's own");
            vm.assertTrue(!this.shows(proof, all, place), "a place before it");
        }
    }

    function test_answersEndAChallengeAndEarnTheBond() public {
        running();
        Challenge memory asked = askedAs(owner);
        for (uint8 question = 0; question < 5; question++) {
            deals.answer(dealId, question, answerTo(asked, question));
        }
        vm.assertEq(uint256(deals.challengeOf(dealId).deadline), 0, "answered");
        vm.assertEq(deals.owed(address(0), payout), 0.002 ether, "the bond");
        nextEpoch();
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 0.002 ether + pay(SIZE), "the epoch is paid");
    }

    function test_everyLeafCanBeShownAndNoOtherStandsForIt() public {
        running();
        Challenge memory asked = askedAs(owner);
        uint256 place = deals.placeOf(asked.seed, 0, SIZE / 256);
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, answerAt((place + 1) % (SIZE / 256)));
        Answer memory proof = answerTo(asked, 0);
        proof.leaf[7] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        proof.setPath[0].leaves++;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        proof.setPath[0].isLeft = !proof.setPath[0].isLeft;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        proof.shardLeaves++;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        proof.setPath = new Beside[](0);
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        deals.answer(dealId, 0, proof);
        vm.expectRevert(abi.encodeWithSelector(NoQuestion.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        vm.expectRevert(abi.encodeWithSelector(NoQuestion.selector, uint8(5)));
        deals.answer(dealId, 5, proof);
    }

    /// @dev The same vectors as shard-trees.test.ts, which the node's own tree makes.
    function test_aShardsTreeIsThatOfTheProgram() public view {
        string memory vectors = vm.readFile("test/contracts/vectors/shards.json");
        vm.assertEq(answerAt(0).root, vm.parseJsonBytes32(vectors, ".roots[0]"), "one piece");
        vm.assertEq(answerAt(FIRST_BYTES / 256).root, vm.parseJsonBytes32(vectors, ".roots[1]"), "two pieces");
    }

    function test_silenceCostsTheEpochAndAPartOfTheCollateral() public {
        running();
        Challenge memory asked = askedAs(owner);
        deals.answer(dealId, 2, answerTo(asked, 2));
        vm.expectRevert(abi.encodeWithSelector(DeadlineIs.selector, asked.deadline));
        deals.fault(owner, holder);
        vm.warp(asked.deadline + 1);
        Answer memory late = answerTo(asked, 0);
        vm.expectRevert(abi.encodeWithSelector(DeadlineIs.selector, asked.deadline));
        deals.answer(dealId, 0, late);
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 0, "nothing is paid while a question is open");
        deals.fault(owner, holder);
        vm.assertEq(deals.owed(address(0), owner), 8 ether + 0.002 ether, "four of five, and the bond");
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 0, "the epoch is not paid");
        nextEpoch();
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), pay(SIZE), "the next one is");
        vm.expectRevert(abi.encodeWithSelector(NoChallenge.selector, dealId));
        deals.fault(owner, holder);
    }

    function test_onlyTheOwnerAsksOnceAnEpochAboutSomethingWithTheBond() public {
        openDeal();
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(NothingStored.selector, dealId));
        deals.challenge{value: 0.002 ether}(holder);
        nextEpoch();
        vm.prank(owner);
        deals.letGo(holder);
        deals.close(owner, holder);
        running();
        bytes32 none = deals.idOf(stranger, holder);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(NoDeal.selector, none));
        deals.challenge{value: 0.002 ether}(holder);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(WrongValue.selector, 1, 0.002 ether));
        deals.challenge{value: 1}(holder);
        Challenge memory asked = askedAs(owner);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ChallengeOpen.selector, dealId, asked.deadline));
        deals.challenge{value: 0.002 ether}(holder);
        for (uint8 question = 0; question < 5; question++) {
            deals.answer(dealId, question, answerTo(asked, question));
        }
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AskedAlready.selector, dealId, asked.epoch));
        deals.challenge{value: 0.002 ether}(holder);
    }

    function test_aLittleMoneyNowAndThenBuysNoLongStorage() public {
        running();
        uint256 balance = deals.dealOf(dealId).balance;
        // What is locked lasts 30 epochs; then nothing is left but what comes drop by drop.
        vm.prank(owner);
        deals.withdraw(holder, balance - 30 * pay(SIZE));
        for (uint256 i = 0; i < 30; i++) {
            nextEpoch();
        }
        deals.settle(dealId);
        vm.assertEq(uint256(deals.dealOf(dealId).unpaidEpochs), 0, "all was paid");
        for (uint256 i = 0; i < 30; i++) {
            nextEpoch();
            vm.prank(owner);
            deals.fund{value: 1}(dealId, 1);
        }
        deals.settle(dealId);
        uint64 unpaid = deals.dealOf(dealId).unpaidEpochs;
        vm.assertEq(uint256(unpaid), 30, "arrears stay arrears");
        vm.prank(holder);
        deals.leaveUnpaid(owner);
        deals.close(owner, holder);
        vm.assertEq(deals.owed(address(0), holder), 10 ether, "the collateral comes back");
    }

    function test_arrearsThatArePaidAreForgotten() public {
        running();
        uint256 balance = deals.dealOf(dealId).balance;
        vm.prank(owner);
        deals.withdraw(holder, balance - 30 * pay(SIZE));
        for (uint256 i = 0; i < 35; i++) {
            nextEpoch();
        }
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(NotUnpaid.selector, dealId, uint64(5)));
        deals.leaveUnpaid(owner);
        vm.prank(owner);
        deals.fund{value: 10 ether}(dealId, 10 ether);
        nextEpoch();
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 36 * pay(SIZE), "all of it is paid in the end");
        vm.assertEq(uint256(deals.dealOf(dealId).unpaidEpochs), 0, "and counts no more");
    }

    function test_noticeEndsADealAndGivesBackWhatIsLeft() public {
        running();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(NotParty.selector, dealId, stranger));
        deals.giveNotice(owner, holder);
        vm.prank(holder);
        deals.giveNotice(owner, holder);
        uint64 endsAt = deals.dealOf(dealId).endsAt;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(DealOver.selector, dealId, endsAt));
        deals.giveNotice(owner, holder);
        vm.expectRevert(abi.encodeWithSelector(NotEnded.selector, dealId, endsAt));
        deals.close(owner, holder);
        vm.warp(endsAt + 10 days);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(DealOver.selector, dealId, endsAt));
        deals.challenge{value: 0.002 ether}(holder);
        vm.expectRevert(abi.encodeWithSelector(DealOver.selector, dealId, endsAt));
        this.postOutside(2, keccak256("late"), SIZE);
        deals.close(owner, holder);
        vm.assertEq(deals.owed(address(0), payout), 30 * pay(SIZE), "thirty epochs, and none after the end");
        vm.assertEq(deals.owed(address(0), owner), 10 ether - 30 * pay(SIZE), "the owner's rest");
        vm.assertEq(deals.owed(address(0), holder), 10 ether, "the holder's collateral");
        vm.assertEq(uint256(deals.dealOf(dealId).openedAt), 0, "no deal");
    }

    function test_aDealThatNobodyTouchedIsSettledInParts() public {
        running();
        vm.warp(block.timestamp + 100 days);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(SettleFirst.selector, dealId, uint64(65), uint64(101)));
        deals.challenge{value: 0.002 ether}(holder);
        deals.settle(dealId);
        vm.assertEq(uint256(deals.dealOf(dealId).settled), 65, "64 a call");
        deals.settle(dealId);
        vm.assertEq(deals.owed(address(0), payout), 100 * pay(SIZE), "every epoch once");
    }

    function testFuzz_placesLieInTheSet(bytes32 seed, uint8 question, uint64 leaves) public view {
        uint256 all = bound(leaves, 1, type(uint64).max);
        vm.assertTrue(deals.placeOf(seed, question, all) < all, "inside");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_everyPlaceHasAnAnswer(uint64 seed, uint64 more, bool elsewhere) public {
        running();
        Challenge memory asked = askedAs(owner);
        uint256 asksFor = deals.placeOf(asked.seed, 0, SIZE / 256);
        uint256 place = seed % (SIZE / 256);
        Answer memory proof = answerAt(place);
        if (elsewhere) proof.setPath[0].leaves = more;
        bool isTrue = proof.setPath[0].leaves == leavesOf(1 - shardAt(place));
        if (place != asksFor || !isTrue) vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
    }

    /// @dev Counts of leaves that overflow 64 bits are no way to a root, and no panic.
    function test_aPathOfMoreLeavesThanThereAreIsWrong() public {
        running();
        Challenge memory asked = askedAs(owner);
        Answer memory proof = answerTo(asked, 0);
        Beside[] memory long = new Beside[](3);
        for (uint256 i = 0; i < 3; i++) {
            long[i] = Beside(keccak256("beside"), type(uint64).max, i % 2 == 0);
        }
        proof.setPath = long;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
        proof = answerTo(asked, 0);
        proof.shardLeaves = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(WrongAnswer.selector, uint8(0)));
        deals.answer(dealId, 0, proof);
    }
}
