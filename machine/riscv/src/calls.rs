//! The four calls of the disputed machine (docs/design/0031): number in a7, arguments from a0 on.
use alloc::vec::Vec;
use core::arch::asm;

const EXIT: u32 = 0;
const OUTPUT: u32 = 1;
const INPUT: u32 = 2;
const READ: u32 = 3;

/// Kinds that `read` may ask for.
pub const KECCAK: u32 = 0;
pub const BLOB_ELEMENT: u32 = 1;
pub const ECRECOVER: u32 = 2;

const PIECE_BYTES: usize = 16;

/// What a call writes to, and reads a hash's half from.
#[repr(align(16))]
struct Piece([u8; PIECE_BYTES]);

/// A key is read where a multiple of 32 is; the call reads it, no code of ours does.
#[allow(dead_code)]
#[repr(align(32))]
struct Key([u8; 32]);

pub fn exit(code: u32) -> ! {
    unsafe { asm!("ecall", in("a0") code, in("a7") EXIT) }
    // A halted machine makes no step.
    loop {}
}

pub fn output(word: &[u8; 32]) {
    for (half, bytes) in word.chunks_exact(PIECE_BYTES).enumerate() {
        let mut piece = Piece([0; PIECE_BYTES]);
        piece.0.copy_from_slice(bytes);
        unsafe { asm!("ecall", in("a0") &raw const piece, in("a1") half, in("a7") OUTPUT) }
    }
}

pub fn input() -> [u8; 32] {
    let mut word = [0; 32];
    for (half, bytes) in word.chunks_exact_mut(PIECE_BYTES).enumerate() {
        let mut piece = Piece([0; PIECE_BYTES]);
        unsafe { asm!("ecall", in("a0") &raw mut piece, in("a1") half, in("a7") INPUT) }
        bytes.copy_from_slice(&piece.0);
    }
    word
}

/// The whole preimage; `None` when it is longer than `room`. Its hash is not looked at: L1 checks every answer.
pub fn read(kind: u32, key: &[u8; 32], room: usize) -> Option<Vec<u8>> {
    read_hinted(kind, key, room, &[])
}

/// `hint` is in a4, which the call does not look at: whoever runs the machine may, to find what the key is the hash of.
pub fn read_hinted(kind: u32, key: &[u8; 32], room: usize, hint: &[u8]) -> Option<Vec<u8>> {
    let key = Key(*key);
    let mut piece = Piece([0; PIECE_BYTES]);
    let mut take = |offset: usize| -> (usize, [u8; PIECE_BYTES]) {
        let length: usize;
        unsafe {
            asm!("ecall", inlateout("a0") kind as usize => length, in("a1") &raw const key, in("a2") offset,
                in("a3") &raw mut piece, in("a4") hint.as_ptr(), in("a7") READ)
        }
        (length, piece.0)
    };
    let (length, first) = take(0);
    if length > room {
        return None;
    }
    let mut bytes = Vec::with_capacity(length.next_multiple_of(PIECE_BYTES));
    bytes.extend_from_slice(&first);
    while bytes.len() < length {
        bytes.extend_from_slice(&take(bytes.len()).1);
    }
    bytes.truncate(length);
    Some(bytes)
}
