//! Fair draws that come out the same for the same history, so that every decision can be repeated (spec U7).

use centro_kernel::{QueueId, UserId};

/// A number for an agent, its version and a queue, evenly spread (splitmix64's finaliser over both ids).
pub fn draw(agent: UserId, ver: u64, queue: QueueId) -> u64 {
    let fold = |id: u128| (id as u64) ^ ((id >> 64) as u64);
    let mut z = fold(agent.as_u128())
        .wrapping_add(fold(queue.as_u128()).rotate_left(32))
        .wrapping_add(ver.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Where the queue's n-th fair draw begins on the circle of all numbers, evenly spread.
pub fn spot(queue: QueueId, n: u64) -> u64 {
    draw(UserId::from_u128(queue.as_u128()), n, queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P12: ten thousand exact ties between five queues. Chi-squared with 4 degrees of freedom stays under 18.47 in
    /// 999 of 1,000 fair draws; the draw is fixed, so this never flickers.
    #[test]
    fn a_tie_is_fair_and_comes_out_the_same_again() {
        let queues: Vec<_> = (1..=5).map(QueueId::from_u128).collect();
        let winner = |ver| {
            let agent = UserId::from_u128(77);
            queues
                .iter()
                .max_by_key(|queue| draw(agent, ver, **queue))
                .copied()
        };
        let mut won = [0f64; 5];
        for ver in 0..10_000 {
            let first = winner(ver);
            assert_eq!(first, winner(ver));
            let at = queues
                .iter()
                .position(|queue| Some(*queue) == first)
                .unwrap();
            won[at] += 1.0;
        }
        let chi_squared: f64 = won.iter().map(|n| (n - 2_000.0).powi(2) / 2_000.0).sum();
        assert!(chi_squared < 18.47, "{won:?}");
    }
}
