//! Where shards belong: each at the highest of a draw that the candidates make for it (rendezvous hashing), unless that one
//! has its even share already; then at the next highest. So who comes takes its share from everybody, who goes leaves its
//! share to everybody, and little else moves.

use super::session::Session;
use crate::{SHARDS, Shard};
use std::{cmp::Reverse, collections::BTreeMap};

/// Shards that were put elsewhere by hand, and the name of the process to which.
pub type Moves = BTreeMap<Shard, String>;

/// The candidate to which each shard belongs. A move by hand counts whenever its process is a candidate, beyond an even share
/// too, and moves nothing but its shard.
pub fn place<'a>(candidates: &[&'a Session], moves: &Moves) -> Vec<Option<&'a Session>> {
    let share = usize::from(SHARDS).div_ceil(candidates.len().max(1));
    let mut owned = vec![0; candidates.len()];
    let places = Shard::all().map(|shard| {
        let mut drawn: Vec<usize> = (0..candidates.len()).collect();
        drawn.sort_by_key(|n| {
            let name = &candidates[*n].name;
            Reverse((draw(name, shard), name))
        });
        let drawn = drawn.into_iter().find(|n| owned[*n] < share)?;
        owned[drawn] += 1;
        let moved = moves.get(&shard);
        let moved = moved.and_then(|to| candidates.iter().find(|c| *c.name == **to));
        Some(*moved.unwrap_or(&candidates[drawn]))
    });
    places.collect()
}

/// FNV-1a and the finisher of MurmurHash3: the same on every machine and in every version.
fn draw(name: &str, shard: Shard) -> u64 {
    let index = u16::try_from(shard.index()).unwrap_or_default();
    let bytes = name.bytes().chain([b'/']).chain(index.to_be_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn session(name: &str) -> Session {
        Session {
            name: Arc::from(name),
            nonce: Arc::from(format!("{name}|1")),
            roles: vec![Arc::from("routing")],
            address: Arc::from(""),
            ready: true,
            draining: false,
            work: 0,
            since: 0,
        }
    }

    fn placed<'a>(candidates: &[&'a Session]) -> Vec<&'a str> {
        let places = place(candidates, &Moves::new()).into_iter();
        places.flatten().map(|p| &*p.name).collect()
    }

    #[test]
    fn everybody_gets_an_even_share() {
        for count in 1..=8 {
            let nodes: Vec<_> = (1..=count)
                .map(|n| session(&format!("routing-{n}")))
                .collect();
            let placed = placed(&nodes.iter().collect::<Vec<_>>());
            assert_eq!(placed.len(), 256);
            for node in &nodes {
                let share = placed.iter().filter(|name| ***name == *node.name).count();
                let even = 256.0 / f64::from(count);
                let off = (share as f64 / even - 1.0).abs();
                assert!(off < 0.1, "{} of {count}: {share}", node.name);
            }
        }
        assert!(placed(&[]).is_empty());
    }

    #[test]
    fn who_goes_leaves_its_own_and_little_else_moves() {
        let (a, b, c) = (session("a"), session("b"), session("c"));
        let (before, after) = (placed(&[&a, &b, &c]), placed(&[&a, &c]));
        let both = before.iter().zip(&after);
        let moved = both.filter(|(before, after)| before != after).count();
        assert!((85..=110).contains(&moved), "{moved} of 256 moved");
        // Whoever looks sees the same, in whatever order.
        assert_eq!(placed(&[&c, &a, &b]), before);
    }

    #[test]
    fn a_move_by_hand_counts_whenever_its_process_is_there() {
        let (a, b) = (session("a"), session("b"));
        let at = |candidates: &[&Session], moves: &Moves, shard: Shard| {
            place(candidates, moves)[shard.index()].map(|p| p.nonce.to_string())
        };
        let before = place(&[&a, &b], &Moves::new());
        let shard = Shard::all()
            .find(|s| before[s.index()] == Some(&a))
            .unwrap();
        let moves = Moves::from([(shard, "b".to_owned())]);
        assert_eq!(at(&[&a, &b], &moves, shard).as_deref(), Some("b|1"));
        assert_eq!(at(&[&a], &moves, shard).as_deref(), Some("a|1"));
        // It was started again: an upgrade does not undo what an operator wanted.
        let again = Session {
            nonce: Arc::from("b|2"),
            ..b
        };
        assert_eq!(at(&[&a, &again], &moves, shard).as_deref(), Some("b|2"));
        // Nobody else's shard moves for it.
        let (plain, moved) = (
            place(&[&a, &again], &Moves::new()),
            place(&[&a, &again], &moves),
        );
        let both = plain.iter().zip(&moved);
        assert_eq!(both.filter(|(plain, moved)| plain != moved).count(), 1);
    }
}
