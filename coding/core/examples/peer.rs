//! The peer of `npm run bench -- coding`: reed-solomon-simd itself, native, its fastest engine for this processor, whole shards at a time.
//! One line of JSON: MiB of data a CPU second, the median of the turns. Linux.
use std::hint::black_box;

const SHARD: usize = 1 << 20;
const TURNS: usize = 9;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("a number"));
    let (k, n) = (arguments.next().expect("k"), arguments.next().expect("n"));
    let originals: Vec<Vec<u8>> = (0..k).map(|i| (0..SHARD).map(|byte| (byte * 31 + i * 17) as u8).collect()).collect();
    let speed = |seconds: f64| k as f64 / seconds;
    let recovery = reed_solomon_simd::encode(k, n - k, &originals).expect("encodes");
    let encode = median(|| drop(black_box(reed_solomon_simd::encode(k, n - k, &originals).expect("encodes"))));
    let lost = k.min(n - k);
    let rebuild = median(|| {
        let kept = originals.iter().enumerate().skip(lost);
        let others = recovery.iter().enumerate().take(lost);
        drop(black_box(reed_solomon_simd::decode(k, n - k, kept, others).expect("decodes")));
    });
    println!("{{\"encode\":{:.1},\"rebuild\":{:.1}}}", speed(encode), speed(rebuild));
}

/// Seconds that this thread ran: a clock says nothing on a busy machine.
fn cpu_seconds() -> f64 {
    let schedule = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells");
    schedule.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).expect("a number") / 1e9
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..TURNS)
        .map(|_| {
            let start = cpu_seconds();
            work();
            cpu_seconds() - start
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[TURNS / 2]
}
