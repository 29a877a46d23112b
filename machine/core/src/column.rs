//! Reads what the batch codec's columns hold, strictly: no overrun, no over-long number, nothing left at the end.
use alloy_primitives::U256;

/// A malformed batch is an empty one, not an error: it goes no further than the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[derive(Debug, Clone)]
pub struct Column<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Column<'a> {
    pub fn new(data: &'a [u8]) -> Column<'a> {
        Column { data, at: 0 }
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.data.get(self.at).ok_or(Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    /// An unsigned LEB128 in its shortest form, at most `bits` wide.
    pub fn varint(&mut self, bits: usize) -> Result<U256, Malformed> {
        let mut value = U256::ZERO;
        let mut shift = 0;
        loop {
            if shift > bits {
                return Err(Malformed);
            }
            let next = self.byte()?;
            let digit = U256::from(next & 127);
            // Bits past the width: at shift 252 only four are left of 256.
            if bits - shift < 7 && next & 127 >= 1 << (bits - shift) {
                return Err(Malformed);
            }
            if shift < 256 {
                value |= digit << shift;
            }
            if next < 128 {
                return if next == 0 && shift > 0 { Err(Malformed) } else { Ok(value) };
            }
            shift += 7;
        }
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(self.varint(64)?.to::<u64>())
    }

    /// A varint that is at most `max`: for counts, lengths and indices.
    pub fn count(&mut self, max: usize) -> Result<usize, Malformed> {
        let value = self.varint(32)?.to::<u64>();
        if value > max as u64 { Err(Malformed) } else { Ok(value as usize) }
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        if length > self.data.len() - self.at {
            return Err(Malformed);
        }
        self.at += length;
        Ok(&self.data[self.at - length..self.at])
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes(N)?.try_into().map_err(|_| Malformed)
    }

    /// The next varint-prefixed section.
    pub fn section(&mut self) -> Result<Column<'a>, Malformed> {
        let length = self.count(self.data.len())?;
        Ok(Column::new(self.bytes(length)?))
    }

    pub fn end(&self) -> Result<(), Malformed> {
        if self.at == self.data.len() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_in_shortest_form_and_within_their_width() {
        assert_eq!(Column::new(&[0x80, 0x01]).varint(64), Ok(U256::from(128)));
        assert_eq!(Column::new(&[0x80, 0x00]).varint(64), Err(Malformed));
        let mut widest = [0xff; 10];
        widest[9] = 1;
        assert_eq!(Column::new(&widest).u64(), Ok(u64::MAX));
        widest[9] = 2;
        assert_eq!(Column::new(&widest).u64(), Err(Malformed));
        let mut wide = [0xff; 37];
        wide[36] = 15;
        assert_eq!(Column::new(&wide).varint(256), Ok(U256::MAX));
        wide[36] = 16;
        assert_eq!(Column::new(&wide).varint(256), Err(Malformed));
    }
}
