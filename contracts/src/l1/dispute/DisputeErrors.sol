// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors of challenges
/// @notice Every reason for which the ChallengeManager refuses a call; each carries the facts that explain it.

/// @dev The call is that of one party's signer.
/// @param caller the account that called
/// @param signer the account that may call
error NotSigner(address caller, address signer);

/// @dev The parties are not rivals in the Rollup as they are given, or their node's challenges are not decided here.
/// @param parent the node where they would part
error NotParties(bytes32 parent);

/// @dev A stake of the challenge is gone: the challenge is moot.
/// @param challenge the challenge
error PartyGone(bytes32 challenge);

/// @dev Both stakes are live, so the challenge is not moot.
/// @param challenge the challenge
error PartiesLive(bytes32 challenge);

/// @dev There is no open challenge with this id.
/// @param challenge the challenge
error ChallengeNotOpen(bytes32 challenge);

/// @dev The challenge has a record already: answer its position.
/// @param challenge the challenge
error ChallengeExists(bytes32 challenge);

/// @dev The challenge is decided.
/// @param challenge the challenge
error ChallengeClosed(bytes32 challenge);

/// @dev The message is of another challenge.
/// @param given the challenge that the message names
/// @param expected the challenge of the parties
error OtherChallenge(bytes32 given, bytes32 expected);

/// @dev A message of this round cannot be used here.
/// @param round the round given
error RoundWrong(uint8 round);

/// @dev The message is neither the position on L1 nor of a higher round.
/// @param round the message's round
/// @param position the round of the position on L1
error RoundTooLow(uint8 round, uint8 position);

/// @dev The message is not signed by the other party's signer.
/// @param digest the EIP-712 digest
/// @param signer who should have signed
error SignatureInvalid(bytes32 digest, address signer);

/// @dev There is no such point.
/// @param choice the choice given
error ChoiceOutOfRange(uint8 choice);

/// @dev A point does not lie under the message's root.
/// @param point the point
/// @param index its place
error PointInvalid(bytes32 point, uint256 index);

/// @dev The last point is not the end that the opener's node asserts.
/// @param end the last point
/// @param expected the node's state hash
error EndWrong(bytes32 end, bytes32 expected);

/// @dev The answer ends where the point does that it denies.
/// @param point the point
error NothingDenied(bytes32 point);

/// @dev What is given does not hash to the point.
/// @param point the point
error OpeningInvalid(bytes32 point);

/// @dev A state of the machine is not in its one encoding.
/// @param core its core
/// @param flag its flag
error StateNotCanonical(bytes32 core, uint8 flag);

/// @dev The machine's last state has another input than this iteration.
/// @param given the input given
/// @param expected the iteration's input
error InputWrong(bytes32 given, bytes32 expected);

/// @dev The clock of whose turn it is has run out.
/// @param challenge the challenge
error ClockOut(bytes32 challenge);

/// @dev The clock still runs.
/// @param challenge the challenge
/// @param leftS how long, in seconds
error ClockRuns(bytes32 challenge, uint64 leftS);

/// @dev The verifier does not accept the step.
error ProofRefused();

/// @dev The step reads a preimage of a kind that L1 does not know.
/// @param kind the kind
error ReadKindUnknown(uint32 kind);

/// @dev The preimage is not the key's, or not of its kind's size.
/// @param kind the kind
/// @param key the key
error PreimageInvalid(uint32 kind, bytes32 key);

/// @dev The answer is not what the preimage says.
/// @param data what it says at the offset
/// @param length its length
error ReadWrong(bytes16 data, uint256 length);

/// @dev A precompile gave no answer: it had too little gas, or refused its input.
/// @param precompile its address
error PrecompileFailed(address precompile);

/// @dev There is nothing to refund.
/// @param challenge the challenge
error NothingToRefund(bytes32 challenge);
