//! Hashes pages of a disputed machine's memory and pairs of nodes: docs/design/0031. Numbers are 32 bytes, little endian, below the
//! modulus. Its own memory is the caller's: nothing is allocated, and what is kept is said by address.
#![no_std]

mod constants;
mod field;
mod permutation;

use field::{Element, ZERO, decode, encode};
use permutation::hash_pair;

const NODE_BYTES: usize = 32;
const LEAF_BYTES: usize = 16;
const LEAVES: usize = 256;
const LEVELS: usize = 8;

/// Where the caller writes and reads: a page, or pairs of nodes; then what comes of them.
static mut ROOM: [u8; 64 << 10] = [0; 64 << 10];
static mut NODES: [Element; LEAVES] = [ZERO; LEAVES];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn room() -> *mut u8 {
    &raw mut ROOM as *mut u8
}

/// Of the page of 4,096 bytes in the room: its root; and of the leaf with this index its 8 siblings, the lowest first. Both in the room,
/// the root first.
#[unsafe(no_mangle)]
pub extern "C" fn hash_page(index: usize) {
    // SAFETY: one thread, and nothing else is called meanwhile.
    let (room, nodes) = unsafe { (&mut *&raw mut ROOM, &mut *&raw mut NODES) };
    for (node, leaf) in nodes.iter_mut().zip(room.chunks_exact(LEAF_BYTES)) {
        *node = if leaf.iter().all(|byte| *byte == 0) { ZERO } else { decode(leaf) };
    }
    let mut empty = ZERO;
    let (mut at, mut length) = (index % LEAVES, LEAVES);
    for level in 0..LEVELS {
        let out = (1 + level) * NODE_BYTES;
        encode(&nodes[at ^ 1], &mut room[out..out + NODE_BYTES]);
        let above = hash_pair(&empty, &empty);
        length /= 2;
        for i in 0..length {
            let (left, right) = (nodes[2 * i], nodes[2 * i + 1]);
            nodes[i] = if left == empty && right == empty { above } else { hash_pair(&left, &right) };
        }
        empty = above;
        at /= 2;
    }
    encode(&nodes[0], &mut room[..NODE_BYTES]);
}

/// Of `count` pairs in the room, 1,024 at most: the node above each, from the room's start on.
#[unsafe(no_mangle)]
pub extern "C" fn hash_pairs(count: usize) {
    // SAFETY: as above.
    let room = unsafe { &mut *&raw mut ROOM };
    for i in 0..count {
        let pair = 2 * NODE_BYTES * i;
        let left = decode(&room[pair..pair + NODE_BYTES]);
        let right = decode(&room[pair + NODE_BYTES..pair + 2 * NODE_BYTES]);
        encode(&hash_pair(&left, &right), &mut room[NODE_BYTES * i..NODE_BYTES * (i + 1)]);
    }
}
