//! Recovery of secp256k1 keys by whoever runs the machine. In a dispute L1 checks the answer with precompile 0x01 itself; computed
//! here it is nine tenths of the steps of a block.
use crate::transaction::Signature;
use alloy_primitives::{Address, B256};
use revm::precompile::{Crypto, PrecompileHalt, crypto, install_crypto};

/// What precompile 0x01 answers to an input of 128 bytes: a word, or nothing.
pub type Recover = fn(&[u8; 128]) -> Option<[u8; 32]>;

#[derive(Debug)]
struct Oracle(Recover);

impl Crypto for Oracle {
    fn secp256k1_ecrecover(&self, sig: &[u8; 64], recid: u8, msg: &[u8; 32]) -> Result<[u8; 32], PrecompileHalt> {
        let mut input = [0; 128];
        input[..32].copy_from_slice(msg);
        input[63] = 27 + recid;
        input[64..].copy_from_slice(sig);
        (self.0)(&input).ok_or(PrecompileHalt::Secp256k1RecoverFailed)
    }
}

/// To be called once, before anything else: the EVM's precompile and the senders of transactions are asked for from then on.
pub fn install(recover: Recover) {
    install_crypto(Oracle(recover));
}

pub(crate) fn ask(digest: &B256, signature: &Signature) -> Option<Address> {
    let mut words = [0; 64];
    words[..32].copy_from_slice(&signature.r.to_be_bytes::<32>());
    words[32..].copy_from_slice(&signature.s.to_be_bytes::<32>());
    let word = crypto().secp256k1_ecrecover(&words, u8::from(signature.y_parity), &digest.0).ok()?;
    Some(Address::from_slice(&word[12..]))
}
