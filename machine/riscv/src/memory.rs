//! Memory of the guest: the stack grows down from 63 MiB, the heap up from 64 MiB. The heap is far larger than what WebAssembly has
//! for the same blocks: where one of the two ran out of memory, the node and the dispute would disagree.
use core::{alloc::Layout, ptr::null_mut};
use dlmalloc::{Allocator, Dlmalloc};

const HEAP_START: usize = 0x0400_0000;
/// Below the page that is kept.
const HEAP_END: usize = 0xf000_0000;
/// What the allocator takes at a time.
const PAGE_BYTES: usize = 64 << 10;

/// Gives what was never given before, so zeros, and takes nothing back: `Dlmalloc` uses it again.
struct Heap;
static mut USED_TO: usize = HEAP_START;

unsafe impl Allocator for Heap {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // SAFETY: one hart, no interrupts.
        unsafe {
            let at = USED_TO;
            if size > HEAP_END - at {
                return (null_mut(), 0, 0);
            }
            USED_TO = at + size;
            (at as *mut u8, size, 0)
        }
    }
    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }
    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }
    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }
    fn can_release_part(&self, _: u32) -> bool {
        false
    }
    fn allocates_zeros(&self) -> bool {
        true
    }
    fn page_size(&self) -> usize {
        PAGE_BYTES
    }
}

struct Memory;
static mut DLMALLOC: Dlmalloc<Heap> = Dlmalloc::new_with_allocator(Heap);

// SAFETY: one hart, no interrupts; `Dlmalloc` keeps the contract.
unsafe impl core::alloc::GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*&raw mut DLMALLOC).malloc(layout.size(), layout.align()) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { (*&raw mut DLMALLOC).free(at, layout.size(), layout.align()) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { (*&raw mut DLMALLOC).calloc(layout.size(), layout.align()) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { (*&raw mut DLMALLOC).realloc(at, layout.size(), layout.align(), size) }
    }
}

#[global_allocator]
static ALLOCATOR: Memory = Memory;
