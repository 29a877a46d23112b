//! The product gives what reed-solomon-simd gives for the same shards, and gets back what is lost from any k of them.
use nectar_coding::coefficients::{Slot, coefficients};
use nectar_coding::product::Product;
use reed_solomon_simd::{decode, encode};

const LENGTH: usize = 64 * 5;
const CLASSES: [(usize, usize); 6] = [(2, 5), (10, 20), (20, 36), (1, 2), (3, 4), (32, 64)];

/// xorshift64*: the same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 56) as u8).collect()
    }

    /// k of n, each set as likely.
    fn choose(&mut self, k: usize, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..k {
            let other = i + (self.next() % (n - i) as u64) as usize;
            all.swap(i, other);
        }
        all.truncate(k);
        all
    }
}

fn run(k: usize, slots: &[Slot], shards: &mut [u8]) {
    Product::new(coefficients(k, slots).unwrap()).run(shards, LENGTH);
}

fn encoded(random: &mut Random, k: usize, n: usize) -> Vec<u8> {
    let mut shards = random.bytes(k * LENGTH);
    shards.resize(n * LENGTH, 0);
    let slots: Vec<Slot> = (0..n).map(|i| if i < k { Slot::Present } else { Slot::Wanted }).collect();
    run(k, &slots, &mut shards);
    shards
}

#[test]
fn gives_what_the_crate_gives() {
    let mut random = Random(1);
    for (k, n) in CLASSES {
        let shards = encoded(&mut random, k, n);
        let originals = shards[..k * LENGTH].chunks(LENGTH);
        assert_eq!(encode(k, n - k, originals).unwrap().concat(), shards[k * LENGTH..], "{k} of {n}");
    }
}

#[test]
fn rebuilds_from_any_k_of_n() {
    let mut random = Random(2);
    for (k, n) in CLASSES {
        let shards = encoded(&mut random, k, n);
        for _ in 0..40 {
            let kept = random.choose(k, n);
            let slots: Vec<Slot> =
                (0..n).map(|i| if kept.contains(&i) { Slot::Present } else { Slot::Wanted }).collect();
            let mut damaged = vec![0xee; shards.len()];
            for &i in &kept {
                damaged[i * LENGTH..(i + 1) * LENGTH].copy_from_slice(&shards[i * LENGTH..(i + 1) * LENGTH]);
            }
            run(k, &slots, &mut damaged);
            assert_eq!(damaged, shards, "{k} of {n} from {kept:?}");
        }
    }
}

#[test]
fn the_crate_reads_our_shards() {
    let mut random = Random(3);
    let (k, n) = (10, 20);
    let shards = encoded(&mut random, k, n);
    let recovery = (0..k).map(|i| (i, &shards[(k + i) * LENGTH..(k + i + 1) * LENGTH]));
    let restored = decode(k, n - k, Vec::<(usize, &[u8])>::new(), recovery).unwrap();
    for (i, bytes) in restored {
        assert_eq!(bytes, shards[i * LENGTH..(i + 1) * LENGTH]);
    }
}

#[test]
fn leaves_unwanted_shards_alone() {
    let mut shards = vec![7; 5 * LENGTH];
    run(2, &[Slot::Present, Slot::Present, Slot::Absent, Slot::Wanted, Slot::Absent], &mut shards);
    assert_eq!(shards[2 * LENGTH..3 * LENGTH], [7; LENGTH]);
    assert_eq!(shards[4 * LENGTH..], [7; LENGTH]);
}

#[test]
fn refuses_what_cannot_be() {
    let present = |n: usize| vec![Slot::Present; n];
    assert!(coefficients(0, &present(2)).is_none());
    assert!(coefficients(33, &present(64)).is_none());
    assert!(coefficients(2, &present(2)).is_none());
    assert!(coefficients(2, &present(256)).is_none());
    assert!(coefficients(2, &[Slot::Present, Slot::Absent, Slot::Wanted]).is_none());
}
