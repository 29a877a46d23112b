//! EIP-2718 transactions of this chain: legacy, EIP-2930, EIP-1559, EIP-7702. Blobs have no place on it.
use crate::{rlp, sender};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, Keccak256, TxKind, U256, keccak256};
use revm::context_interface::transaction::{AccessList, AccessListItem, Authorization};

/// The longest transaction that is ever executed, in bytes: bounds the work before any decoding.
pub const MAX_TRANSACTION_BYTES: usize = 128 * 1024;

/// The values of a secp256k1 signature, unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub r: U256,
    pub s: U256,
    pub y_parity: bool,
}

/// One entry of an EIP-7702 authorization list. A y parity past 1 is allowed here and authorizes nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAuthorization {
    pub inner: Authorization,
    pub y_parity: u8,
    pub r: U256,
    pub s: U256,
}

/// A well-formed, signed transaction. Whether it can run depends on the chain and the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// 0, 1, 2 or 4.
    pub kind: u8,
    /// `None` for a legacy transaction without EIP-155 replay protection.
    pub chain_id: Option<u64>,
    pub nonce: u64,
    pub gas_limit: u64,
    /// Types 2 and 4: the fee cap per gas, wei; otherwise the gas price.
    pub max_fee: U256,
    /// Types 2 and 4: the priority fee per gas, wei.
    pub priority_fee: Option<U256>,
    pub to: TxKind,
    pub value: U256,
    pub data: Bytes,
    pub access_list: AccessList,
    pub authorizations: Vec<SignedAuthorization>,
    pub signature: Signature,
    /// What the sender signed.
    pub signing_hash: B256,
    /// Keccak-256 of the EIP-2718 bytes.
    pub hash: B256,
}

impl Transaction {
    /// Decodes EIP-2718 bytes; `None` unless they are in the one canonical form.
    pub fn decode(raw: &[u8]) -> Option<Transaction> {
        match *raw.first()? {
            0xc0..=0xff => decode_legacy(raw),
            kind @ (1 | 2 | 4) => decode_typed(kind, raw),
            _ => None,
        }
    }

    /// Who signed it; `None` when nobody could have (EIP-2: low s only).
    pub fn recover(&self) -> Option<Address> {
        sender::recover(&self.signing_hash, &self.signature)
    }

    /// What one unit of gas costs in a block, in wei (EIP-1559).
    pub fn effective_gas_price(&self, base_fee: u64) -> U256 {
        let base_fee = U256::from(base_fee);
        match self.priority_fee {
            None => self.max_fee,
            Some(tip) => base_fee + tip.min(self.max_fee.saturating_sub(base_fee)),
        }
    }
}

struct Body {
    gas_limit: u64,
    to: TxKind,
    value: U256,
    data: Bytes,
}

fn take_body(items: &mut &[u8]) -> Option<Body> {
    let gas_limit = rlp::take_u64(items)?;
    let to = match rlp::take_bytes(items)? {
        [] => TxKind::Create,
        bytes => TxKind::Call(Address::try_from(bytes).ok()?),
    };
    let value = rlp::take_number(items, 32)?;
    let data = Bytes::copy_from_slice(rlp::take_bytes(items)?);
    Some(Body { gas_limit, to, value, data })
}

fn decode_legacy(raw: &[u8]) -> Option<Transaction> {
    let payload = rlp::only_list(raw)?;
    let mut items = payload;
    let nonce = rlp::take_u64(&mut items)?;
    let max_fee = rlp::take_number(&mut items, 32)?;
    let body = take_body(&mut items)?;
    let unsigned = &payload[..payload.len() - items.len()];
    let v = rlp::take_number(&mut items, 16)?.to::<u128>();
    let (chain_id, y_parity) = match v {
        27 | 28 => (None, v == 28),
        // EIP-155: 35 + 2 * chain id + y parity.
        37.. => (Some(u64::try_from((v - 35) / 2).ok()?), (v - 35) % 2 == 1),
        _ => return None,
    };
    let signature = take_rs(&mut items, y_parity)?;
    if !items.is_empty() {
        return None;
    }
    let mut signed = Vec::with_capacity(unsigned.len() + 11);
    signed.extend_from_slice(unsigned);
    if let Some(id) = chain_id {
        rlp::put_number(U256::from(id), &mut signed);
        signed.extend_from_slice(&[0x80, 0x80]);
    }
    Some(Transaction {
        kind: 0,
        chain_id,
        nonce,
        gas_limit: body.gas_limit,
        max_fee,
        priority_fee: None,
        to: body.to,
        value: body.value,
        data: body.data,
        access_list: AccessList::default(),
        authorizations: Vec::new(),
        signature,
        signing_hash: hash_list(None, &signed),
        hash: keccak256(raw),
    })
}

fn decode_typed(kind: u8, raw: &[u8]) -> Option<Transaction> {
    let payload = rlp::only_list(&raw[1..])?;
    let mut items = payload;
    let chain_id = Some(rlp::take_u64(&mut items)?);
    let nonce = rlp::take_u64(&mut items)?;
    let priority_fee = if kind == 1 { None } else { Some(rlp::take_number(&mut items, 32)?) };
    let max_fee = rlp::take_number(&mut items, 32)?;
    let body = take_body(&mut items)?;
    let access_list = parse_access_list(rlp::take_list(&mut items)?)?;
    let authorizations = if kind == 4 { parse_authorizations(rlp::take_list(&mut items)?)? } else { Vec::new() };
    let unsigned = &payload[..payload.len() - items.len()];
    let parity = rlp::take_number(&mut items, 1)?.to::<u8>();
    let signature = take_rs(&mut items, parity == 1)?;
    if parity > 1 || !items.is_empty() {
        return None;
    }
    Some(Transaction {
        kind,
        chain_id,
        nonce,
        gas_limit: body.gas_limit,
        max_fee,
        priority_fee,
        to: body.to,
        value: body.value,
        data: body.data,
        access_list,
        authorizations,
        signature,
        signing_hash: hash_list(Some(kind), unsigned),
        hash: keccak256(raw),
    })
}

fn take_rs(items: &mut &[u8], y_parity: bool) -> Option<Signature> {
    let r = rlp::take_number(items, 32)?;
    let s = rlp::take_number(items, 32)?;
    Some(Signature { r, s, y_parity })
}

/// Keccak-256 of an optional type byte and the list of these encoded items.
fn hash_list(kind: Option<u8>, payload: &[u8]) -> B256 {
    let mut head = Vec::with_capacity(10);
    head.extend(kind);
    rlp::put_length(payload.len(), 0xc0, &mut head);
    let mut hasher = Keccak256::new();
    hasher.update(&head);
    hasher.update(payload);
    hasher.finalize()
}

/// The items of an EIP-2930 access list from its payload; `None` unless each is [address, [storage keys]].
pub fn parse_access_list(mut payload: &[u8]) -> Option<AccessList> {
    let mut list = Vec::new();
    while !payload.is_empty() {
        let mut item = rlp::take_list(&mut payload)?;
        let address = Address::try_from(rlp::take_bytes(&mut item)?).ok()?;
        let mut keys = rlp::take_list(&mut item)?;
        if !item.is_empty() {
            return None;
        }
        let mut storage_keys = Vec::with_capacity(keys.len() / 33);
        while !keys.is_empty() {
            storage_keys.push(B256::try_from(rlp::take_bytes(&mut keys)?).ok()?);
        }
        list.push(AccessListItem { address, storage_keys });
    }
    Some(AccessList(list))
}

fn parse_authorizations(mut payload: &[u8]) -> Option<Vec<SignedAuthorization>> {
    let mut list = Vec::new();
    while !payload.is_empty() {
        let mut item = rlp::take_list(&mut payload)?;
        let chain_id = rlp::take_number(&mut item, 32)?;
        let address = Address::try_from(rlp::take_bytes(&mut item)?).ok()?;
        let nonce = rlp::take_u64(&mut item)?;
        let y_parity = rlp::take_number(&mut item, 1)?.to::<u8>();
        let r = rlp::take_number(&mut item, 32)?;
        let s = rlp::take_number(&mut item, 32)?;
        if !item.is_empty() {
            return None;
        }
        list.push(SignedAuthorization { inner: Authorization { chain_id, address, nonce }, y_parity, r, s });
    }
    Some(list)
}
