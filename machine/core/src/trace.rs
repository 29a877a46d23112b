//! What happened inside a transaction: its calls as a flat list, and the state that it touched, before and after.
use alloc::{format, string::String, vec::Vec};
use alloy_primitives::{Address, Bytes, Log, U256};
use revm::{
    Inspector,
    context::{ContextTr, CreateScheme},
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
        interpreter::EthInterpreter,
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
    pub logs: Vec<Log>,
}

/// The most frames that are kept of one transaction: 30 million gas make no more, an `eth_call` may ask for any.
const MAX_FRAMES: usize = 100_000;

/// Collects frames, or nothing at all when it is off.
#[derive(Default)]
pub struct Tracer {
    pub is_on: bool,
    pub frames: Vec<Frame>,
    open: Vec<usize>,
    /// Whether frames were left out.
    pub is_cut: bool,
}

impl Tracer {
    pub fn new(is_on: bool) -> Tracer {
        Tracer { is_on, ..Tracer::default() }
    }

    pub fn take(&mut self) -> Vec<Frame> {
        self.open.clear();
        core::mem::take(&mut self.frames)
    }

    fn begin(&mut self, mut frame: Frame) {
        frame.depth = self.open.len() as u32;
        if self.frames.len() >= MAX_FRAMES {
            self.is_cut = true;
            self.open.push(usize::MAX);
            return;
        }
        self.open.push(self.frames.len());
        self.frames.push(frame);
    }

    fn end(&mut self, result: InstructionResult, output: &Bytes, gas_used: u64) {
        let Some(frame) = self.open.pop().and_then(|at| self.frames.get_mut(at)) else { return };
        frame.gas_used = gas_used;
        frame.output = output.clone();
        frame.is_revert = result.is_revert();
        if !result.is_ok() {
            frame.error = format!("{result:?}");
            // What a call logs is gone when it fails.
            frame.logs.clear();
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
    }
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for Tracer {
    fn log_full(&mut self, _: &mut Interpreter<EthInterpreter>, _: &mut CTX, log: Log) {
        if let Some(frame) = self.open.last().and_then(|at| self.frames.get_mut(*at)) {
            frame.logs.push(log);
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        if self.is_on {
            let kind = match inputs.scheme {
                CallScheme::Call => FrameKind::Call,
                CallScheme::CallCode => FrameKind::CallCode,
                CallScheme::DelegateCall => FrameKind::DelegateCall,
                CallScheme::StaticCall => FrameKind::StaticCall,
            };
            let value = inputs.value.get();
            let mut begun = frame(kind, inputs.caller, inputs.bytecode_address, value, inputs.gas_limit);
            begun.input = inputs.input.bytes(context);
            self.begin(begun);
        }
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        if self.is_on {
            self.end(outcome.result.result, &outcome.result.output, outcome.result.gas.total_gas_spent());
        }
    }

    fn create(&mut self, _: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        if self.is_on {
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
        if self.is_on {
            if let Some(frame) = self.open.last().and_then(|at| self.frames.get_mut(*at)) {
                frame.to = outcome.address.unwrap_or_default();
            }
            self.end(outcome.result.result, &outcome.result.output, outcome.result.gas.total_gas_spent());
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        if self.is_on {
            self.begin(frame(FrameKind::SelfDestruct, contract, target, value, 0));
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
