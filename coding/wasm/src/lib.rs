//! The ABI of the coding; ../README.md says what each call takes and gives. An instance has one thread.
#![no_std]
extern crate alloc;

use alloc::vec::Vec;
use nectar_coding::{
    coefficients::{CHUNK, Slot, coefficients},
    pieces::{LEAF, piece_hashes},
    product::Product,
};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

const ABI_VERSION: u32 = 1;
const OK: i32 = 0;
const INVALID: i32 = 1;

static mut PRODUCT: Option<(usize, Product)> = None;

fn bytes<'a>(at: *mut u8, length: usize) -> &'a mut [u8] {
    // SAFETY: `at` is what `allocate` gave for at least this length, and the host makes no call while another one runs.
    unsafe { core::slice::from_raw_parts_mut(at, length) }
}

#[unsafe(no_mangle)]
pub extern "C" fn abi_version() -> u32 {
    ABI_VERSION
}

/// Room of `length` bytes; to be given back with `release`.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    let mut bytes = Vec::<u8>::with_capacity(length);
    let at = bytes.as_mut_ptr();
    core::mem::forget(bytes);
    at
}

#[unsafe(no_mangle)]
pub extern "C" fn release(at: *mut u8, length: usize) {
    // SAFETY: `at` is what `allocate` gave for this length.
    drop(unsafe { Vec::from_raw_parts(at, 0, length) });
}

/// Makes a product ready: a byte for each of n shards, 0 absent, 1 present, 2 wanted.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(k: usize, slots: *mut u8, n: usize) -> i32 {
    let slots: Option<Vec<Slot>> = bytes(slots, n).iter().map(|&byte| slot(byte)).collect();
    let Some(ready) = slots.and_then(|slots| coefficients(k, &slots)) else { return INVALID };
    // SAFETY: one thread, and `run` keeps no reference.
    unsafe { PRODUCT = Some((n, Product::new(ready))) };
    OK
}

fn slot(byte: u8) -> Option<Slot> {
    match byte {
        0 => Some(Slot::Absent),
        1 => Some(Slot::Present),
        2 => Some(Slot::Wanted),
        _ => None,
    }
}

/// Fills the wanted shards of a stripe: n parts of `length` bytes each.
#[unsafe(no_mangle)]
#[allow(static_mut_refs)]
pub extern "C" fn run(at: *mut u8, length: usize) -> i32 {
    // SAFETY: as above.
    let Some((n, product)) = (unsafe { PRODUCT.as_ref() }) else { return INVALID };
    if length % CHUNK != 0 {
        return INVALID;
    }
    product.run(bytes(at, n * length), length);
    OK
}

/// Writes the hash of each piece of a shard's bytes to `out`.
#[unsafe(no_mangle)]
pub extern "C" fn pieces(at: *mut u8, length: usize, out: *mut u8) -> i32 {
    if length % LEAF != 0 {
        return INVALID;
    }
    let hashes = piece_hashes(bytes(at, length));
    bytes(out, hashes.len() * 32).copy_from_slice(hashes.as_flattened());
    OK
}
