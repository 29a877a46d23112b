//! Who signed: recovery of secp256k1 public keys, as ecrecover and libsecp256k1 do it. Compiled with `--cfg oracle`, for disputes,
//! it is asked for: `recovery_oracle.rs`.
use crate::transaction::{Signature, SignedAuthorization};
#[cfg(not(oracle))]
use alloy_primitives::keccak256;
use alloy_primitives::{Address, B256, U256, uint};
#[cfg(not(oracle))]
use k256::elliptic_curve::{
    Group, PrimeField,
    ops::{LinearCombination, Reduce},
    point::DecompressPoint,
    sec1::ToEncodedPoint,
    subtle::Choice,
};
#[cfg(not(oracle))]
use k256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, U256 as K256};

/// Half of the curve's order: a larger s is the second signature of the same message (EIP-2).
pub const HALF_ORDER: U256 = uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

#[cfg(oracle)]
pub fn recover(digest: &B256, signature: &Signature) -> Option<Address> {
    if signature.s > HALF_ORDER { None } else { crate::recovery_oracle::ask(digest, signature) }
}

/// Q = r^-1 (s R - z G); `None` when r or s is out of range, no point has the x coordinate r, or Q is no key.
#[cfg(not(oracle))]
pub fn recover(digest: &B256, signature: &Signature) -> Option<Address> {
    if signature.s > HALF_ORDER {
        return None;
    }
    let x = FieldBytes::from(signature.r.to_be_bytes::<32>());
    let r = nonzero(x)?;
    let s = nonzero(FieldBytes::from(signature.s.to_be_bytes::<32>()))?;
    let point = Option::<AffinePoint>::from(AffinePoint::decompress(&x, Choice::from(u8::from(signature.y_parity))))?;
    let z = <Scalar as Reduce<K256>>::reduce_bytes(&FieldBytes::from(digest.0));
    let inverse = Option::<Scalar>::from(r.invert())?;
    let key = ProjectivePoint::lincomb(
        &ProjectivePoint::GENERATOR,
        &-(inverse * z),
        &ProjectivePoint::from(point),
        &(inverse * s),
    );
    if bool::from(key.is_identity()) {
        return None;
    }
    let encoded = key.to_affine().to_encoded_point(false);
    Some(Address::from_slice(&keccak256(&encoded.as_bytes()[1..])[12..]))
}

/// Who signed an EIP-7702 authorization; `None` when nobody could have.
pub fn recover_authority(authorization: &SignedAuthorization) -> Option<Address> {
    let SignedAuthorization { inner, y_parity, r, s } = authorization;
    if *y_parity > 1 {
        return None;
    }
    recover(&inner.signature_hash(), &Signature { r: *r, s: *s, y_parity: *y_parity == 1 })
}

#[cfg(not(oracle))]
fn nonzero(bytes: FieldBytes) -> Option<Scalar> {
    Option::<Scalar>::from(Scalar::from_repr(bytes)).filter(|scalar| *scalar != Scalar::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256};

    /// The vector of the ecrecover precompile in execution-spec-tests (CallEcrecover0).
    #[test]
    fn recovers_the_published_vector_and_no_second_form_of_it() {
        let digest = b256!("18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c");
        let r = uint!(0x73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f_U256);
        let s = uint!(0xeeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549_U256);
        let order = uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);
        let low = Signature { r, s: order - s, y_parity: false };
        assert_eq!(recover(&digest, &low), Some(address!("a94f5374fce5edbc8e2a8697c15331677e6ebf0b")));
        assert_eq!(recover(&digest, &Signature { r, s, y_parity: true }), None);
        assert_eq!(recover(&digest, &Signature { r: U256::ZERO, ..low }), None);
        assert_eq!(recover(&digest, &Signature { s: U256::ZERO, ..low }), None);
        assert_eq!(recover(&digest, &Signature { r: order, ..low }), None);
    }
}
