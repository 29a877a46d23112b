import { type ContractMutant, weaken } from './weaken.ts';

export const STORAGE_MUTANTS: readonly ContractMutant[] = [
  ...weaken(
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
  ...weaken(
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
  ...weaken(
    'l2/storage/ShardProof.sol',
    ['a leaf outside the shard', ' || place < start || place >= start + leaves', ''],
    ['another total', ' || total != setLeaves', ''],
  ),
];
