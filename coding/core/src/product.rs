use crate::coefficients::{CHUNK, Coefficients};
use alloc::{vec, vec::Vec};
use reed_solomon_simd::engine::tables;

const LANE: usize = 16;

/// Products of a coefficient with each nibble of a symbol: tables 0 to 3 give the low byte of the product, 4 to 7 the high one, each by
/// the symbol's nibble from the lowest up.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Multiplier([[u8; LANE]; 8]);

/// A product that is made ready once and runs over any number of stripes.
pub struct Product {
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
    multipliers: Vec<Multiplier>,
}

impl Product {
    pub fn new(Coefficients { inputs, outputs, values }: Coefficients) -> Self {
        let multipliers = values.iter().map(|&value| multiplier(value)).collect();
        Product { inputs, outputs, multipliers }
    }

    /// `shards` has every shard's part of a stripe, one after the other, each `length` bytes, a multiple of CHUNK. Fills the outputs.
    pub fn run(&self, shards: &mut [u8], length: usize) {
        let mut nibbles = vec![[[0u8; LANE]; 4]; self.inputs.len()];
        for at in (0..length).step_by(CHUNK).flat_map(|chunk| [chunk, chunk + LANE]) {
            for (&input, nibbles) in self.inputs.iter().zip(&mut nibbles) {
                let (low, high) = lanes(shards, input * length + at);
                *nibbles = split(&low, &high);
            }
            for (&output, multipliers) in self.outputs.iter().zip(self.multipliers.chunks_exact(nibbles.len())) {
                let (low, high) = sum(multipliers, &nibbles);
                let at = output * length + at;
                shards[at..at + LANE].copy_from_slice(&low);
                shards[at + CHUNK / 2..at + CHUNK / 2 + LANE].copy_from_slice(&high);
            }
        }
    }
}

fn multiplier(value: u16) -> Multiplier {
    let mut lanes = [[0; LANE]; 8];
    if value != 0 {
        let tables::ExpLog { exp, log } = tables::get_exp_log();
        for nibble in 0..4 {
            for x in 0..LANE {
                let [low, high] = tables::mul((x << (4 * nibble)) as u16, log[value as usize], exp, log).to_le_bytes();
                lanes[nibble][x] = low;
                lanes[4 + nibble][x] = high;
            }
        }
    }
    Multiplier(lanes)
}

/// The low and the high bytes of 16 symbols.
fn lanes(shards: &[u8], at: usize) -> ([u8; LANE], [u8; LANE]) {
    let mut low = [0; LANE];
    let mut high = [0; LANE];
    low.copy_from_slice(&shards[at..at + LANE]);
    high.copy_from_slice(&shards[at + CHUNK / 2..at + CHUNK / 2 + LANE]);
    (low, high)
}

#[cfg(not(target_feature = "relaxed-simd"))]
use scalar::{split, sum};
#[cfg(target_feature = "relaxed-simd")]
use vector::{split, sum};

/// 16 symbols at a time. A nibble is below 16, where relaxed and strict swizzles are the same by the specification.
#[cfg(target_feature = "relaxed-simd")]
mod vector {
    use super::{LANE, Multiplier};
    use core::arch::wasm32::{i8x16_relaxed_swizzle, u8x16_splat, u16x8_shr, v128, v128_and, v128_load, v128_xor};
    use core::arch::wasm32::{u64x2_splat, v128_store};

    fn load(lane: &[u8; LANE]) -> v128 {
        // SAFETY: a lane has the 16 bytes that are read; there is no demand on alignment.
        unsafe { v128_load(lane.as_ptr().cast()) }
    }

    fn store(value: v128) -> [u8; LANE] {
        let mut lane = [0; LANE];
        // SAFETY: as above, written.
        unsafe { v128_store(lane.as_mut_ptr().cast(), value) };
        lane
    }

    #[inline(always)]
    pub fn split(low: &[u8; LANE], high: &[u8; LANE]) -> [[u8; LANE]; 4] {
        let mask = u8x16_splat(15);
        let (low, high) = (load(low), load(high));
        let upper = |value: v128| v128_and(u16x8_shr(value, 4), mask);
        [v128_and(low, mask), upper(low), v128_and(high, mask), upper(high)].map(store)
    }

    #[inline(always)]
    pub fn sum(multipliers: &[Multiplier], nibbles: &[[[u8; LANE]; 4]]) -> ([u8; LANE], [u8; LANE]) {
        let mut low = u64x2_splat(0);
        let mut high = u64x2_splat(0);
        for (Multiplier(tables), nibbles) in multipliers.iter().zip(nibbles) {
            for i in 0..4 {
                let nibble = load(&nibbles[i]);
                low = v128_xor(low, i8x16_relaxed_swizzle(load(&tables[i]), nibble));
                high = v128_xor(high, i8x16_relaxed_swizzle(load(&tables[4 + i]), nibble));
            }
        }
        (store(low), store(high))
    }
}

#[cfg(not(target_feature = "relaxed-simd"))]
mod scalar {
    use super::{LANE, Multiplier};

    pub fn split(low: &[u8; LANE], high: &[u8; LANE]) -> [[u8; LANE]; 4] {
        [low.map(|byte| byte & 15), low.map(|byte| byte >> 4), high.map(|byte| byte & 15), high.map(|byte| byte >> 4)]
    }

    pub fn sum(multipliers: &[Multiplier], nibbles: &[[[u8; LANE]; 4]]) -> ([u8; LANE], [u8; LANE]) {
        let mut low = [0; LANE];
        let mut high = [0; LANE];
        for (Multiplier(tables), nibbles) in multipliers.iter().zip(nibbles) {
            for i in 0..4 {
                for x in 0..LANE {
                    low[x] ^= tables[i][nibbles[i][x] as usize];
                    high[x] ^= tables[4 + i][nibbles[i][x] as usize];
                }
            }
        }
        (low, high)
    }
}
