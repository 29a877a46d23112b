use crate::{
    host::HostPreimages,
    wire::{Reader, put_batch, put_output, read_accounts, read_input},
};
use alloc::{string::ToString, vec::Vec};
use nectar_machine::{
    batch::{BATCH_LIMITS, decode_batch},
    block::execute,
    derive::Deriver,
    fault::Fault,
    genesis, header,
    inflate::inflate,
    rules::{Fork, Rules},
    state::State,
    transaction::Transaction,
};

/// The version of this ABI. A host refuses another one.
const ABI_VERSION: u32 = 3;

const OK: i32 = 0;
const MISSING: i32 = 1;
const INVALID: i32 = 2;
const FAULT: i32 = 3;

pub struct Machine {
    pub rules: Rules,
    pub state: State<HostPreimages>,
    pub deriver: Deriver,
}

static mut MACHINE: Option<Machine> = None;
static mut OUT: Vec<u8> = Vec::new();

/// SAFETY of the statics: an instance has one thread, and no call is made while another one runs (`preimage` calls nothing).
#[allow(static_mut_refs)]
fn machine() -> Option<&'static mut Machine> {
    unsafe { MACHINE.as_mut() }
}

#[allow(static_mut_refs)]
fn out() -> &'static mut Vec<u8> {
    unsafe { &mut OUT }
}

fn input<'a>(at: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: `at` is what `allocate` gave for this length.
    unsafe { core::slice::from_raw_parts(at, length) }
}

/// `number` is that of the block that was asked for, where it is known.
fn fail(fault: &Fault, number: u64) -> i32 {
    let out = out();
    out.clear();
    match fault {
        Fault::Missing(kind, hash) => {
            out.push(*kind as u8);
            out.extend_from_slice(hash.as_slice());
            MISSING
        }
        Fault::Input(reason) => {
            out.extend_from_slice(&number.to_le_bytes());
            out.extend_from_slice(reason.as_bytes());
            INVALID
        }
        other => {
            out.extend_from_slice(other.to_string().as_bytes());
            FAULT
        }
    }
}

/// Makes a call whose preimages the host keeps when it succeeds.
pub fn change(
    at: *const u8,
    length: usize,
    make: impl FnOnce(&mut Machine, Reader, &mut Vec<u8>) -> Result<(), Fault>,
) -> i32 {
    let status = answer(at, length, make);
    if status != OK
        && let Some(machine) = machine()
    {
        machine.state.preimages.fresh.clear();
    }
    status
}

/// Makes a call; what it wrote is in `fresh`.
pub fn answer(
    at: *const u8,
    length: usize,
    make: impl FnOnce(&mut Machine, Reader, &mut Vec<u8>) -> Result<(), Fault>,
) -> i32 {
    let Some(machine) = machine() else { return fail(&Fault::Input("not open"), 0) };
    machine.state.preimages.fresh.clear();
    let out = out();
    out.clear();
    match make(machine, Reader(input(at, length)), out) {
        Ok(()) => OK,
        Err(fault) => fail(&fault, 0),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn abi_version() -> u32 {
    ABI_VERSION
}

/// Room for `length` bytes of input; to be given back with `release`.
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

#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    out().as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn output_length() -> usize {
    out().len()
}

#[unsafe(no_mangle)]
pub extern "C" fn fresh() -> *const u8 {
    machine().map_or(core::ptr::null(), |machine| machine.state.preimages.fresh.as_ptr())
}

#[unsafe(no_mangle)]
pub extern "C" fn fresh_length() -> usize {
    machine().map_or(0, |machine| machine.state.preimages.fresh.len())
}

#[unsafe(no_mangle)]
#[allow(static_mut_refs)]
pub extern "C" fn open(chain_id: u64, fork: u32, p256: u32) -> i32 {
    let Some(fork) = u8::try_from(fork).ok().and_then(Fork::from_number) else {
        return fail(&Fault::Input("unknown fork"), 0);
    };
    let rules = Rules::new(chain_id, fork, p256 != 0);
    let machine = Machine { rules, state: State::new(HostPreimages::new()), deriver: Deriver::default() };
    unsafe { MACHINE = Some(machine) };
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn decode(at: *const u8, length: usize) -> i32 {
    let out = out();
    out.clear();
    match decode_batch(input(at, length), &BATCH_LIMITS) {
        Some(blocks) => {
            put_batch(&blocks, out);
            OK
        }
        None => INVALID,
    }
}

/// Size 4, raw DEFLATE: what a batch's columns are packed in. INVALID unless it inflates to exactly that size.
#[unsafe(no_mangle)]
pub extern "C" fn inflate_columns(at: *const u8, length: usize) -> i32 {
    let out = out();
    out.clear();
    let mut reader = Reader(input(at, length));
    let size = reader.u32().map(|size| size as usize).filter(|size| *size <= BATCH_LIMITS.max_inflated_bytes);
    match size.and_then(|size| inflate(reader.0, size)) {
        Some(plain) => {
            *out = plain;
            OK
        }
        None => INVALID,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn execute_block(at: *const u8, length: usize) -> i32 {
    let Some(machine) = machine() else { return fail(&Fault::Input("not open"), 0) };
    machine.state.preimages.fresh.clear();
    let mut number = 0;
    match run(machine, input(at, length), &mut number) {
        Ok(()) => OK,
        Err(fault) => {
            machine.state.preimages.fresh.clear();
            fail(&fault, number)
        }
    }
}

fn run(machine: &mut Machine, bytes: &[u8], number: &mut u64) -> Result<(), Fault> {
    let mut reader = Reader(bytes);
    let previous = header::decode(reader.blob().ok_or(Fault::Input("not a block input"))?)?;
    *number = previous.number.wrapping_add(1);
    let block = read_input(&mut reader).ok_or(Fault::Input("not a block input"))?;
    let result = execute(&mut machine.state, &previous, &block, &machine.rules)?;
    let out = out();
    out.clear();
    put_output(&result, out);
    Ok(())
}

/// Writes accounts into an empty state; the answer is its root.
#[unsafe(no_mangle)]
pub extern "C" fn build_state(at: *const u8, length: usize) -> i32 {
    let Some(machine) = machine() else { return fail(&Fault::Input("not open"), 0) };
    machine.state.preimages.fresh.clear();
    let Some(accounts) = read_accounts(&mut Reader(input(at, length))) else {
        return fail(&Fault::Input("not a list of accounts"), 0);
    };
    match genesis::build_state(&mut machine.state, accounts) {
        Ok(root) => {
            let out = out();
            out.clear();
            out.extend_from_slice(root.as_slice());
            OK
        }
        Err(fault) => fail(&fault, 0),
    }
}

/// Drops what is kept of the state between blocks.
#[unsafe(no_mangle)]
pub extern "C" fn forget() {
    if let Some(machine) = machine() {
        machine.state.reset();
        machine.deriver.forget();
    }
}

/// For each transaction: 1 | digest 32 | r 32 | s 32 | y parity 1, or 0 when there is no signature to recover.
#[unsafe(no_mangle)]
pub extern "C" fn signatures(at: *const u8, length: usize) -> i32 {
    let out = out();
    out.clear();
    let mut reader = Reader(input(at, length));
    while !reader.0.is_empty() {
        let Some(raw) = reader.blob() else { return fail(&Fault::Input("not a list of transactions"), 0) };
        let Some(transaction) = Transaction::decode(raw) else {
            out.push(0);
            continue;
        };
        let signature = &transaction.signature;
        out.push(1);
        out.extend_from_slice(transaction.signing_hash.as_slice());
        out.extend_from_slice(&signature.r.to_be_bytes::<32>());
        out.extend_from_slice(&signature.s.to_be_bytes::<32>());
        out.push(u8::from(signature.y_parity));
    }
    OK
}
