//! Chance from a seed. The generator is PCG, whose values never change between releases; ranges are made here, because
//! those of `rand` may.

use rand_pcg::{Pcg64Mcg, rand_core::RngCore};

#[derive(Clone, Debug)]
pub(super) struct Chance(Pcg64Mcg);

impl Chance {
    /// A stream of its own for each purpose.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(Pcg64Mcg::new(
            (u128::from(seed) << 64 | u128::from(purpose))
                ^ 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835,
        ));
        for _ in 0..4 {
            chance.0.next_u64();
        }
        chance
    }

    /// 0 to below `n`; 0 for none.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    pub(super) fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    pub(super) fn millis(&mut self, n: u64) -> i64 {
        self.below(n) as i64
    }

    pub(super) fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    /// How well somebody can do something, 1 to 10.
    pub(super) fn level(&mut self) -> u8 {
        1 + self.below(10) as u8
    }

    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }
}
