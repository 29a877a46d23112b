use alloc::{vec, vec::Vec};
use reed_solomon_simd::engine::Naive;
use reed_solomon_simd::rate::{DefaultRateDecoder, DefaultRateEncoder, RateDecoder, RateEncoder};

/// The unit of the code: 32 symbols of 16 bits, their low bytes first, then their high bytes.
pub const CHUNK: usize = 64;
const SYMBOLS: usize = CHUNK / 2;
/// A chunk holds a symbol for each shard that is read, so one run of the code says all coefficients.
pub const MAX_DATA: usize = SYMBOLS;
pub const MAX_SHARDS: usize = 255;

/// What becomes of a shard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Not here and not wanted.
    Absent,
    Present,
    /// To be made.
    Wanted,
}

/// How wanted shards follow from present ones.
pub struct Coefficients {
    /// The first k present shards.
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
    /// Row by row: an output is the sum of inputs times these.
    pub values: Vec<u16>,
}

/// Runs reed-solomon-simd once over unit vectors: input j has 1 in its symbol j. The code is linear, so that symbol j of what comes out is
/// the coefficient of input j. None when the numbers are out of range or fewer than k shards are present.
pub fn coefficients(k: usize, slots: &[Slot]) -> Option<Coefficients> {
    let n = slots.len();
    if k == 0 || k > MAX_DATA || n <= k || n > MAX_SHARDS {
        return None;
    }
    let with = |wanted: Slot| (0..n).filter(move |&i| slots[i] == wanted);
    let inputs: Vec<usize> = with(Slot::Present).take(k).collect();
    if inputs.len() < k {
        return None;
    }
    let units: Vec<[u8; CHUNK]> = (0..k).map(unit).collect();
    let mut shards = vec![[0u8; CHUNK]; n];
    for (&index, chunk) in inputs.iter().zip(&units) {
        shards[index] = *chunk;
    }
    decode(k, &inputs, &mut shards)?;
    encode(k, &mut shards)?;
    let outputs: Vec<usize> = with(Slot::Wanted).collect();
    let values = outputs.iter().flat_map(|&output| (0..k).map(move |j| (output, j)));
    let values = values.map(|(output, j)| symbol(&shards[output], j)).collect();
    Some(Coefficients { inputs, outputs, values })
}

fn unit(j: usize) -> [u8; CHUNK] {
    let mut chunk = [0; CHUNK];
    chunk[j] = 1;
    chunk
}

fn symbol(chunk: &[u8; CHUNK], j: usize) -> u16 {
    u16::from_le_bytes([chunk[j], chunk[SYMBOLS + j]])
}

/// Fills the data shards that are not among the inputs.
fn decode(k: usize, inputs: &[usize], shards: &mut [[u8; CHUNK]]) -> Option<()> {
    if inputs.iter().all(|&index| index < k) {
        return Some(());
    }
    let mut decoder = DefaultRateDecoder::new(k, shards.len() - k, CHUNK, Naive::new(), None).ok()?;
    for &index in inputs {
        if index < k {
            decoder.add_original_shard(index, shards[index]).ok()?;
        } else {
            decoder.add_recovery_shard(index - k, shards[index]).ok()?;
        }
    }
    let restored = decoder.decode().ok()?;
    for (index, bytes) in restored.restored_original_iter() {
        shards[index].copy_from_slice(bytes);
    }
    Some(())
}

fn encode(k: usize, shards: &mut [[u8; CHUNK]]) -> Option<()> {
    let mut encoder = DefaultRateEncoder::new(k, shards.len() - k, CHUNK, Naive::new(), None).ok()?;
    for shard in &shards[..k] {
        encoder.add_original_shard(shard).ok()?;
    }
    let encoded = encoder.encode().ok()?;
    for (shard, bytes) in shards[k..].iter_mut().zip(encoded.recovery_iter()) {
        shard.copy_from_slice(bytes);
    }
    Some(())
}
