use crate::preimage::Kind;
use alloy_primitives::B256;
use core::fmt;

/// What must never decide a block: the run stops, and whoever asked is told. The opposite, a transaction that the rules
/// do not allow, is an [`crate::obstacle::Obstacle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A preimage that the state refers to is not there.
    Missing(Kind, B256),
    /// A preimage is not what its hash was taken for: the host lied, or the state was made by other rules.
    Malformed(&'static str),
    /// The caller asked for a block that cannot follow the one before it.
    Input(&'static str),
    /// revm stopped for a reason that is no verdict about a transaction.
    Evm,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing(kind, hash) => write!(f, "missing {kind:?} {hash}"),
            Fault::Malformed(what) => write!(f, "malformed {what}"),
            Fault::Input(reason) => f.write_str(reason),
            Fault::Evm => f.write_str("the EVM stopped"),
        }
    }
}

impl core::error::Error for Fault {}
impl revm::database_interface::DBErrorMarker for Fault {}
