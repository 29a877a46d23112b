//! Transactions out of a batch's columns: the inverse of what `protocol/rollup/batch-transactions.ts` spreads over them.
use crate::{
    column::{Column, Malformed},
    rlp,
    transaction::parse_access_list,
};
use alloc::vec::Vec;
use alloy_primitives::U256;

/// How many sections of a batch hold transactions; see batch.ts for their order.
pub const TRANSACTION_SECTIONS: usize = 10;

const OPAQUE: u8 = 255;
const PARITY: u8 = 4;
const HAS_TO: u8 = 8;
const HAS_ACCESS_LIST: u8 = 16;

pub struct TransactionReader<'a> {
    kinds: Column<'a>,
    chains: Column<'a>,
    nonces: Column<'a>,
    gas: Column<'a>,
    fees: Column<'a>,
    recipients: Column<'a>,
    values: Column<'a>,
    lengths: Column<'a>,
    data: Column<'a>,
    signatures: Column<'a>,
    known: Vec<&'a [u8]>,
}

impl<'a> TransactionReader<'a> {
    pub fn new(sections: [Column<'a>; TRANSACTION_SECTIONS]) -> TransactionReader<'a> {
        let [kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures] = sections;
        let known = Vec::new();
        TransactionReader { kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures, known }
    }

    /// The next transaction's EIP-2718 bytes.
    pub fn next(&mut self) -> Result<Vec<u8>, Malformed> {
        let kind = self.kinds.byte()?;
        if kind == OPAQUE {
            return Ok(self.blob()?.to_vec());
        }
        let (transaction_type, has_access_list) = (kind & 3, kind & HAS_ACCESS_LIST != 0);
        if kind > 31 || transaction_type == 3 || (transaction_type == 0 && has_access_list) {
            return Err(Malformed);
        }
        self.join(transaction_type, kind)
    }

    fn join(&mut self, transaction_type: u8, kind: u8) -> Result<Vec<u8>, Malformed> {
        let chain_id = self.chains.u64()?;
        let nonce = self.nonces.u64()?;
        let gas_limit = self.gas.u64()?;
        let max_fee = self.fees.varint(256)?;
        let mut payload = Vec::with_capacity(256);
        if transaction_type != 0 {
            rlp::put_number(U256::from(chain_id), &mut payload);
        }
        rlp::put_number(U256::from(nonce), &mut payload);
        if transaction_type == 2 {
            rlp::put_number(self.fees.varint(256)?, &mut payload);
        }
        rlp::put_number(max_fee, &mut payload);
        rlp::put_number(U256::from(gas_limit), &mut payload);
        let to: &[u8] = if kind & HAS_TO != 0 { self.recipient()? } else { &[] };
        rlp::put_bytes(to, &mut payload);
        rlp::put_number(self.values.varint(256)?, &mut payload);
        rlp::put_bytes(self.blob()?, &mut payload);
        let parity = u8::from(kind & PARITY != 0);
        if transaction_type == 0 {
            rlp::put_number(legacy_v(chain_id, parity), &mut payload);
        } else {
            let list: &[u8] = if kind & HAS_ACCESS_LIST != 0 { self.access_list()? } else { &[0xc0] };
            payload.extend_from_slice(list);
            rlp::put_number(U256::from(parity), &mut payload);
        }
        rlp::put_number(U256::from_be_bytes(self.signatures.array::<32>()?), &mut payload);
        rlp::put_number(U256::from_be_bytes(self.signatures.array::<32>()?), &mut payload);

        let mut raw = Vec::with_capacity(payload.len() + 4);
        if transaction_type != 0 {
            raw.push(transaction_type);
        }
        rlp::put_list(&payload, &mut raw);
        Ok(raw)
    }

    fn recipient(&mut self) -> Result<&'a [u8], Malformed> {
        let index = self.recipients.count(self.known.len())?;
        if index > 0 {
            return Ok(self.known[index - 1]);
        }
        let to = self.recipients.bytes(20)?;
        self.known.push(to);
        Ok(to)
    }

    fn blob(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.lengths.count(0xffff_ffff)?;
        self.data.bytes(length)
    }

    /// RLP of an access list that is not empty.
    fn access_list(&mut self) -> Result<&'a [u8], Malformed> {
        let bytes = self.blob()?;
        let list = rlp::only_list(bytes).and_then(parse_access_list).ok_or(Malformed)?;
        if list.0.is_empty() { Err(Malformed) } else { Ok(bytes) }
    }

    pub fn end(&self) -> Result<(), Malformed> {
        let Self { kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures, known: _ } = self;
        [kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures]
            .into_iter()
            .try_for_each(Column::end)
    }
}

/// EIP-155: `v` is 27 or 28 without replay protection, and 35 + 2 * chain id + parity with it.
fn legacy_v(chain_id: u64, parity: u8) -> U256 {
    let parity = u128::from(parity);
    U256::from(if chain_id == 0 { 27 + parity } else { 35 + 2 * u128::from(chain_id) + parity })
}
