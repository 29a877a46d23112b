//! The permutation of width 4 of Noir's standard library: four full rounds, 56 partial ones, four full ones.
use crate::{
    constants::{DIAGONAL, FULL_ROUNDS, PARTIAL_ROUNDS},
    field::{Element, ZERO, add, multiply, reduce},
};

const FULL_ROUNDS_BEFORE: usize = 4;
type State = [Element; 4];

/// The inner node above two nodes: the first element of the permutation of (left, right, 0, 0).
pub fn hash_pair(left: &Element, right: &Element) -> Element {
    let mut state = [*left, *right, ZERO, ZERO];
    mix_full(&mut state);
    for constants in &FULL_ROUNDS[..FULL_ROUNDS_BEFORE] {
        full_round(&mut state, constants);
    }
    for constant in &PARTIAL_ROUNDS {
        partial_round(&mut state, constant);
    }
    for constants in &FULL_ROUNDS[FULL_ROUNDS_BEFORE..] {
        full_round(&mut state, constants);
    }
    state[0]
}

#[inline(always)]
fn fifth_power(x: &Element) -> Element {
    let square = multiply(x, x);
    multiply(&multiply(&square, &square), x)
}

fn full_round(state: &mut State, constants: &[Element; 4]) {
    for (element, constant) in state.iter_mut().zip(constants) {
        *element = fifth_power(&add(element, constant));
    }
    mix_full(state);
}

fn partial_round(state: &mut State, constant: &Element) {
    state[0] = fifth_power(&add(&state[0], constant));
    let mut sum = ZERO;
    for i in 0..sum.len() {
        sum[i] = state[0][i] + state[1][i] + state[2][i] + state[3][i];
    }
    let sum = reduce(&add(&sum, &ZERO));
    for (element, diagonal) in state.iter_mut().zip(&DIAGONAL) {
        *element = add(&multiply(element, diagonal), &sum);
    }
}

/// (5 7 1 3, 4 6 1 1, 1 3 5 7, 1 1 4 6), limb by limb.
fn mix_full(state: &mut State) {
    let [a, b, c, d] = *state;
    for i in 0..a.len() {
        let (sum, other) = (a[i] + b[i], c[i] + d[i]);
        let (first, second) = (2 * b[i] + other, 2 * d[i] + sum);
        let fourth = 4 * other + second;
        let third = 4 * sum + first;
        state[0][i] = second + third;
        state[1][i] = third;
        state[2][i] = first + fourth;
        state[3][i] = fourth;
    }
    for element in state {
        *element = reduce(&add(element, &ZERO));
    }
}
