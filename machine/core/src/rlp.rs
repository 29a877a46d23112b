//! Strict RLP (Yellow Paper, appendix B): one value has one encoding, and anything else is refused.
use alloc::vec::Vec;
use alloy_primitives::U256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    Bytes(&'a [u8]),
    /// The items' encodings, one after the other.
    List(&'a [u8]),
}

/// Takes the next item off `input`; `None` when it is not in the one canonical form.
pub fn take<'a>(input: &mut &'a [u8]) -> Option<Item<'a>> {
    let (&first, rest) = input.split_first()?;
    let (is_list, start, length) = match first {
        0..=0x7f => (false, 0, 1),
        0x80..=0xb7 => (false, 1, usize::from(first - 0x80)),
        0xb8..=0xbf => long_length(rest, first - 0xb7).map(|length| (false, 1 + usize::from(first - 0xb7), length))?,
        0xc0..=0xf7 => (true, 1, usize::from(first - 0xc0)),
        0xf8..=0xff => long_length(rest, first - 0xf7).map(|length| (true, 1 + usize::from(first - 0xf7), length))?,
    };
    let payload = input.get(start..start.checked_add(length)?)?;
    if first == 0x81 && payload[0] < 0x80 {
        return None;
    }
    *input = &input[start + length..];
    Some(if is_list { Item::List(payload) } else { Item::Bytes(payload) })
}

fn long_length(rest: &[u8], bytes: u8) -> Option<usize> {
    let digits = rest.get(..usize::from(bytes))?;
    if digits[0] == 0 {
        return None;
    }
    let length = digits.iter().try_fold(0u64, |sum, digit| sum.checked_mul(256)?.checked_add(u64::from(*digit)))?;
    if length < 56 { None } else { usize::try_from(length).ok() }
}

pub fn take_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    match take(input)? {
        Item::Bytes(bytes) => Some(bytes),
        Item::List(_) => None,
    }
}

pub fn take_list<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    match take(input)? {
        Item::List(payload) => Some(payload),
        Item::Bytes(_) => None,
    }
}

/// The payload of `input`, which must be one list and nothing else.
pub fn only_list(mut input: &[u8]) -> Option<&[u8]> {
    let payload = take_list(&mut input)?;
    input.is_empty().then_some(payload)
}

/// A number in its shortest form, at most `max_bytes` long.
pub fn take_number(input: &mut &[u8], max_bytes: usize) -> Option<U256> {
    let bytes = take_bytes(input)?;
    if bytes.len() > max_bytes || bytes.first() == Some(&0) { None } else { Some(U256::from_be_slice(bytes)) }
}

pub fn take_u64(input: &mut &[u8]) -> Option<u64> {
    take_number(input, 8).map(|number| number.to::<u64>())
}

/// Appends a string.
pub fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if let [byte] = bytes
        && *byte < 0x80
    {
        out.push(*byte);
        return;
    }
    put_length(bytes.len(), 0x80, out);
    out.extend_from_slice(bytes);
}

/// Appends a number in its shortest form; zero is the empty string.
pub fn put_number(number: U256, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes::<32>();
    put_bytes(&bytes[number.leading_zeros() / 8..], out);
}

/// Appends a list whose items' encodings are `payload`.
pub fn put_list(payload: &[u8], out: &mut Vec<u8>) {
    put_length(payload.len(), 0xc0, out);
    out.extend_from_slice(payload);
}

/// Appends the head of a string (`offset` 0x80) or a list (0xc0).
pub fn put_length(length: usize, offset: u8, out: &mut Vec<u8>) {
    if length < 56 {
        out.push(offset + length as u8);
        return;
    }
    let digits = (length as u64).to_be_bytes();
    let start = ((length as u64).leading_zeros() / 8) as usize;
    out.push(offset + 55 + (8 - start) as u8);
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn refuses_every_second_encoding_of_a_value() {
        for wrong in [
            &[0x81, 0x7f][..],
            &[0xb8, 55][..],
            &[0xb9, 0, 56][..],
            &[0xf8, 10][..],
            &[0x82, 1][..],
            &[0xbf, 255, 255, 255, 255, 255, 255, 255, 255][..],
            &[][..],
        ] {
            assert_eq!(take(&mut &wrong[..]), None, "{wrong:?}");
        }
        let mut long = vec![0xb8, 56];
        long.extend_from_slice(&[7; 56]);
        assert_eq!(take(&mut &long[..]), Some(Item::Bytes(&[7; 56])));
    }

    #[test]
    fn writes_what_it_reads() {
        for number in [U256::ZERO, U256::from(1), U256::from(127), U256::from(128), U256::from(256), U256::MAX] {
            let mut out = vec![];
            put_number(number, &mut out);
            assert_eq!(take_number(&mut &out[..], 32), Some(number));
        }
        for length in [0, 1, 55, 56, 255, 256, 70_000] {
            let mut out = vec![];
            put_list(&vec![1; length], &mut out);
            assert_eq!(only_list(&out).map(<[u8]>::len), Some(length));
        }
    }
}
