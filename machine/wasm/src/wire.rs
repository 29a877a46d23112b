//! The ABI's values as bytes. Numbers are little endian; what comes in is the host's, so a wrong form is an error and no trap.
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256};
use nectar_machine::{
    batch::BatchBlock,
    block::{BlockInput, BlockOutput, Deposit, RawTransaction},
    genesis::Allocation,
    header::ChainParameters,
};

pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
    /// Bytes after their length.
    pub fn blob(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.bytes(length as usize)
    }
    /// 32 bytes, big endian.
    pub fn word(&mut self) -> Option<U256> {
        self.array::<32>().map(U256::from_be_bytes)
    }
    pub fn address(&mut self) -> Option<Address> {
        self.array().map(Address::new)
    }
}

pub fn read_input(reader: &mut Reader) -> Option<BlockInput> {
    let timestamp = reader.u64()?;
    let origin_number = reader.u64()?;
    let origin_hash = B256::new(reader.array()?);
    let delayed_messages = reader.u32()?;
    let fee_recipient = reader.address()?;
    let parameters = match reader.u8()? {
        0 => None,
        1 => Some(ChainParameters { fee_floor: reader.u64()?, fork: reader.u8()? }),
        _ => return None,
    };
    let mut deposits = Vec::new();
    for _ in 0..reader.u32()? {
        deposits.push(Deposit { index: reader.u64()?, to: reader.address()?, amount_gwei: reader.u64()? });
    }
    let mut transactions = Vec::new();
    for _ in 0..reader.u32()? {
        let sender = if reader.u8()? == 1 { Some(reader.address()?) } else { None };
        transactions.push(RawTransaction { sender, bytes: reader.blob()?.to_vec() });
    }
    reader.0.is_empty().then_some(BlockInput {
        timestamp,
        origin_number,
        origin_hash,
        delayed_messages,
        fee_recipient,
        parameters,
        deposits,
        transactions,
    })
}

/// What `read_input` reads.
pub fn put_input(input: &BlockInput, out: &mut Vec<u8>) {
    out.extend_from_slice(&input.timestamp.to_le_bytes());
    out.extend_from_slice(&input.origin_number.to_le_bytes());
    out.extend_from_slice(input.origin_hash.as_slice());
    put_u32(input.delayed_messages as usize, out);
    out.extend_from_slice(input.fee_recipient.as_slice());
    out.push(u8::from(input.parameters.is_some()));
    if let Some(ChainParameters { fee_floor, fork }) = input.parameters {
        out.extend_from_slice(&fee_floor.to_le_bytes());
        out.push(fork);
    }
    put_u32(input.deposits.len(), out);
    for Deposit { index, to, amount_gwei } in &input.deposits {
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(to.as_slice());
        out.extend_from_slice(&amount_gwei.to_le_bytes());
    }
    put_u32(input.transactions.len(), out);
    for RawTransaction { sender, bytes } in &input.transactions {
        out.push(u8::from(sender.is_some()));
        out.extend_from_slice(sender.as_ref().map_or(&[], |sender| sender.as_slice()));
        put_blob(bytes, out);
    }
}

pub fn read_accounts(reader: &mut Reader) -> Option<Vec<Allocation>> {
    let mut accounts = Vec::new();
    while !reader.0.is_empty() {
        let address = reader.address()?;
        let nonce = reader.u64()?;
        let balance = reader.word()?;
        let code = Bytes::copy_from_slice(reader.blob()?);
        let mut storage = Vec::new();
        for _ in 0..reader.u32()? {
            storage.push((reader.word()?, reader.word()?));
        }
        accounts.push(Allocation { address, nonce, balance, code, storage });
    }
    Some(accounts)
}

pub fn put_u32(value: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value as u32).to_le_bytes());
}

pub fn put_blob(bytes: &[u8], out: &mut Vec<u8>) {
    put_u32(bytes.len(), out);
    out.extend_from_slice(bytes);
}

pub fn put_output(output: &BlockOutput, out: &mut Vec<u8>) {
    out.extend_from_slice(output.hash.as_slice());
    put_blob(&output.header_rlp, out);
    put_blob(&output.block_rlp, out);
    put_blob(&output.receipts_rlp, out);
    put_u32(output.dropped.len(), out);
    for dropped in &output.dropped {
        put_u32(dropped.index as usize, out);
        out.push(dropped.obstacle as u8);
    }
}

pub fn put_batch(blocks: &[BatchBlock], out: &mut Vec<u8>) {
    put_u32(blocks.len(), out);
    for block in blocks {
        out.extend_from_slice(&block.timestamp.to_le_bytes());
        out.extend_from_slice(&block.origin_number.to_le_bytes());
        out.extend_from_slice(block.origin_hash.as_slice());
        put_u32(block.delayed_messages, out);
        put_u32(block.transactions.len(), out);
        for raw in &block.transactions {
            put_blob(raw, out);
        }
    }
}
