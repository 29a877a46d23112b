//! The machine on bare RV32IM: one iteration of a dispute, and nothing else. docs/design/0031 has its calls and its words.
#![no_std]
#![no_main]
extern crate alloc;

mod atomics;
mod calls;
mod iteration;
mod memory;
mod oracle;

use core::arch::global_asm;
use nectar_machine::recovery_oracle;

/// Codes other than 0 all mean that F failed; which one is for who debugs.
const EXIT_OK: u32 = 0;
const EXIT_FAULT: u32 = 1;
const EXIT_PANIC: u32 = 99;

global_asm!(".section .text.init", ".globl _start", "_start:", "la sp, 0x03f00000", "call guest_main", "1: j 1b");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    calls::exit(EXIT_PANIC)
}

#[unsafe(no_mangle)]
extern "C" fn guest_main() -> ! {
    recovery_oracle::install(oracle::recover);
    match iteration::run(&calls::input()) {
        Ok(hash) => {
            calls::output(&hash.0);
            calls::exit(EXIT_OK)
        }
        Err(_) => calls::exit(EXIT_FAULT),
    }
}
