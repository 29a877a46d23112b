//! Receipts: as the header's receipts root covers them, and as the node stores them.
use crate::{obstacle::Signed, rlp};
use alloc::vec::Vec;
use alloy_primitives::{Address, Bloom, BloomInput, Log, TxKind, U256};

pub struct Receipt {
    pub succeeded: bool,
    pub gas_used: u64,
    pub cumulative_gas_used: u64,
    pub effective_gas_price: U256,
    pub created: Option<Address>,
    pub logs: Vec<Log>,
    pub bloom: Bloom,
}

pub fn bloom_of(logs: &[Log]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        bloom.accrue(BloomInput::Raw(log.address.as_slice()));
        for topic in log.topics() {
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
        }
    }
    bloom
}

fn put_logs(logs: &[Log], out: &mut Vec<u8>) {
    let mut all = Vec::new();
    for log in logs {
        let mut topics = Vec::new();
        for topic in log.topics() {
            rlp::put_bytes(topic.as_slice(), &mut topics);
        }
        let mut item = Vec::new();
        rlp::put_bytes(log.address.as_slice(), &mut item);
        rlp::put_list(&topics, &mut item);
        rlp::put_bytes(&log.data.data, &mut item);
        rlp::put_list(&item, &mut all);
    }
    rlp::put_list(&all, out);
}

impl Receipt {
    /// EIP-2718 bytes, which the receipts root covers.
    pub fn encode(&self, kind: u8) -> Vec<u8> {
        let mut payload = Vec::new();
        rlp::put_number(U256::from(self.succeeded as u8), &mut payload);
        rlp::put_number(U256::from(self.cumulative_gas_used), &mut payload);
        rlp::put_bytes(self.bloom.as_slice(), &mut payload);
        put_logs(&self.logs, &mut payload);
        let mut out = Vec::with_capacity(payload.len() + 4);
        if kind != 0 {
            out.push(kind);
        }
        rlp::put_list(&payload, &mut out);
        out
    }

    /// A row of the list that `decodeReceipts` of protocol/rollup/receipt.ts reads.
    pub fn put_row(&self, signed: &Signed, out: &mut Vec<u8>) {
        let transaction = &signed.transaction;
        let mut row = Vec::with_capacity(512);
        rlp::put_bytes(transaction.hash.as_slice(), &mut row);
        rlp::put_bytes(&[transaction.kind, self.succeeded as u8], &mut row);
        rlp::put_bytes(signed.sender.as_slice(), &mut row);
        match &transaction.to {
            TxKind::Call(to) => rlp::put_bytes(to.as_slice(), &mut row),
            TxKind::Create => rlp::put_bytes(&[], &mut row),
        }
        for number in [U256::from(self.gas_used), U256::from(self.cumulative_gas_used), self.effective_gas_price] {
            rlp::put_bytes(&number.to_be_bytes::<32>(), &mut row);
        }
        rlp::put_bytes(self.created.as_ref().map_or(&[], |address| address.as_slice()), &mut row);
        rlp::put_bytes(self.bloom.as_slice(), &mut row);
        put_logs(&self.logs, &mut row);
        rlp::put_list(&row, out);
    }
}
