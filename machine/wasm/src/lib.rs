//! The machine's ABI; ../README.md says what each call takes and gives. One instance is one machine: a host that wants two
//! makes two. After a trap an instance is of no more use.
#![no_std]
extern crate alloc;

mod abi;
mod call_abi;
mod call_wire;
mod derive_abi;
mod derive_wire;
mod host;
mod wire;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
