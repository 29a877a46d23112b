/**
 * One change of a contract that weakens a rule; the forge tests have to fail of it. What only comes before a hash that would say the same
 * (the lengths of a leaf and its path in ShardProof) is not here.
 */
export interface ContractMutant {
  readonly rule: string;
  /** Under contracts/src. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const of = (file: string, ...changes: readonly (readonly [string, string, string])[]): ContractMutant[] =>
  changes.map(([rule, from, to]) => ({ rule, file, from, to }));

export const CONTRACT_MUTANTS: readonly ContractMutant[] = [
  ...of(
    'l1/dispute/ChallengeManager.sol',
    [
      'open: anyone opens',
      '_requireSender(parties.opener.signer);\n        bytes32 id = _challengeId(parties);\n        Challenge storage record = _challenges[id];\n        if (_isOpen',
      'bytes32 id = _challengeId(parties);\n        Challenge storage record = _challenges[id];\n        if (_isOpen',
    ],
    ['open: twice', 'if (_isOpen(record)) revert ChallengeExists(id);', ''],
    ['open: the last point is any', 'if (points[POINTS - 1] != end) revert EndWrong(points[POINTS - 1], end);', ''],
    [
      'answer: rounds about steps by the plain call',
      'if (prev.round == ITERATION_ROUNDS) revert RoundWrong(prev.round);',
      '',
    ],
    [
      'answer: the end may agree',
      'bytes32 denied) = _moveAfter(_challengeId(parties), prev, reply);\n        _requireDenied(next.end, denied);\n',
      'bytes32 denied) = _moveAfter(_challengeId(parties), prev, reply);\n        denied;\n',
    ],
    ['answerBySteps: in any round', 'if (prev.round != ITERATION_ROUNDS) revert RoundWrong(prev.round);', ''],
    ['answerBySteps: the first step is any', 'next.step = 0;', 'next.step = 1;'],
    [
      'answerBySteps: the result may agree',
      '_requireDenied(_resultOf(g, input, end, next.end), denied);',
      '_resultOf(g, input, end, next.end);\n        denied;',
    ],
    ['settle: of another challenge', 'if (last.challenge != id) revert OtherChallenge(last.challenge, id);', ''],
    ['settle: in any round', 'if (last.round != LAST_ROUND) revert RoundWrong(last.round);', ''],
    [
      'settle: without the signature',
      'if (!isStored) _requireSigned(digest, signature, parties.responder.signer);',
      '',
    ],
    ['settle: costs no time', 'if (_isOpen(record) && record.round % 2 == 0) _charge(id, record, time);', ''],
    ['settle: the pre-state is any', '_requireOpens(claim.pre, start);', 'start;'],
    ['settle: the core above the modulus', '_requireCanonical(claim.post);', ''],
    ['settle: the proven state may agree', '_requireDenied(_hash(claim.post), denied);', 'denied;'],
    ['settle: what is read is not shown', 'Preimages.requireAnswer(claim.read, claim.preimage);', ''],
    [
      'settle: the proof is not asked',
      'if (!_rulesOf(parent).verifier.verify(claim.pre, claim.post, claim.read, claim.proof)) revert ProofRefused();',
      '_rulesOf(parent).verifier.verify(claim.pre, claim.post, claim.read, claim.proof);',
    ],
    ['timeout: half the clock', 'if (elapsedS < clockS)', 'if (elapsedS < clockS / 2)'],
    [
      'timeout: of who is not on turn',
      '_close(id, record, parties, !isOpenersTurn);',
      '_close(id, record, parties, isOpenersTurn);',
    ],
    ['timeout: of the dead', '_requireLive(id, parties);\n        bool isOpenersTurn', 'bool isOpenersTurn'],
    [
      'concede: without a signature',
      '_requireSigned(_concessionDigest(id), signature, loser.signer);',
      'signature;\n        loser;',
    ],
    ['concede: the winner loses', '_close(id, record, parties, !byOpener);', '_close(id, record, parties, byOpener);'],
    [
      'closeMoot: of the living',
      'if (rollup.areLive(parties.opener.stakeId, parties.responder.stakeId)) revert PartiesLive(id);',
      '',
    ],
    ['voidAll: by anyone', 'if (msg.sender != timelock) revert NotTimelock(msg.sender);', ''],
    ['voidAll: voids nothing', '        epoch++;\n', ''],
    ['voidAll: the newest config keeps its verifier', '(configId + 1, verifier)', '(configId, verifier)'],
    ['reply: by anyone', '_requireSender(_moverOf(parties, next.round).signer);', ''],
    [
      'reply: to a message that nobody signed',
      '_requireSigned(next.prev, signature, _moverOf(parties, prev.round).signer);',
      'signature;',
    ],
    [
      'reply: a lower round replaces',
      'if (wasOpen && prev.round <= record.round) revert RoundTooLow(prev.round, record.round);',
      '',
    ],
    [
      'reply: the dead play',
      '_requireLive(id, parties);\n            _charge(id, record, time);',
      '_charge(id, record, time);',
    ],
    [
      'reply: moves cost no time',
      '_requireLive(id, parties);\n            _charge(id, record, time);',
      '_requireLive(id, parties);',
    ],
    ['begin: rivals are not checked', '_requireRivals(parties);\n        record.status', 'record.status'],
    [
      'begin: a decided challenge again',
      '_requireUndecided(id, record);\n        _requireRivals(parties);\n        record.status',
      '_requireRivals(parties);\n        record.status',
    ],
    ['enter: no least clock of the opener', 'if (record.openerClockS < leastS) record.openerClockS = leastS;', ''],
    [
      'enter: no least clock of the responder',
      'if (record.responderClockS < leastS) record.responderClockS = leastS;',
      '',
    ],
    [
      'enter: tracing needs no more time',
      'next.round == ITERATION_ROUNDS ? TRACE_ENTRY_S : ENTRY_S',
      'next.round == ITERATION_ROUNDS ? ENTRY_S : ENTRY_S',
    ],
    [
      'charge: after the opener ran out',
      'if (elapsedS >= record.openerClockS) revert ClockOut(id);',
      'if (elapsedS > record.openerClockS) revert ClockOut(id);',
    ],
    [
      'charge: after the responder ran out',
      'if (elapsedS >= record.responderClockS) revert ClockOut(id);',
      'if (elapsedS > record.responderClockS) revert ClockOut(id);',
    ],
    ['playable: rivals are not checked', 'else _requireRivals(parties);', ''],
    ['proof gas has no limit', 'if (gasUsed > MAX_PROOF_GAS) gasUsed = MAX_PROOF_GAS;', ''],
  ),
  ...of(
    'l1/dispute/Moves.sol',
    ['the id is of no contract', 'block.chainid, address(this), parties', 'block.chainid, parties'],
    [
      'an answer to another challenge',
      'if (prev.challenge != challenge) revert OtherChallenge(prev.challenge, challenge);',
      '',
    ],
    ['an answer to the last round', 'if (prev.round == 0 || prev.round >= LAST_ROUND)', 'if (prev.round == 0)'],
    [
      'the place does not follow the choice',
      'uint64 distance = reply.choice * _width(prev.round);',
      'uint64 distance = _width(prev.round);',
    ],
    ['the responder moves first', 'round % 2 == 1 ? parties.opener', 'round % 2 == 0 ? parties.opener'],
  ),
  ...of(
    'l1/dispute/Points.sol',
    ['a choice past the points', 'if (choice >= POINTS) revert ChoiceOutOfRange(choice);', ''],
    ['the start is any', '_requireUnder(move_.root, start, choice - 1, opening.beforePath);', ''],
    ['the denied point is any', '_requireUnder(move_.root, denied, choice, opening.deniedPath);', ''],
  ),
  ...of(
    'l1/dispute/Subjects.sol',
    ['calls in a freeze', 'if (freezeClock.isFrozen()) revert Frozen();', ''],
    ['parties without a parent', 'parties.parent != bytes32(0)\n            && ', ''],
    ['the opener is any', '&& _isStaker(o) && _isStaker(r)', '&& _isStaker(r)'],
    ['the responder is any', '&& _isStaker(o) && _isStaker(r)', '&& _isStaker(o)'],
    ['a network without a verifier', ' || address(rules.verifier) == address(0)', ''],
    ['another manager decides', 'rules.manager != address(this) || ', ''],
    ['G is not opened', 'if (keccak256(abi.encode(g)) != start) revert OpeningInvalid(start);', ''],
    [
      'batches past the target are read',
      'g.batch < rules.target ? sequencerInbox.accumulator(g.batch) : bytes32(0)',
      'sequencerInbox.accumulator(g.batch)',
    ],
    ['the machine ends on another input', 'if (end.input != input) revert InputWrong(end.input, input);', ''],
    ['what failed counts', 'if (end.flag == FLAG_OK) return end.output;', 'return end.output;'],
    ['a flag above 2', ' && state.flag <= FLAG_FAIL', ''],
  ),
  ...of(
    'l1/dispute/Entries.sol',
    ['the price has no limit', 'if (priceWei > MAX_PRICE_WEI) priceWei = MAX_PRICE_WEI;', ''],
    ['refunds twice', 'if (isOpeners) record.openerCreditGwei = 0;', ''],
    ['refunds of the living', 'rollup.stakeOf(r.stakeId).isEliminated && _refund', '_refund'],
    ['a refund takes no part of the rest', 'refunds.refundWei -= amountWei;', ''],
  ),
  ...of('l1/dispute/BothStepVerifiers.sol', ['one of both is enough', 'read, one) && second', 'read, one) || second']),
  ...of(
    'l1/Rollup.sol',
    [
      'eliminate: by anyone',
      'if (msg.sender != challengeManagerOf(parent)) revert NotChallengeManager(msg.sender);',
      '',
    ],
    [
      'eliminate: who is no rival',
      'if (partingOf(winnerChild, winnerId, loserChild, loserId) == bytes32(0)) revert NotRivals(parent);',
      '',
    ],
    [
      'eliminate: in a freeze',
      'if (freezeClock.isFrozen()) revert Frozen();\n        bytes32 parent',
      'bytes32 parent',
    ],
    ['prune: the living', ' || !_isEliminated(stakeId)', ''],
    ['confirm: with rivals', 'if (p.liveChildren != 1) revert StillRivaled(node.parent, p.liveChildren);', ''],
    [
      'confirm: before its time',
      'if (freezeClock.time() < allowedAt) revert TooEarly(nodeId, allowedAt);\n        node.status',
      'node.status',
    ],
    [
      'confirm: in a freeze',
      'if (freezeClock.isFrozen()) revert Frozen();\n        Node storage node',
      'Node storage node',
    ],
    [
      'confirm: any parent',
      'if (node.parent != latestConfirmed) revert ParentPassed(node.parent, latestConfirmed);',
      '',
    ],
    ['create: children for ever', 'if (time > end) revert TooLate(parent, end);', ''],
    ['back: after the joining window', 'if (freezeClock.time() > end) revert TooLate(nodeId, end);', ''],
    [
      'back: the dead',
      'if (node.status != NodeStatus.Live) revert NodeStatusForbids(nodeId, uint8(node.status));\n        Stake storage',
      'Stake storage',
    ],
    [
      'stakes that are too small',
      'if (stake.amountWei < config.stakeWei) revert StakeAmountWrong(stake.amountWei, config.stakeWei);',
      '',
    ],
    [
      'a state past the target',
      'if (state.batch != p.target || state.offset != 0) revert',
      'if (state.batch < p.target) revert',
    ],
    ['the window counts no child', 'p.windowChildren++;', ''],
    ['a rival may back the same child', 'nodeId != otherNodeId && ', ''],
  ),
  ...of(
    'l1/Stakes.sol',
    ['refunds without limit', 'amountWei * MAX_REFUND_PERCENT / 100', 'amountWei'],
    ['nothing is burned', 'burnedWei += restWei;', '_owe(_stakes[winnerId].owner, restWei);'],
    ['the lost stake lives', 'loser.isLive = false;', ''],
    ['claimed twice', 'owedWei[account] = 0;', ''],
    ["another's stake", 'if (stake.owner != msg.sender || !stake.isLive)', 'if (!stake.isLive)'],
    [
      'assigned without having',
      'if (amountWei > ownWei) revert NotOwedEnough(msg.sender, ownWei, amountWei);\n        owedWei[msg.sender] = ownWei - amountWei;',
      'unchecked { owedWei[msg.sender] = ownWei - amountWei; }',
    ],
  ),
  ...of(
    'l2/storage/StorageDeals.sol',
    ['open: by anyone', 'if (msg.sender != owner) revert NotParty(dealId, msg.sender);', ''],
    ['open: unsigned terms', '_requireSigned(holder, keccak256(abi.encode(TERMS_TYPE, terms)), holderSignature);', ''],
    ['open: old terms', 'terms.generation != generation || ', ''],
    ['withdraw: everything', 'uint256 locked = LOCKUP_EPOCHS * _payOf(deal, _mostBytes(deal));', 'uint256 locked = 0;'],
    ['unlock: in a challenge', '_requireNoChallenge(dealId);\n        uint256 needed', 'uint256 needed'],
    ['postSet: without the holder', '_requireSigned(holder, digest, holderSignature);', ''],
    ['postSet: an old number', 'if (seq <= newest) revert SetStale(seq, newest);', ''],
    ['postSet: growth without collateral', 'if (size > deal.setBytes && deal.collateral < needed)', 'if (false)'],
    [
      'postSet: shrinking needs collateral',
      'if (size > deal.setBytes && deal.collateral < needed)',
      'if (deal.collateral < needed)',
    ],
    [
      'postSet: in force at once',
      '_epochsBefore(deal, uint64(block.timestamp)) + 1;',
      '_epochsBefore(deal, uint64(block.timestamp));',
    ],
    ['challenge: without a bond', 'if (msg.value != BOND_WEI) revert WrongValue(msg.value, BOND_WEI);', ''],
    ['challenge: twice an epoch', '_asked[dealId][generation][epoch] = true;', ''],
    [
      'challenge: after the end',
      'bytes32 dealId = idOf(msg.sender, holder);\n        Deal storage deal = _runningDeal(dealId);\n        _requireNoChallenge(dealId);\n        if (msg.value',
      'bytes32 dealId = idOf(msg.sender, holder);\n        Deal storage deal = _settledDeal(dealId);\n        _requireNoChallenge(dealId);\n        if (msg.value',
    ],
    ['answer: late', 'if (block.timestamp > asked.deadline) revert DeadlineIs(asked.deadline);', ''],
    [
      'answer: any leaf',
      'if (!ShardProof.shows(proof, asked.setRoot, leaves, place)) revert WrongAnswer(question);',
      'ShardProof.shows(proof, asked.setRoot, leaves, place);',
    ],
    ['answer: the same twice', ' || (asked.answered >> question) & 1 == 1', ''],
    ['fault: early', 'if (block.timestamp <= asked.deadline) revert DeadlineIs(asked.deadline);', ''],
    [
      'fault: costs all',
      'uint256(deal.collateral) * unanswered / QUESTIONS',
      'uint256(deal.collateral) * QUESTIONS / QUESTIONS;\n        unanswered',
    ],
    ['fault: the epoch is paid', '_faulted[dealId][generationOf[dealId]][asked.epoch] = true;', ''],
    ['notice: by anyone', 'if (msg.sender != owner && msg.sender != holder) revert NotParty(dealId, msg.sender);', ''],
    ['leaveUnpaid: at once', 'if (deal.unpaidEpochs < UNPAID_EPOCHS) revert NotUnpaid(dealId, deal.unpaidEpochs);', ''],
    ['close: in a challenge', '_requireNoChallenge(dealId);\n        if (deal.endsAt == 0', 'if (deal.endsAt == 0'],
    [
      'close: before the end',
      'if (deal.endsAt == 0 || block.timestamp < deal.endsAt) revert NotEnded(dealId, deal.endsAt);',
      '',
    ],
    ['close: the same generation', 'generationOf[dealId]++;', ''],
  ),
  ...of(
    'l2/storage/DealEpochs.sol',
    ['paid while asked', 'if (_challenges[dealId].deadline != 0) due = _least(due, _challenges[dealId].epoch);', ''],
    [
      'paid after the end',
      'if (deal.endsAt != 0 && deal.endsAt < block.timestamp) due = _epochsBefore(deal, deal.endsAt);',
      '',
    ],
    ['arrears are forgotten', 'deal.arrears = _toUint128(due - paid);', ''],
    ['any payment ends the arrears', 'due == paid ? 0', 'paid > 0 ? 0'],
  ),
  ...of(
    'l2/storage/ShardProof.sol',
    ['a leaf outside the shard', ' || place < start || place >= start + leaves', ''],
    ['another total', ' || total != setLeaves', ''],
  ),
];
