//! Block headers of this chain: Ethereum's, with the L1 origin in `mixHash`, `parentBeaconBlockRoot` and `extraData`.
use crate::{block::BlockInput, fault::Fault, rules::NO_REQUESTS_HASH, rules::Rules};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use revm::primitives::hardfork::SpecId;

const CURSOR_BYTES: usize = 16;
/// With parameters: the fee floor in 8 bytes and the fork in one more.
const CURSOR_BYTES_WITH_PARAMETERS: usize = 25;

/// The parameters of the chain that L1 may change. They rule the block after the one that has them in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainParameters {
    /// The lowest base fee, in wei per unit of gas.
    pub fee_floor: u64,
    /// Number of the fork by whose rules blocks run; 0 is that of the genesis.
    pub fork: u8,
}

/// How far into L1 a block has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginCursor {
    pub number: u64,
    /// Delayed messages consumed from the first on, this block's included.
    pub delayed_messages: u64,
    /// What L1 last set; `None` while it never has.
    pub parameters: Option<ChainParameters>,
}

impl OriginCursor {
    /// The header's `extraData`: two big-endian 64-bit numbers, then the parameters once L1 has set some.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CURSOR_BYTES_WITH_PARAMETERS);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.delayed_messages.to_be_bytes());
        if let Some(ChainParameters { fee_floor, fork }) = self.parameters {
            bytes.extend_from_slice(&fee_floor.to_be_bytes());
            bytes.push(fork);
        }
        bytes
    }

    pub fn parse(header: &Header) -> Result<OriginCursor, Fault> {
        let bytes = &header.extra_data[..];
        if bytes.len() != CURSOR_BYTES && bytes.len() != CURSOR_BYTES_WITH_PARAMETERS {
            return Err(Fault::Input("extraData is not an origin cursor"));
        }
        let number = |at: usize| bytes[at..at + 8].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        let parameters = bytes
            .get(CURSOR_BYTES_WITH_PARAMETERS - 1)
            .map(|fork| ChainParameters { fee_floor: number(16), fork: *fork });
        Ok(OriginCursor { number: number(0), delayed_messages: number(8), parameters })
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
    let parameters = input.parameters.or(before.parameters);
    Ok(OriginCursor { number: input.origin_number, delayed_messages: end, parameters })
}

/// The header as the EVM sees it while the block runs: everything but the results.
pub fn begin(previous: &Header, parent_hash: B256, input: &BlockInput, rules: &Rules) -> Result<Header, Fault> {
    let cursor = check_input(previous, input)?;
    let in_force = OriginCursor::parse(previous)?.parameters.unwrap_or(ChainParameters { fee_floor: 0, fork: 0 });
    // A fork that this version does not know would be executed by the wrong rules: better not at all.
    if in_force.fork != 0 {
        return Err(Fault::Input("the fork is not known to this version"));
    }
    let base_fee = previous.base_fee_per_gas.ok_or(Fault::Input("the previous block has no base fee"))?;
    let next = calc_next_block_base_fee(previous.gas_used, previous.gas_limit, base_fee, BaseFeeParams::ethereum());
    Ok(Header {
        parent_hash,
        number: previous.number + 1,
        timestamp: input.timestamp,
        beneficiary: input.fee_recipient,
        gas_limit: previous.gas_limit,
        base_fee_per_gas: Some(next.max(in_force.fee_floor)),
        mix_hash: input.origin_hash,
        parent_beacon_block_root: Some(input.origin_hash),
        extra_data: Bytes::from(cursor.encode()),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        requests_hash: rules.spec().is_enabled_in(SpecId::PRAGUE).then_some(NO_REQUESTS_HASH),
        ..Header::default()
    })
}

pub fn encode(header: &Header) -> Vec<u8> {
    alloy_rlp::encode(header)
}
