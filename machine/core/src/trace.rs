//! What happened inside a transaction: its calls as a flat list, its steps, and the state that it touched, before and after.
use crate::call::Wanted;
use alloc::{format, string::String, vec::Vec};
use alloy_primitives::{Address, Bytes, Log, U256};
use revm::{
    Inspector,
    context::{ContextTr, CreateScheme},
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{InputsTr, Jumps, MemoryTr},
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    Call = 0,
    CallCode = 1,
    DelegateCall = 2,
    StaticCall = 3,
    Create = 4,
    Create2 = 5,
    SelfDestruct = 6,
}

/// One call, creation or self-destruction. The list is in the order in which they began; `depth` makes a tree of it.
pub struct Frame {
    pub kind: FrameKind,
    pub depth: u32,
    pub from: Address,
    pub to: Address,
    pub value: U256,
    pub gas: u64,
    pub gas_used: u64,
    pub input: Bytes,
    pub output: Bytes,
    /// Empty when it succeeded.
    pub error: String,
    pub is_revert: bool,
    /// Each with the number of calls that the frame had made before it.
    pub logs: Vec<(Log, u32)>,
    calls: u32,
}

/// What is kept of one call of the ABI, over all its transactions. Whoever asks for more is told so and gets nothing.
const MAX_FRAMES: usize = 100_000;
const MAX_TRACE_BYTES: usize = 12 << 20;
/// Of one transaction.
pub const MAX_STEPS: u32 = 20_000;

/// Collects what is wanted, or nothing at all.
#[derive(Default)]
pub struct Tracer {
    pub wanted: Wanted,
    frames: Vec<Frame>,
    open: Vec<usize>,
    kept_frames: usize,
    kept_bytes: usize,
    steps: Steps,
    is_cut: bool,
}

/// Steps as the ABI has them: pc 4, opcode 1, contract 20, gas 8, cost 8, depth 4, refund 8, count 4 of the top of the stack (words, the top
/// last), blob memory.
#[derive(Default)]
struct Steps {
    bytes: Vec<u8>,
    count: u32,
    /// Where the cost of the step that runs belongs, and the gas before it.
    running: Option<(usize, u64)>,
    /// What the transaction is to be given back so far, and what it was when each open call began.
    refund: i64,
    refunds_before: Vec<i64>,
}

/// What a transaction left with the tracer.
pub struct Traced {
    pub frames: Vec<Frame>,
    pub steps: Vec<u8>,
    /// There was more than may be kept: what is here is of no use.
    pub is_cut: bool,
}

impl Tracer {
    pub fn take(&mut self) -> Traced {
        self.open.clear();
        let steps = core::mem::take(&mut self.steps);
        Traced { frames: core::mem::take(&mut self.frames), steps: steps.bytes, is_cut: self.is_cut }
    }

    fn keep(&mut self, bytes: usize) {
        self.kept_bytes += bytes;
        self.is_cut |= self.kept_bytes > MAX_TRACE_BYTES;
    }

    fn begin(&mut self, mut frame: Frame) {
        frame.depth = self.open.len() as u32;
        self.steps.refunds_before.push(self.steps.refund);
        if !self.wanted.frames {
            self.open.push(usize::MAX);
            return;
        }
        if let Some(parent) = self.open.last().and_then(|at| self.frames.get_mut(*at)) {
            parent.calls += 1;
        }
        self.kept_frames += 1;
        self.is_cut |= self.kept_frames > MAX_FRAMES;
        self.keep(frame.input.len());
        self.open.push(self.frames.len());
        if self.is_cut {
            frame.input = Bytes::new();
        }
        self.frames.push(frame);
    }

    fn end(&mut self, result: InstructionResult, output: &Bytes, gas_used: u64) {
        self.steps.running = None;
        self.steps.refunds_before.pop();
        let at = self.open.pop();
        if self.wanted.frames {
            self.keep(output.len());
        }
        if self.is_cut {
            return;
        }
        let Some(frame) = at.and_then(|at| self.frames.get_mut(at)) else { return };
        // Whatever ends a call other than by a return or a revert takes all its gas.
        frame.gas_used = if result.is_halt() { frame.gas } else { gas_used };
        frame.output = output.clone();
        frame.is_revert = result.is_revert();
        if !result.is_ok() {
            frame.error = format!("{result:?}");
            // What a call logs is gone when it fails.
            frame.logs.clear();
        }
    }

    fn record(&mut self, interpreter: &Interpreter<EthInterpreter>) {
        let Some(wanted) = self.wanted.steps else { return };
        if wanted.limit > 0 && self.steps.count >= wanted.limit {
            return;
        }
        if self.steps.count >= MAX_STEPS {
            self.is_cut = true;
            return;
        }
        let before = self.steps.bytes.len();
        let gas = interpreter.gas.remaining();
        self.steps.refund = self.steps.refunds_before.last().unwrap_or(&0) + interpreter.gas.refunded();
        let out = &mut self.steps.bytes;
        out.extend_from_slice(&(interpreter.bytecode.pc() as u32).to_le_bytes());
        out.push(interpreter.bytecode.opcode());
        out.extend_from_slice(interpreter.input.target_address().as_slice());
        out.extend_from_slice(&gas.to_le_bytes());
        self.steps.running = Some((out.len(), gas));
        out.extend_from_slice(&0u64.to_le_bytes());
        out.extend_from_slice(&(self.open.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.steps.refund.max(0) as u64).to_le_bytes());
        let stack = interpreter.stack.data();
        let top = &stack[stack.len().saturating_sub(wanted.stack_words as usize)..];
        out.extend_from_slice(&(top.len() as u32).to_le_bytes());
        top.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes::<32>()));
        let size = if wanted.memory { interpreter.memory.size() } else { 0 };
        out.extend_from_slice(&(size as u32).to_le_bytes());
        if size > 0 && size <= MAX_TRACE_BYTES {
            out.extend_from_slice(&interpreter.memory.slice(0..size));
        }
        self.steps.count += 1;
        let kept = self.steps.bytes.len() - before;
        self.keep(kept);
    }

    /// What the step took, with what it hands to a call.
    fn settle(&mut self, interpreter: &Interpreter<EthInterpreter>) {
        let Some((at, before)) = self.steps.running.take() else { return };
        let cost = before.saturating_sub(interpreter.gas.remaining());
        if let Some(place) = self.steps.bytes.get_mut(at..at + 8) {
            place.copy_from_slice(&cost.to_le_bytes());
        }
    }
}

fn frame(kind: FrameKind, from: Address, to: Address, value: U256, gas: u64) -> Frame {
    Frame {
        kind,
        depth: 0,
        from,
        to,
        value,
        gas,
        gas_used: 0,
        input: Bytes::new(),
        output: Bytes::new(),
        error: String::new(),
        is_revert: false,
        logs: Vec::new(),
        calls: 0,
    }
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for Tracer {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        self.record(interpreter);
        if self.is_cut {
            // Nothing more is computed for a trace that nobody can take.
            interpreter.halt(InstructionResult::OutOfGas);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        self.settle(interpreter);
    }

    fn log_full(&mut self, _: &mut Interpreter<EthInterpreter>, _: &mut CTX, log: Log) {
        if !self.wanted.frames {
            return;
        }
        self.keep(log.data.data.len());
        if let Some(frame) = self.open.last().and_then(|at| self.frames.get_mut(*at)) {
            frame.logs.push((log, frame.calls));
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        if self.wanted.traces() {
            let kind = match inputs.scheme {
                CallScheme::Call => FrameKind::Call,
                CallScheme::CallCode => FrameKind::CallCode,
                CallScheme::DelegateCall => FrameKind::DelegateCall,
                CallScheme::StaticCall => FrameKind::StaticCall,
            };
            let value = inputs.value.get();
            // Code that was borrowed calls in the name of the contract that borrowed it.
            let from = if kind == FrameKind::DelegateCall { inputs.target_address } else { inputs.caller };
            let mut begun = frame(kind, from, inputs.bytecode_address, value, inputs.gas_limit);
            if self.wanted.frames {
                begun.input = inputs.input.bytes(context);
            }
            self.begin(begun);
        }
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        if self.wanted.traces() {
            self.end(outcome.result.result, &outcome.result.output, outcome.result.gas.total_gas_spent());
        }
    }

    fn create(&mut self, _: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        if self.wanted.traces() {
            let kind = match inputs.scheme() {
                CreateScheme::Create2 { .. } => FrameKind::Create2,
                _ => FrameKind::Create,
            };
            let mut begun = frame(kind, inputs.caller(), Address::ZERO, inputs.value(), inputs.gas_limit());
            begun.input = inputs.init_code().clone();
            self.begin(begun);
        }
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        if self.wanted.traces() {
            if let Some(frame) = self.open.last().and_then(|at| self.frames.get_mut(*at)) {
                frame.to = outcome.address.unwrap_or_default();
            }
            self.end(outcome.result.result, &outcome.result.output, outcome.result.gas.total_gas_spent());
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        if self.wanted.traces() {
            self.begin(frame(FrameKind::SelfDestruct, contract, target, value, 0));
            self.steps.refunds_before.pop();
            self.open.pop();
        }
    }
}

/// One account as a transaction found and left it.
pub struct Touched {
    pub address: Address,
    pub before: Side,
    pub after: Side,
    /// Slot, value before, value after, by slot.
    pub slots: Vec<(U256, U256, U256)>,
}

pub struct Side {
    pub balance: U256,
    pub nonce: u64,
    pub code: Bytes,
}
