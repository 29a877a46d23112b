//! One hart, no interrupts: what the compiler takes for atomic is plain.
macro_rules! atomics {
    ($number:ty, $load:ident, $store:ident, $exchange:ident, $add:ident, $sub:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $load(at: *const $number, _: i32) -> $number {
            unsafe { at.read_volatile() }
        }
        #[unsafe(no_mangle)]
        extern "C" fn $store(at: *mut $number, value: $number, _: i32) {
            unsafe { at.write_volatile(value) }
        }
        #[unsafe(no_mangle)]
        extern "C" fn $exchange(at: *mut $number, expected: *mut $number, value: $number, _: i32, _: i32) -> bool {
            unsafe {
                let found = at.read_volatile();
                if found == *expected {
                    at.write_volatile(value);
                    true
                } else {
                    *expected = found;
                    false
                }
            }
        }
        #[unsafe(no_mangle)]
        extern "C" fn $add(at: *mut $number, value: $number, _: i32) -> $number {
            unsafe {
                let found = at.read_volatile();
                at.write_volatile(found.wrapping_add(value));
                found
            }
        }
        #[unsafe(no_mangle)]
        extern "C" fn $sub(at: *mut $number, value: $number, _: i32) -> $number {
            unsafe {
                let found = at.read_volatile();
                at.write_volatile(found.wrapping_sub(value));
                found
            }
        }
    };
}

atomics!(u32, __atomic_load_4, __atomic_store_4, __atomic_compare_exchange_4, __atomic_fetch_add_4, __atomic_fetch_sub_4);
atomics!(u8, __atomic_load_1, __atomic_store_1, __atomic_compare_exchange_1, __atomic_fetch_add_1, __atomic_fetch_sub_1);
