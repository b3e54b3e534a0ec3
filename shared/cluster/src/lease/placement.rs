//! Where a shard belongs: the highest of a draw that each candidate makes for it (rendezvous hashing), so that who comes
//! takes its share from everybody, and who goes leaves its share to everybody, and nothing else moves.

use super::session::Session;
use crate::Shard;
use std::collections::BTreeMap;

/// Shards that were put elsewhere by hand, and to which process (its nonce).
pub type Moves = BTreeMap<Shard, String>;

/// The candidate to which the shard belongs. A move by hand counts for as long as its process is a candidate.
pub fn place<'a>(shard: Shard, candidates: &[&'a Session], moves: &Moves) -> Option<&'a Session> {
    if let Some(moved) = moves.get(&shard)
        && let Some(there) = candidates.iter().find(|c| *c.nonce == **moved)
    {
        return Some(there);
    }
    let drawn = candidates
        .iter()
        .max_by_key(|c| (draw(&c.name, shard), &c.name));
    drawn.copied()
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
        }
    }

    fn placed<'a>(candidates: &[&'a Session]) -> Vec<&'a str> {
        let place = |s| place(s, candidates, &Moves::new()).map(|p| &*p.name);
        Shard::all().filter_map(place).collect()
    }

    #[test]
    fn everybody_gets_a_fair_share() {
        let nodes: Vec<_> = (0..4).map(|n| session(&format!("routing-{n}"))).collect();
        let placed = placed(&nodes.iter().collect::<Vec<_>>());
        for node in &nodes {
            let share = placed.iter().filter(|name| ***name == *node.name).count();
            assert!((40..=90).contains(&share), "{}: {share} of 256", node.name);
        }
    }

    #[test]
    fn who_goes_leaves_only_its_own() {
        let (a, b, c) = (session("a"), session("b"), session("c"));
        let (before, after) = (placed(&[&a, &b, &c]), placed(&[&a, &c]));
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || *before == "b");
        }
    }

    #[test]
    fn a_move_by_hand_counts_until_its_process_goes() {
        let (a, b) = (session("a"), session("b"));
        let shard = Shard::all()
            .find(|s| place(*s, &[&a, &b], &Moves::new()) == Some(&a))
            .unwrap();
        let moves = Moves::from([(shard, b.nonce.to_string())]);
        assert_eq!(place(shard, &[&a, &b], &moves), Some(&b));
        assert_eq!(place(shard, &[&a], &moves), Some(&a));
        // Another process under its name was not meant.
        let again = Session {
            nonce: Arc::from("b|2"),
            ..b
        };
        assert_eq!(place(shard, &[&a, &again], &moves), Some(&a));
    }
}
