//! Raw DEFLATE (RFC 1951) with a bound on its output, accepting exactly what batches of version 1 have always been read with
//! (fflate's `inflateSync`). That is more than the RFC allows, and part of the protocol, since nodes must agree on every byte:
//!
//! - the complement of a stored block's length is not compared;
//! - sets of code lengths may be incomplete or oversubscribed: of two symbols with one code the later wins, and a code that
//!   does not fit its table takes the place of the all-zero code;
//! - a code length code that stands for nothing is the length 0 and takes no bits; a repeat before the first length repeats 0;
//! - length codes 286 and 287 mean 260 and 261, distance code 30 means 32769, distance code 31 writes zeros;
//! - bytes after the final block are ignored.
use alloc::{vec, vec::Vec};

const LENGTH_EXTRA: [u32; 31] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0, 0, 0];
const DISTANCE_EXTRA: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 0, 0];
const CODE_LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LENGTH_BASE: [u32; 31] = length_bases();
const DISTANCE_BASE: [u32; 31] = bases(&DISTANCE_EXTRA, 0);
const END_OF_BLOCK: u16 = 256;

const fn bases(extra: &[u32], start: u32) -> [u32; 31] {
    let mut base = [0; 31];
    let mut value = start;
    let mut i = 0;
    while i < 31 {
        value += if i == 0 { 1 } else { 1 << extra[i - 1] };
        base[i] = value;
        i += 1;
    }
    base
}

const fn length_bases() -> [u32; 31] {
    let mut base = bases(&LENGTH_EXTRA, 2);
    base[28] = 258;
    base
}

/// Symbol and length of every code, by the next bits of the input: (symbol << 4) | bits, or 0 where no code is.
struct Codes {
    table: Vec<u16>,
    mask: u32,
}

impl Codes {
    fn new(lengths: &[u8]) -> Codes {
        let bits = usize::from(lengths.iter().copied().max().unwrap_or(0));
        let mut count = [0u16; 16];
        for length in lengths.iter().filter(|length| **length > 0) {
            count[usize::from(*length) - 1] += 1;
        }
        let mut next = [0u16; 16];
        for i in 1..bits {
            next[i] = next[i - 1].wrapping_add(count[i - 1]).wrapping_shl(1);
        }
        let mut table = vec![0u16; 1 << bits];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let free = bits - usize::from(*length);
            let place = &mut next[usize::from(*length) - 1];
            let first = u32::from(*place) << free;
            *place = place.wrapping_add(1);
            for code in first..=(first | ((1 << free) - 1)) {
                // A code past 15 bits has no reversal: its place is the first one.
                let at = if code < 1 << 15 { ((code as u16).reverse_bits() >> 1) >> (15 - bits) } else { 0 };
                table[usize::from(at)] = ((symbol as u16) << 4) | u16::from(*length);
            }
        }
        Codes { table, mask: (1 << bits) - 1 }
    }
}

/// The input as bits, least significant first; past its end it reads as zeros.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn peek(&self) -> u32 {
        let start = self.at / 8;
        let byte = |i: usize| u32::from(self.data.get(start + i).copied().unwrap_or(0));
        (byte(0) | byte(1) << 8 | byte(2) << 16) >> (self.at & 7)
    }
    fn take(&mut self, count: u32) -> u32 {
        let value = self.peek() & ((1 << count) - 1);
        self.at += count as usize;
        value
    }
    fn symbol(&mut self, codes: &Codes) -> u16 {
        let entry = codes.table[(self.peek() & codes.mask) as usize];
        self.at += usize::from(entry & 15);
        entry
    }
    fn is_past_end(&self) -> bool {
        self.at > self.data.len() * 8
    }
}

/// Inflates `data` to exactly `size` bytes; `None` when it is malformed or its output has another size.
pub fn inflate(data: &[u8], size: usize) -> Option<Vec<u8>> {
    if data.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(size);
    let mut bits = Bits { data, at: 0 };
    let mut fixed_codes = None;
    loop {
        let is_final = bits.take(1) == 1;
        match bits.take(2) {
            0 => stored(&mut bits, &mut out, size)?,
            1 => compressed(&mut bits, fixed_codes.get_or_insert_with(fixed), &mut out, size)?,
            2 => {
                let codes = dynamic(&mut bits);
                if bits.is_past_end() {
                    return None;
                }
                compressed(&mut bits, &codes, &mut out, size)?;
            }
            _ => return None,
        }
        if is_final {
            return (out.len() == size).then_some(out);
        }
    }
}

fn stored(bits: &mut Bits, out: &mut Vec<u8>, size: usize) -> Option<()> {
    let start = bits.at.div_ceil(8) + 4;
    let byte = |at: usize| usize::from(bits.data.get(at).copied().unwrap_or(0));
    let end = start + (byte(start - 4) | byte(start - 3) << 8);
    if end > bits.data.len() || out.len() + (end - start) > size {
        return None;
    }
    out.extend_from_slice(&bits.data[start..end]);
    bits.at = end * 8;
    Some(())
}

fn fixed() -> (Codes, Codes) {
    let mut lengths = [8u8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    (Codes::new(&lengths), Codes::new(&[5; 32]))
}

fn dynamic(bits: &mut Bits) -> (Codes, Codes) {
    let literals = bits.take(5) as usize + 257;
    let distances = bits.take(5) as usize + 1;
    let written = bits.take(4) as usize + 4;
    let mut code_lengths = [0u8; 19];
    for place in &CODE_LENGTH_ORDER[..written] {
        code_lengths[*place] = bits.take(3) as u8;
    }
    let codes = Codes::new(&code_lengths);
    let total = literals + distances;
    let mut lengths = Vec::with_capacity(total + 138);
    while lengths.len() < total {
        let (value, times) = match bits.symbol(&codes) >> 4 {
            16 => (lengths.last().copied().unwrap_or(0), 3 + bits.take(2)),
            17 => (0, 3 + bits.take(3)),
            18 => (0, 11 + bits.take(7)),
            length => (length as u8, 1),
        };
        lengths.resize(lengths.len() + times as usize, value);
    }
    lengths.truncate(total);
    (Codes::new(&lengths[..literals]), Codes::new(&lengths[literals..]))
}

fn compressed(bits: &mut Bits, (literals, distances): &(Codes, Codes), out: &mut Vec<u8>, size: usize) -> Option<()> {
    loop {
        let entry = bits.symbol(literals);
        if bits.is_past_end() || entry == 0 {
            return None;
        }
        match entry >> 4 {
            symbol @ ..END_OF_BLOCK => {
                if out.len() == size {
                    return None;
                }
                out.push(symbol as u8);
            }
            END_OF_BLOCK => return Some(()),
            symbol => {
                let i = usize::from(symbol - 257);
                let length = (LENGTH_BASE[i] + bits.take(LENGTH_EXTRA[i])) as usize;
                let entry = bits.symbol(distances);
                if entry == 0 {
                    return None;
                }
                let code = usize::from(entry >> 4);
                let distance = DISTANCE_BASE.get(code).map(|base| (base + bits.take(DISTANCE_EXTRA[code])) as usize);
                if bits.is_past_end() || out.len() + length > size {
                    return None;
                }
                repeat(out, length, distance)?;
            }
        }
    }
}

fn repeat(out: &mut Vec<u8>, length: usize, distance: Option<usize>) -> Option<()> {
    let Some(distance) = distance else {
        out.resize(out.len() + length, 0);
        return Some(());
    };
    let start = out.len().checked_sub(distance)?;
    for at in start..start + length {
        out.push(out[at]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stored_block_and_no_longer_output() {
        let block = [1, 3, 0, 0xfc, 0xff, 7, 8, 9];
        assert_eq!(inflate(&block, 3), Some(vec![7, 8, 9]));
        assert_eq!(inflate(&block, 2), None);
        assert_eq!(inflate(&block, 4), None);
        assert_eq!(inflate(&block[..7], 3), None);
    }

    #[test]
    fn reads_fixed_codes_with_overlap() {
        // zlib's raw DEFLATE of ten times 'a'.
        assert_eq!(inflate(&[0x4b, 0x84, 0x03, 0x00], 10), Some(vec![b'a'; 10]));
    }
}
