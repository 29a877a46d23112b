//! Derivation on preimages that are almost right, or not at all: whatever they hold, there is an answer or a fault, and no panic.
//! More by hand: NECTAR_FUZZ_RUNS=1000000 cargo test --release -p nectar-machine --test derive_noise
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256, keccak256};
use nectar_machine::{
    derive::{Deriver, Place},
    fault::Fault,
    header,
    preimage::{Kind, Preimages},
    rlp,
    rules::{Fork, Rules},
    state::State,
    trie::EMPTY_ROOT,
};
use std::{collections::HashMap, env};

const DEPLOYED_AT: u64 = 100;
const POSTED_IN: u64 = 140;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }
    fn word(&mut self) -> U256 {
        match self.below(3) {
            0 => U256::from(self.below(300)),
            1 => U256::from(self.next()),
            _ => U256::from_limbs([self.next(), self.next(), self.next(), self.next()]),
        }
    }
}

/// A world that makes up what it is asked for, and says the same again.
struct Noise {
    dice: Dice,
    known: HashMap<(u8, B256), Vec<u8>>,
}

fn words(words: &[U256]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect()
}

/// Hashes of messages have this bit, links of the Inbox's chain do not: so both are made up in the right form.
fn message_mark() -> U256 {
    U256::from_limbs([0, 0, 0, 1 << 56])
}

/// The hash of an L1 block says its number, so that a walk finds its way.
fn l1_hash(number: u64) -> U256 {
    U256::from_limbs([number, 0, 0, 0xb10c])
}

fn l1_header(hash: &B256) -> Vec<u8> {
    let number = U256::from_be_bytes(hash.0).as_limbs()[0];
    let mut payload = Vec::new();
    rlp::put_bytes(&l1_hash(number.wrapping_sub(1)).to_be_bytes::<32>(), &mut payload);
    (1..8).for_each(|_| rlp::put_bytes(&[7; 32], &mut payload));
    [number, 1, 1, 12u64.wrapping_mul(number).wrapping_add(1_000)]
        .into_iter()
        .for_each(|field| rlp::put_number(U256::from(field), &mut payload));
    (12..15).for_each(|_| rlp::put_bytes(&[], &mut payload));
    let mut out = Vec::new();
    rlp::put_list(&payload, &mut out);
    out
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A batch of blocks without transactions, in one stored DEFLATE block.
fn batch(dice: &mut Dice) -> Vec<u8> {
    let (mut blocks, mut origins) = (Vec::new(), Vec::new());
    let count = dice.below(4);
    put_varint(count, &mut blocks);
    for i in 0..count {
        let origin = if i == 0 { POSTED_IN - 1 - dice.below(40) } else { 0 };
        put_varint(if i == 0 { 1_000 + 12 * origin + dice.below(1_900) } else { dice.below(40) }, &mut blocks);
        put_varint(origin, &mut blocks);
        put_varint(dice.below(6), &mut blocks);
        put_varint(0, &mut blocks);
        if i == 0 {
            origins.extend_from_slice(&l1_hash(origin).to_be_bytes::<32>());
        }
    }
    let mut columns = Vec::new();
    for section in [blocks, origins] {
        put_varint(section.len() as u64, &mut columns);
        columns.extend_from_slice(&section);
    }
    columns.extend_from_slice(&[0; 10]);
    let mut out = vec![1];
    put_varint(columns.len() as u64, &mut out);
    out.push(1);
    out.extend_from_slice(&(columns.len() as u16).to_le_bytes());
    out.extend_from_slice(&(!(columns.len() as u16)).to_le_bytes());
    out.extend_from_slice(&columns);
    out
}

impl Noise {
    fn invent(&mut self, kind: Kind, hash: &B256) -> Vec<u8> {
        let dice = &mut self.dice;
        match kind {
            Kind::L1Header => l1_header(hash),
            Kind::Accumulator => {
                let wanted = if hash.0[0] & 1 == 0 { 2 } else { 5 };
                let mut list: Vec<U256> = (0..wanted).map(|_| dice.word()).collect();
                if wanted == 5 {
                    list[0] = U256::from(dice.below(5));
                } else {
                    list[0] = list[0] & !message_mark();
                    list[1] = list[1] | message_mark();
                }
                words(&list)
            }
            Kind::Data => match dice.below(4) {
                0 => dice.bytes(200),
                1 => words(&[dice.word(), dice.word()]),
                _ => batch(dice),
            },
            Kind::Blob => {
                let mut blob = vec![0; 131_072];
                let at = dice.below(131_072) as usize;
                blob[at] = dice.next() as u8;
                blob[4] = dice.below(64) as u8;
                blob
            }
            Kind::Header | Kind::Node | Kind::Code => dice.bytes(80),
        }
    }
}

impl Preimages for Noise {
    fn get(&mut self, kind: Kind, hash: &B256) -> Result<Vec<u8>, Fault> {
        if let Some(bytes) = self.known.get(&(kind as u8, *hash)) {
            return Ok(bytes.clone());
        }
        if self.dice.below(400) == 0 {
            return Err(Fault::Missing(kind, *hash));
        }
        let mut bytes = self.invent(kind, hash);
        if self.dice.below(100) == 0 {
            let length = self.dice.below(bytes.len() as u64 + 2) as usize;
            bytes.resize(length, 0x55);
        }
        if self.dice.below(100) == 0 && !bytes.is_empty() {
            let at = self.dice.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.dice.below(8);
        }
        self.known.insert((kind as u8, *hash), bytes.clone());
        Ok(bytes)
    }

    fn put(&mut self, kind: Kind, hash: B256, bytes: &[u8]) {
        self.known.insert((kind as u8, hash), bytes.to_vec());
    }
}

/// A head on an empty state, and a batch: mostly of a possible form.
fn begin(dice: &mut Dice) -> (Noise, Place) {
    let read = dice.below(3);
    let mut extra = DEPLOYED_AT.to_be_bytes().to_vec();
    extra.extend_from_slice(&read.to_be_bytes());
    if dice.below(4) == 0 {
        extra.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, u8::from(dice.below(20) == 0)]);
    }
    let head = header::encode(&Header {
        number: dice.below(3),
        timestamp: 1_000 + 12 * DEPLOYED_AT,
        gas_limit: 30_000_000,
        base_fee_per_gas: Some(7),
        state_root: EMPTY_ROOT,
        extra_data: Bytes::from(extra),
        withdrawals_root: Some(EMPTY_ROOT),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    });
    let mut noise = Noise { dice: Dice(dice.next()), known: HashMap::new() };
    let hash = keccak256(&head);
    noise.put(Kind::Header, hash, &head);
    let count = read + dice.below(12);
    let (source, posted_in) = (dice.below(20) % 4, if dice.below(30) == 0 { dice.next() } else { POSTED_IN });
    let delayed = dice.word() & !message_mark();
    let parent = l1_hash(posted_in.wrapping_sub(1));
    let numbers = [U256::from(count), U256::from(posted_in), U256::from(2_700u64), parent, U256::from(source)];
    let record = [[dice.word(), dice.word(), delayed].as_slice(), &numbers].concat();
    let accumulator = B256::from(dice.word());
    noise.put(Kind::Accumulator, accumulator, &words(&record));
    (noise, Place { deployed_at: DEPLOYED_AT, accumulator, head: hash, offset: dice.below(30) / 25 })
}

#[test]
fn derivation_has_an_answer_or_a_fault_for_every_preimage() {
    let runs = env::var("NECTAR_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2_000u64);
    let rules = Rules::new(1, Fork::Prague, true);
    let (mut blocks, mut broken, mut faults) = (0u64, 0u64, 0u64);
    for seed in 0..runs {
        let (noise, mut place) = begin(&mut Dice(seed));
        let mut state = State::new(noise);
        let mut deriver = Deriver::default();
        for _ in 0..40 {
            // The same questions have the same answers: what is planned is what is then derived.
            let planned = Deriver::default().inputs(&place, &mut state.preimages);
            let Ok(step) = deriver.derive(&mut state, &place, &rules) else {
                faults += 1;
                break;
            };
            if let (Ok(planned), Some(block)) = (&planned, &step.block) {
                let first = &planned.blocks[0];
                assert_eq!((first.is_obliged, first.forced), (block.is_obliged, block.forced));
                assert_eq!((first.input.timestamp, &first.ignored), (block.output.header.timestamp, &block.ignored));
                assert!(planned.next.is_none_or(|next| next > place.offset));
            } else if let Ok(planned) = &planned {
                assert!(planned.blocks.is_empty() && planned.next.is_none());
            }
            blocks += u64::from(step.block.is_some());
            broken += u64::from(step.broken.is_some());
            let Some(next) = step.next else { break };
            assert!(next > place.offset, "offsets of one batch grow");
            place = Place { head: step.head, offset: next, ..place };
        }
    }
    println!("{runs} batches: {blocks} blocks, {broken} broken rules, {faults} faults");
    assert!(blocks > runs / 4 && broken > runs / 40 && faults > runs / 40);
}
