//! The machine on bare RV32IM: one block from its inputs and preimages, and nothing else. What a dispute runs, step by step.
//!
//! Environment calls (number in a7): 0 exit (a0 code), 1 write (a1 address, a2 length), 2 input (a0 index, a1 address, a2 room;
//! length in a0), 3 preimage (a0 kind, a1 hash, a2 address, a3 room; length or -1 in a0).
//! Input 0 is chain id 8, fork 1, p256 1, call 1: 0 for `execute_block`, 1 for `derive_block`, 2 for `derive_inputs`. Input 1 is
//! that of the call. The answer is written; exit codes are its statuses.
#![no_std]
#![no_main]
extern crate alloc;

mod atomics;
#[path = "../../wasm/src/derive_wire.rs"]
mod derive_wire;
#[path = "../../wasm/src/wire.rs"]
#[allow(dead_code)]
mod wire;

use alloc::{vec, vec::Vec};
use alloy_primitives::B256;
use core::arch::{asm, global_asm};
use derive_wire::{put_inputs, put_step, read_place};
use nectar_machine::{
    block::execute,
    derive::Deriver,
    fault::Fault,
    header,
    preimage::{Kind, Preimages},
    rules::{Fork, Rules},
    state::State,
};
use wire::{Reader, put_output, read_input};

const HEAP_START: usize = 0x0400_0000;
const MAX_INPUT_BYTES: usize = 8 << 20;
/// A blob is 128 KiB, a batch in calldata less.
const MAX_PREIMAGE_BYTES: usize = 128 << 10;

/// Gives memory and takes none back: a block's run ends before it is used up.
struct Bump;
static mut HEAP: usize = HEAP_START;

unsafe impl core::alloc::GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
        // SAFETY: one hart, no interrupts.
        unsafe {
            let at = (HEAP + layout.align() - 1) & !(layout.align() - 1);
            HEAP = at + layout.size();
            at as *mut u8
        }
    }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;

global_asm!(".section .text.init", ".globl _start", "_start:", "la sp, 0x03f00000", "call guest_main", "1: j 1b");

fn exit(code: u32) -> ! {
    unsafe { asm!("ecall", in("a0") code, in("a7") 0u32) }
    loop {}
}

fn write(bytes: &[u8]) {
    unsafe { asm!("ecall", in("a1") bytes.as_ptr(), in("a2") bytes.len(), in("a7") 1u32) }
}

fn input(index: usize) -> Vec<u8> {
    let mut bytes = vec![0u8; MAX_INPUT_BYTES];
    let length: usize;
    unsafe {
        asm!("ecall", inlateout("a0") index => length, in("a1") bytes.as_mut_ptr(), in("a2") bytes.len(), in("a7") 2u32)
    }
    bytes.truncate(length);
    bytes
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(99)
}

struct Witness {
    scratch: Vec<u8>,
}

impl Preimages for Witness {
    fn get(&mut self, kind: Kind, hash: &B256) -> Result<Vec<u8>, Fault> {
        let length: i32;
        unsafe {
            asm!("ecall", inlateout("a0") kind as u32 => length, in("a1") hash.as_ptr(),
                in("a2") self.scratch.as_mut_ptr(), in("a3") self.scratch.len(), in("a7") 3u32)
        }
        let Ok(length) = usize::try_from(length) else { return Err(Fault::Missing(kind, *hash)) };
        self.scratch.get(..length).map(<[u8]>::to_vec).ok_or(Fault::Malformed("preimage"))
    }
    fn put(&mut self, _: Kind, _: B256, _: &[u8]) {}
}

const NO_INPUT: Fault = Fault::Input("not the input of a call");
const CALL_DERIVE_BLOCK: u8 = 1;
const CALL_DERIVE_INPUTS: u8 = 2;

fn run() -> Result<Vec<u8>, Fault> {
    let rules = input(0);
    let mut reader = Reader(&rules);
    let chain_id = reader.u64().ok_or(NO_INPUT)?;
    let fork = reader.u8().and_then(Fork::from_number).ok_or(NO_INPUT)?;
    let rules = Rules::new(chain_id, fork, reader.u8() == Some(1));
    let call = reader.u8().ok_or(NO_INPUT)?;
    let bytes = input(1);
    let mut reader = Reader(&bytes);
    let mut state = State::new(Witness { scratch: vec![0; MAX_PREIMAGE_BYTES] });
    let mut out = Vec::new();
    match call {
        CALL_DERIVE_BLOCK => {
            let place = read_place(&mut reader).ok_or(NO_INPUT)?;
            put_step(&Deriver::default().derive(&mut state, &place, &rules)?, &mut out);
        }
        CALL_DERIVE_INPUTS => {
            let place = read_place(&mut reader).ok_or(NO_INPUT)?;
            put_inputs(&Deriver::default().inputs(&place, &mut state.preimages)?, &mut out);
        }
        _ => {
            let previous = header::decode(reader.blob().ok_or(NO_INPUT)?)?;
            let block = read_input(&mut reader).ok_or(NO_INPUT)?;
            put_output(&execute(&mut state, &previous, &block, &rules)?, &mut out);
        }
    }
    Ok(out)
}

#[unsafe(no_mangle)]
extern "C" fn guest_main() -> ! {
    match run() {
        Ok(out) => {
            write(&out);
            exit(0)
        }
        Err(Fault::Missing(..)) => exit(1),
        Err(Fault::Input(_)) => exit(2),
        Err(_) => exit(3),
    }
}
