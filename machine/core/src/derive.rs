//! Derivation: what a batch that L1 took makes of L2, from hashes alone. `docs/design/0013-derivation.md` is the function.
//!
//! One call gives one block, as a dispute counts them: (head, batch, offset) -> (block, next offset). It is total: whatever
//! the batch and the messages hold, there is an answer; a fault is a preimage that is missing or not what its hash stands for.
//! `Deriver::inputs` gives the inputs of the same blocks and executes nothing: what a node knows already it need not run again.
//!
//! Bounds: a batch is at most 120,000 bytes, 4 MiB of columns, 4,096 blocks and 20,000 transactions; 7,201 L1 headers are walked;
//! of a message that the batch names and L2 has not read 32 bytes are kept; a block's content is bounded by its gas.
use crate::{
    batch_rules::{Broken, Head},
    block::{BlockOutput, execute},
    effects::Ignored,
    fault::Fault,
    header,
    inbox::MAX_MESSAGES_PER_BLOCK,
    plan::{Batch, PlannedBlock},
    preimage::{Kind, Preimages},
    rules::{MESSENGER_ADDRESS, Rules},
    state::State,
};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use revm::Database;

/// What one call of `inputs` gives at most, the first block apart: bytes of transactions, and messages that may be read.
pub const MAX_INPUTS_BYTES: usize = 4 << 20;
pub const MAX_INPUTS_MESSAGES: u64 = 2 * MAX_MESSAGES_PER_BLOCK as u64;
/// A block in that count, besides its transactions.
const BLOCK_BYTES: usize = 256;

/// Where derivation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The last L1 block before the contracts: the children of the genesis are judged as if it were their parent's origin.
    pub deployed_at: u64,
    /// SequencerInbox's accumulator after the batch.
    pub accumulator: B256,
    /// Hash of the last L2 block derived so far.
    pub head: B256,
    /// 0, or what the step before gave as `next`.
    pub offset: u64,
}

pub struct DerivedBlock {
    pub output: BlockOutput,
    /// No batch holds it: derivation made it to read messages that were owed.
    pub is_obliged: bool,
    /// Delayed messages that it consumes.
    pub messages: u32,
    /// How many transactions of the input, the first, came by message.
    pub forced: u32,
    pub ignored: Vec<Ignored>,
}

pub struct Step {
    /// Said once, at offset 0.
    pub is_malformed: bool,
    pub broken: Option<Broken>,
    /// `None`: the batch makes no block at this place, and has none to come.
    pub block: Option<DerivedBlock>,
    /// The offset of the next block of this batch; `None` when there is none: on to the next batch, at 0.
    pub next: Option<u64>,
    /// Hash of the last L2 block, and the root of its messages to L1.
    pub head: B256,
    pub send_root: B256,
}

/// Blocks of a batch from a place on, none of them executed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Said once, at offset 0.
    pub is_malformed: bool,
    /// After those of `blocks` that the batch holds, before those that are obliged.
    pub broken: Option<Broken>,
    /// Hashes of the transactions that go with the block which broke a rule.
    pub lost: Vec<B256>,
    pub blocks: Vec<PlannedBlock>,
    /// Where to go on, on the head that these blocks make; `None` when the batch is done.
    pub next: Option<u64>,
}

/// Derives; keeps the batch that it opened last. What is kept changes no result.
#[derive(Default)]
pub struct Deriver {
    batch: Option<Batch>,
}

impl Deriver {
    pub fn forget(&mut self) {
        self.batch = None;
    }

    /// The block at this place. After a fault `state` has forgotten what it had in memory, and what was put must be thrown away.
    pub fn derive<P: Preimages>(&mut self, state: &mut State<P>, place: &Place, rules: &Rules) -> Result<Step, Fault> {
        let result = self.run(state, place, rules);
        if result.is_err() {
            self.forget();
            state.reset();
        }
        result
    }

    /// The inputs of the blocks from this place on: all that are left of the batch, or as many as the limits allow; at least one.
    pub fn inputs<P: Preimages>(&mut self, place: &Place, preimages: &mut P) -> Result<Inputs, Fault> {
        let result = self.plan(place, preimages);
        if result.is_err() {
            self.forget();
        }
        result
    }

    fn run<P: Preimages>(&mut self, state: &mut State<P>, place: &Place, rules: &Rules) -> Result<Step, Fault> {
        let (before, head) = read_head(place, &mut state.preimages)?;
        let batch = self.open(place, &head, &mut state.preimages)?;
        let is_malformed = batch.is_malformed() && place.offset == 0;
        let mut step =
            Step { is_malformed, broken: None, block: None, next: None, head: place.head, send_root: B256::ZERO };
        let planned = batch.plan(place.offset, &head, &mut step.broken, &mut state.preimages)?;
        let Some((planned, after)) = planned else {
            step.send_root = send_root(state, &before)?;
            return Ok(step);
        };
        let output = execute(state, &before, &planned.input, rules)?;
        let head = Head::of(&output.header, place.deployed_at)?;
        step.head = output.hash;
        step.send_root = send_root(state, &output.header)?;
        step.next = batch.find_next(after, &head, &mut step.broken, &mut state.preimages)?;
        let PlannedBlock { input, is_obliged, forced, ignored } = planned;
        step.block = Some(DerivedBlock { output, is_obliged, messages: input.delayed_messages, forced, ignored });
        Ok(step)
    }

    fn plan<P: Preimages>(&mut self, place: &Place, preimages: &mut P) -> Result<Inputs, Fault> {
        let (_, mut head) = read_head(place, preimages)?;
        let batch = self.open(place, &head, preimages)?;
        let mut inputs = Inputs { is_malformed: batch.is_malformed() && place.offset == 0, ..Inputs::default() };
        let (mut offset, mut bytes) = (place.offset, 0);
        // The block after the last one that fits is not looked at: it could read messages past the limit.
        let last = head.read.saturating_add(MAX_INPUTS_MESSAGES - MAX_MESSAGES_PER_BLOCK as u64);
        while bytes < MAX_INPUTS_BYTES && head.read <= last {
            let Some((block, after)) = batch.plan(offset, &head, &mut inputs.broken, preimages)? else {
                inputs.lost = batch.lost_with(&inputs.broken);
                return Ok(inputs);
            };
            head = head.after(&block.input);
            bytes += size_of(&block);
            offset = after;
            inputs.blocks.push(block);
        }
        inputs.lost = batch.lost_with(&inputs.broken);
        inputs.next = Some(offset);
        Ok(inputs)
    }

    fn open<P: Preimages>(&mut self, place: &Place, head: &Head, preimages: &mut P) -> Result<&mut Batch, Fault> {
        let batch = match self.batch.take().filter(|batch| batch.is(&place.accumulator, head.read)) {
            Some(batch) => batch,
            None => Batch::open(place.accumulator, head.read, preimages)?,
        };
        Ok(self.batch.insert(batch))
    }
}

fn read_head<P: Preimages>(place: &Place, preimages: &mut P) -> Result<(Header, Head), Fault> {
    let header = header::decode(&preimages.get(Kind::Header, &place.head)?)?;
    let head = Head::of(&header, place.deployed_at)?;
    Ok((header, head))
}

fn size_of(PlannedBlock { input, ignored, .. }: &PlannedBlock) -> usize {
    let transactions: usize = input.transactions.iter().map(|raw| raw.bytes.len() + 32).sum();
    BLOCK_BYTES + transactions + 64 * (input.deposits.len() + ignored.len())
}

/// Slot 0 of the Messenger: the root of the messages to L1 in the state after a block.
fn send_root<P: Preimages>(state: &mut State<P>, header: &Header) -> Result<B256, Fault> {
    state.open(header.state_root);
    Ok(B256::from(state.storage(MESSENGER_ADDRESS, U256::ZERO)?))
}
