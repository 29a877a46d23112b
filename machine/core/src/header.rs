//! Block headers of this chain: Ethereum's, with the L1 origin in `mixHash`, `parentBeaconBlockRoot` and `extraData`.
use crate::{block::BlockInput, fault::Fault, rules::NO_REQUESTS_HASH, rules::Rules};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use revm::primitives::hardfork::SpecId;

const CURSOR_BYTES: usize = 16;

/// How far into L1 a block has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginCursor {
    pub number: u64,
    /// Delayed messages consumed from the first on, this block's included.
    pub delayed_messages: u64,
}

impl OriginCursor {
    /// The header's `extraData`: two big-endian 64-bit numbers.
    pub fn encode(&self) -> [u8; CURSOR_BYTES] {
        (u128::from(self.number) << 64 | u128::from(self.delayed_messages)).to_be_bytes()
    }

    pub fn parse(header: &Header) -> Result<OriginCursor, Fault> {
        let bytes = <[u8; CURSOR_BYTES]>::try_from(&header.extra_data[..])
            .map_err(|_| Fault::Input("extraData is not an origin cursor"))?;
        let both = u128::from_be_bytes(bytes);
        Ok(OriginCursor { number: (both >> 64) as u64, delayed_messages: both as u64 })
    }
}

/// Reads the RLP of a header.
pub fn decode(mut bytes: &[u8]) -> Result<Header, Fault> {
    let header = Header::decode(&mut bytes).map_err(|_| Fault::Malformed("block header"))?;
    if bytes.is_empty() { Ok(header) } else { Err(Fault::Malformed("block header")) }
}

/// Checks what derivation must have ensured. Rules about what a batch may say (drift of timestamps, age of origins, forced
/// inclusion) belong to derivation, not here.
fn check_input(previous: &Header, input: &BlockInput) -> Result<OriginCursor, Fault> {
    let before = OriginCursor::parse(previous)?;
    if input.timestamp < previous.timestamp {
        return Err(Fault::Input("the timestamp is before the previous block"));
    }
    if input.origin_number < before.number {
        return Err(Fault::Input("the L1 origin is before the previous block"));
    }
    let end = before.delayed_messages.checked_add(u64::from(input.delayed_messages));
    let end = end.ok_or(Fault::Input("a number is wider than 64 bits"))?;
    if input.deposits.len() as u64 > u64::from(input.delayed_messages) {
        return Err(Fault::Input("more deposits than delayed messages"));
    }
    if input.deposits.iter().any(|deposit| deposit.index < before.delayed_messages || deposit.index >= end) {
        return Err(Fault::Input("a deposit is not among the delayed messages"));
    }
    Ok(OriginCursor { number: input.origin_number, delayed_messages: end })
}

/// The header as the EVM sees it while the block runs: everything but the results.
pub fn begin(previous: &Header, parent_hash: B256, input: &BlockInput, rules: &Rules) -> Result<Header, Fault> {
    let cursor = check_input(previous, input)?;
    let base_fee = previous.base_fee_per_gas.ok_or(Fault::Input("the previous block has no base fee"))?;
    let next = calc_next_block_base_fee(previous.gas_used, previous.gas_limit, base_fee, BaseFeeParams::ethereum());
    Ok(Header {
        parent_hash,
        number: previous.number + 1,
        timestamp: input.timestamp,
        beneficiary: input.fee_recipient,
        gas_limit: previous.gas_limit,
        base_fee_per_gas: Some(next.max(input.base_fee_floor)),
        mix_hash: input.origin_hash,
        parent_beacon_block_root: Some(input.origin_hash),
        extra_data: Bytes::copy_from_slice(&cursor.encode()),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        requests_hash: rules.spec().is_enabled_in(SpecId::PRAGUE).then_some(NO_REQUESTS_HASH),
        ..Header::default()
    })
}

pub fn encode(header: &Header) -> Vec<u8> {
    alloy_rlp::encode(header)
}
