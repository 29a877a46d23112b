//! What the L1 contracts commit to, opened by hash: a batch by its accumulator, delayed messages by walking theirs back.
use crate::{
    fault::Fault,
    preimage::{Kind, Preimages},
};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256};

/// Messages that one block consumes at most, and of them signed transactions: each may ask for a quarter of a block's gas, so
/// that all of them always fit.
pub const MAX_MESSAGES_PER_BLOCK: usize = 256;
pub const MAX_FORCED_TRANSACTIONS_PER_BLOCK: usize = 4;

/// Inbox.KIND_TRANSACTION: a signed transaction of L2.
pub const KIND_TRANSACTION: u8 = 1;

/// Where a batch's bytes are: SequencerInbox.Source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Calldata,
    Blobs,
    /// Nowhere: nothing but the obligation to read messages.
    Forced,
}

/// What SequencerInbox's accumulator after a batch binds, besides the accumulator before it and the time of the L1 block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord {
    pub data_hash: B256,
    pub source: Source,
    /// Inbox's accumulator after message `delayed_count - 1`; zero while that is none.
    pub delayed_acc: B256,
    /// How many delayed messages L2 must have read after this batch.
    pub delayed_count: u64,
    /// Number of the L1 block that took the batch.
    pub posted_in: u64,
    /// Hash of the L1 block before it.
    pub l1_parent: B256,
}

impl BatchRecord {
    /// acc[n] = keccak(acc[n-1], dataHash, delayedAcc, delayedCount, block.number, block.timestamp, parent hash, source).
    pub fn open<P: Preimages>(accumulator: &B256, preimages: &mut P) -> Result<BatchRecord, Fault> {
        let [_before, data_hash, delayed_acc, delayed_count, posted_in, _timestamp, l1_parent, source] =
            words(&preimages.get(Kind::Accumulator, accumulator)?)?;
        let source = match number(&source)? {
            0 => Source::Calldata,
            1 => Source::Blobs,
            2 => Source::Forced,
            _ => return Err(MALFORMED),
        };
        let (delayed_count, posted_in) = (number(&delayed_count)?, number(&posted_in)?);
        Ok(BatchRecord { data_hash, source, delayed_acc, delayed_count, posted_in, l1_parent })
    }
}

const MALFORMED: Fault = Fault::Malformed("accumulator");

/// Words as abi.encode writes them.
fn words<const N: usize>(bytes: &[u8]) -> Result<[B256; N], Fault> {
    if bytes.len() != 32 * N {
        return Err(MALFORMED);
    }
    Ok(core::array::from_fn(|i| B256::from_slice(&bytes[32 * i..32 * (i + 1)])))
}

fn number(word: &B256) -> Result<u64, Fault> {
    u64::try_from(U256::from_be_bytes(word.0)).map_err(|_| MALFORMED)
}

/// A message as the Inbox took it; its data are a preimage of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayedMessage {
    pub index: u64,
    pub kind: u8,
    pub data_hash: B256,
}

/// The messages that a batch names and that L2 had not read when it was opened. 32 bytes each: that is all the memory that
/// grows with their number.
#[derive(Debug, Default)]
pub struct MessageQueue {
    first: u64,
    hashes: Vec<B256>,
}

impl MessageQueue {
    /// Walks Inbox's accumulator back from the last message that the batch names to the message `first`:
    /// macc[i] = keccak(macc[i-1], hash[i]).
    pub fn open<P: Preimages>(record: &BatchRecord, first: u64, preimages: &mut P) -> Result<MessageQueue, Fault> {
        let mut hashes = Vec::new();
        let mut accumulator = record.delayed_acc;
        for _ in first..record.delayed_count {
            let [before, hash] = words(&preimages.get(Kind::Accumulator, &accumulator)?)?;
            hashes.push(hash);
            accumulator = before;
        }
        hashes.reverse();
        Ok(MessageQueue { first, hashes })
    }

    /// Whether the messages from `read` on are here.
    pub fn reaches(&self, read: u64) -> bool {
        self.first <= read
    }

    /// The messages from `read` on that one block may consume, at most `most`.
    pub fn consumable<P: Preimages>(
        &self,
        read: u64,
        most: usize,
        preimages: &mut P,
    ) -> Result<Vec<DelayedMessage>, Fault> {
        let skipped = usize::try_from(read.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut messages = Vec::new();
        let mut forced = 0;
        for hash in self.hashes.iter().skip(skipped).take(most.min(MAX_MESSAGES_PER_BLOCK)) {
            let message = open_message(read + messages.len() as u64, hash, preimages)?;
            if message.kind == KIND_TRANSACTION {
                forced += 1;
            }
            if forced > MAX_FORCED_TRANSACTIONS_PER_BLOCK {
                break;
            }
            messages.push(message);
        }
        Ok(messages)
    }
}

/// hash[i] = keccak(kind, sender, keccak(data), block number, timestamp).
fn open_message<P: Preimages>(index: u64, hash: &B256, preimages: &mut P) -> Result<DelayedMessage, Fault> {
    let [kind, _sender, data_hash, _number, _timestamp] = words(&preimages.get(Kind::Accumulator, hash)?)?;
    let kind = u8::try_from(number(&kind)?).map_err(|_| MALFORMED)?;
    Ok(DelayedMessage { index, kind, data_hash })
}
