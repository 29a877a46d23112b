//! Ethereum's rules as a network runs them: its chain id, its fork, and what this chain adds.
use alloc::boxed::Box;
use alloy_primitives::{Address, B256, address, b256};
use revm::{
    context::CfgEnv,
    context_interface::cfg::GasParams,
    handler::EthPrecompiles,
    precompile::{PrecompileSpecId, Precompiles, secp256r1::P256VERIFY_OSAKA},
    primitives::hardfork::SpecId,
};

/// EIP-4788: where contracts read the hash of a block's L1 origin, by the block's timestamp.
pub const ORIGIN_ROOTS_ADDRESS: Address = address!("000f3df6d732807ef1319fb7b8bb8522d0beac02");
pub const ORIGIN_ROOTS_LENGTH: u64 = 8191;
/// EIP-2935: where contracts read the hashes of the blocks before, by number.
pub const HISTORY_ADDRESS: Address = address!("0000f90827f1c53a10cb7a02335b175320002935");
pub const HISTORY_LENGTH: u64 = 8191;
/// The predeploy that takes messages to L1. Its slot 0 is the root of their tree.
pub const MESSENGER_ADDRESS: Address = address!("4e43000000000000000000000000000000000004");
/// EIP-7685: a block of this chain makes no requests to a consensus layer. SHA-256 of nothing.
pub const NO_REQUESTS_HASH: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

/// What a later fork costs: its line here and in `spec`, and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fork {
    Cancun = 0,
    Prague = 1,
    Osaka = 2,
}

impl Fork {
    pub fn from_number(number: u8) -> Option<Fork> {
        match number {
            0 => Some(Fork::Cancun),
            1 => Some(Fork::Prague),
            2 => Some(Fork::Osaka),
            _ => None,
        }
    }
}

/// Made once per chain: the tables of precompiles live as long as the program.
pub struct Rules {
    pub chain_id: u64,
    pub fork: Fork,
    /// What intrinsic gas is made of.
    pub gas_params: GasParams,
    precompiles: &'static Precompiles,
}

impl Rules {
    /// `p256`: P-256 verification at 0x100 (RIP-7212; gas of EIP-7951) before the fork that has it anyway.
    pub fn new(chain_id: u64, fork: Fork, p256: bool) -> Rules {
        let standard = Precompiles::new(PrecompileSpecId::from_spec_id(spec(fork)));
        let precompiles = if p256 && fork != Fork::Osaka {
            let mut own = standard.clone();
            own.extend([P256VERIFY_OSAKA]);
            Box::leak(Box::new(own))
        } else {
            standard
        };
        Rules { chain_id, fork, gas_params: GasParams::new_spec(spec(fork)), precompiles }
    }

    pub fn spec(&self) -> SpecId {
        spec(self.fork)
    }

    pub fn precompiles(&self) -> EthPrecompiles {
        EthPrecompiles { precompiles: self.precompiles, spec: self.spec() }
    }

    pub fn config(&self) -> CfgEnv {
        let mut config = CfgEnv::new_with_spec(self.spec());
        config.chain_id = self.chain_id;
        config
    }
}

fn spec(fork: Fork) -> SpecId {
    match fork {
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka => SpecId::OSAKA,
    }
}
