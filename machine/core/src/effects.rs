//! What delayed messages put into the block that consumes them. Anyone may send one, so their content is hostile: what is not
//! well formed does nothing. `protocol/rollup/delayed-message.ts` is the same in TypeScript.
use crate::{
    block::{Deposit, GWEI, RawTransaction},
    fault::Fault,
    header::ChainParameters,
    inbox::{DelayedMessage, KIND_TRANSACTION},
    preimage::{Kind, Preimages},
    rlp,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, U256};
use revm::primitives::KECCAK_EMPTY;

const KIND_DEPOSIT: u8 = 0;
const KIND_PARAMETERS: u8 = 2;
/// Inbox.MAX_TRANSACTION_BYTES.
const MAX_FORCED_TRANSACTION_BYTES: usize = 32_768;

/// Why a message has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    TooLong,
    /// It asks for more than a quarter of a block's gas.
    TooMuchGas,
    NotDeposit,
    NotParameters,
    UnknownKind(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ignored {
    pub index: u64,
    pub flaw: Flaw,
}

#[derive(Debug, Default)]
pub struct Effects {
    pub deposits: Vec<Deposit>,
    /// In order; they run before the sequencer's own.
    pub transactions: Vec<RawTransaction>,
    /// From the next block on.
    pub parameters: Option<ChainParameters>,
    pub ignored: Vec<Ignored>,
}

impl Effects {
    /// Of the messages that one block consumes, in Inbox order. `gas_limit` is a block's.
    pub fn of<P: Preimages>(messages: &[DelayedMessage], gas_limit: u64, preimages: &mut P) -> Result<Effects, Fault> {
        let mut effects = Effects::default();
        for message in messages {
            if let Err(flaw) = effects.take(message, gas_limit, preimages)? {
                effects.ignored.push(Ignored { index: message.index, flaw });
            }
        }
        Ok(effects)
    }

    fn take<P: Preimages>(
        &mut self,
        &DelayedMessage { index, kind, ref data_hash }: &DelayedMessage,
        gas_limit: u64,
        preimages: &mut P,
    ) -> Result<Result<(), Flaw>, Fault> {
        if !matches!(kind, KIND_DEPOSIT | KIND_TRANSACTION | KIND_PARAMETERS) {
            return Ok(Err(Flaw::UnknownKind(kind)));
        }
        let data = if *data_hash == KECCAK_EMPTY { Vec::new() } else { preimages.get(Kind::Data, data_hash)? };
        Ok(match kind {
            KIND_TRANSACTION => read_transaction(data, gas_limit).map(|raw| self.transactions.push(raw)),
            KIND_DEPOSIT => {
                read_deposit(index, &data).map(|deposit| self.deposits.push(deposit)).ok_or(Flaw::NotDeposit)
            }
            _ => read_parameters(&data).map(|parameters| self.parameters = Some(parameters)).ok_or(Flaw::NotParameters),
        })
    }
}

/// What the transition decides is left to it: a transaction that cannot run is dropped at its place, and changes nothing.
fn read_transaction(bytes: Vec<u8>, gas_limit: u64) -> Result<RawTransaction, Flaw> {
    if bytes.len() > MAX_FORCED_TRANSACTION_BYTES {
        return Err(Flaw::TooLong);
    }
    if gas_limit_of(&bytes).is_some_and(|asked| u128::from(asked) * 4 > u128::from(gas_limit)) {
        return Err(Flaw::TooMuchGas);
    }
    Ok(RawTransaction { bytes, sender: None })
}

/// The gas limit that EIP-2718 bytes name, by its place; `protocol/rollup/gas-limit.ts` reads it alike. Every transaction that
/// decodes has it there.
fn gas_limit_of(raw: &[u8]) -> Option<u64> {
    let (list, before) = match *raw.first()? {
        0xc0..=0xff => (raw, 2),
        1 => (&raw[1..], 3),
        2 | 4 => (&raw[1..], 4),
        _ => return None,
    };
    let mut items = rlp::only_list(list)?;
    for _ in 0..before {
        rlp::take(&mut items)?;
    }
    rlp::take_u64(&mut items)
}

fn two_words(data: &[u8]) -> Option<[U256; 2]> {
    let (first, second) = data.split_at_checked(32)?;
    Some([U256::from_be_slice(first), U256::from_be_bytes::<32>(second.try_into().ok()?)])
}

/// abi.encode(address to, uint256 amountWei): below 2^64 gwei, as the Inbox takes it. What is below one gwei is not credited.
fn read_deposit(index: u64, data: &[u8]) -> Option<Deposit> {
    let [to, amount] = two_words(data)?;
    if to.bit_len() > 160 {
        return None;
    }
    let to = Address::from_slice(&to.to_be_bytes::<32>()[12..]);
    Some(Deposit { index, to, amount_gwei: u64::try_from(amount / U256::from(GWEI)).ok()? })
}

/// abi.encode(uint64 feeFloorWei, uint8 fork).
fn read_parameters(data: &[u8]) -> Option<ChainParameters> {
    let [fee_floor, fork] = two_words(data)?;
    Some(ChainParameters { fee_floor: u64::try_from(fee_floor).ok()?, fork: u8::try_from(fork).ok()? })
}
