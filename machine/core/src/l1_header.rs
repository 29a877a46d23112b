//! L1 blocks, walked back by hash from the one before the block that took a batch. A hash that a batch names is compared with
//! what the walk finds and never opened: it may have no preimage.
use crate::{
    fault::Fault,
    preimage::{Kind, Preimages},
    rlp,
};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// Where a header has what is read of it. Fields that forks have added stand behind.
const NUMBER_FIELD: usize = 8;
const TIMESTAMP_FIELD: usize = 11;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L1Block {
    pub hash: B256,
    pub parent: B256,
    pub number: u64,
    pub timestamp: u64,
}

impl L1Block {
    fn open<P: Preimages>(hash: B256, preimages: &mut P) -> Result<L1Block, Fault> {
        let bytes = preimages.get(Kind::L1Header, &hash)?;
        L1Block::parse(hash, &bytes).ok_or(Fault::Malformed("L1 header"))
    }

    fn parse(hash: B256, bytes: &[u8]) -> Option<L1Block> {
        let mut items = rlp::only_list(bytes)?;
        let parent = B256::try_from(rlp::take_bytes(&mut items)?).ok()?;
        for _ in 1..NUMBER_FIELD {
            rlp::take_bytes(&mut items)?;
        }
        let number = rlp::take_u64(&mut items)?;
        for _ in NUMBER_FIELD + 1..TIMESTAMP_FIELD {
            rlp::take_bytes(&mut items)?;
        }
        let timestamp = rlp::take_u64(&mut items)?;
        Some(L1Block { hash, parent, number, timestamp })
    }
}

/// The L1 blocks before a batch's own, newest first, as far as they were asked for. The caller bounds how far that is.
#[derive(Debug)]
pub struct Ancestors {
    next: B256,
    newest: u64,
    blocks: Vec<L1Block>,
}

impl Ancestors {
    /// Of the L1 block `posted_in`, whose parent has this hash.
    pub fn new(posted_in: u64, parent: B256) -> Ancestors {
        Ancestors { next: parent, newest: posted_in.saturating_sub(1), blocks: Vec::new() }
    }

    /// The ancestor with this number, which is not above the newest.
    pub fn at<P: Preimages>(&mut self, number: u64, preimages: &mut P) -> Result<L1Block, Fault> {
        let depth = usize::try_from(self.newest.saturating_sub(number)).unwrap_or(usize::MAX);
        while self.blocks.len() <= depth {
            let block = L1Block::open(self.next, preimages)?;
            if Some(block.number) != self.newest.checked_sub(self.blocks.len() as u64) {
                return Err(Fault::Malformed("L1 header"));
            }
            self.next = block.parent;
            self.blocks.push(block);
        }
        Ok(self.blocks[depth])
    }
}
