//! BN254's scalar field for WebAssembly, which multiplies 32 by 32 bits to 64: nine limbs of 29 bits, Montgomery form with
//! R = 2^261. An element is not always below the modulus p: a product is below 2p for factors below 10p, and what is added up between
//! products stays below 2^258.
use crate::constants::{MODULUS, NEGATED_INVERSE, R_SQUARED};

pub const LIMBS: usize = 9;
const LIMB_BITS: u32 = 29;
const MASK: u64 = (1 << LIMB_BITS) - 1;
pub type Element = [u64; LIMBS];
pub const ZERO: Element = [0; LIMBS];
/// 2^32 / (p / 2^232), rounded down: a quotient by p from the highest limb alone, too small by one at most.
const TOP_RECIPROCAL: u64 = (1 << 32) / ((MODULUS[LIMBS - 1]) + 1);

/// a b / R. Each column takes eighteen products below 2^58.
#[inline(always)]
pub fn multiply(a: &Element, b: &Element) -> Element {
    let mut t = [0u64; LIMBS];
    for i in 0..LIMBS {
        let x = a[i];
        let first = t[0] + x * b[0];
        let m = (first.wrapping_mul(NEGATED_INVERSE)) & MASK;
        let carry = (first + m * MODULUS[0]) >> LIMB_BITS;
        t[0] = t[1] + x * b[1] + m * MODULUS[1] + carry;
        for j in 2..LIMBS {
            t[j - 1] = t[j] + x * b[j] + m * MODULUS[j];
        }
        t[LIMBS - 1] = 0;
    }
    carry(t)
}

#[inline(always)]
fn carry(mut t: Element) -> Element {
    for i in 0..LIMBS - 1 {
        t[i + 1] += t[i] >> LIMB_BITS;
        t[i] &= MASK;
    }
    t
}

#[inline(always)]
pub fn add(a: &Element, b: &Element) -> Element {
    let mut t = ZERO;
    for i in 0..LIMBS {
        t[i] = a[i] + b[i];
    }
    carry(t)
}

/// Below 2p.
#[inline(always)]
pub fn reduce(a: &Element) -> Element {
    let quotient = (a[LIMBS - 1] * TOP_RECIPROCAL) >> 32;
    let mut t = ZERO;
    let mut borrow = 0i64;
    for i in 0..LIMBS {
        let value = a[i] as i64 - (quotient * MODULUS[i]) as i64 + borrow;
        t[i] = (value as u64) & MASK;
        borrow = value >> LIMB_BITS;
    }
    t
}

/// Of 32 bytes, little endian.
pub fn decode(bytes: &[u8]) -> Element {
    let mut t = ZERO;
    for (index, byte) in bytes.iter().enumerate() {
        let bit = 8 * index as u32;
        let (limb, shift) = ((bit / LIMB_BITS) as usize, bit % LIMB_BITS);
        let value = u64::from(*byte) << shift;
        t[limb] |= value & MASK;
        if value > MASK {
            t[limb + 1] |= value >> LIMB_BITS;
        }
    }
    multiply(&t, &R_SQUARED)
}

/// 32 bytes, little endian, of the one number below p.
pub fn encode(element: &Element, out: &mut [u8]) {
    let mut one = ZERO;
    one[0] = 1;
    let mut t = reduce(&multiply(element, &one));
    while !is_below_modulus(&t) {
        let mut borrow = 0i64;
        for i in 0..LIMBS {
            let value = t[i] as i64 - MODULUS[i] as i64 + borrow;
            t[i] = (value as u64) & MASK;
            borrow = value >> LIMB_BITS;
        }
    }
    for (index, byte) in out.iter_mut().enumerate() {
        let bit = 8 * index as u32;
        let (limb, shift) = ((bit / LIMB_BITS) as usize, bit % LIMB_BITS);
        let next = if limb + 1 < LIMBS { t[limb + 1] << (LIMB_BITS - shift) } else { 0 };
        *byte = ((t[limb] >> shift) | next) as u8;
    }
}

fn is_below_modulus(t: &Element) -> bool {
    for i in (0..LIMBS).rev() {
        if t[i] != MODULUS[i] {
            return t[i] < MODULUS[i];
        }
    }
    false
}
