//! What the rules promise, played in virtual time.

mod world;

use super::*;
use proptest::prelude::*;
use world::{Call, World};

#[test]
fn three_start_and_share() {
    let mut world = World::new(1, &["a", "b", "c"]);
    world.run(Duration::from_secs(4));
    assert!(world.all_owned());
    for who in 0..3 {
        let owned = Shard::all()
            .filter(|s| world.owners_of(*s) == [who])
            .count();
        assert!((50..130).contains(&owned), "{who} has {owned}");
    }
}

#[test]
fn who_dies_is_called_dead_and_its_shards_are_taken() {
    let mut world = World::new(2, &["a", "b"]);
    world.run(Duration::from_secs(4));
    let dead = world.processes.remove(1);
    assert!(!dead.lease.is_empty() && !world.processes[0].lease.is_dead("b"));
    world.owners.iter_mut().for_each(|(_, who)| *who = 0);
    world.run(Duration::from_millis(2_400));
    assert!(world.processes[0].lease.is_dead("b"));
    assert!(world.all_owned());
}

#[test]
fn a_table_that_was_away_for_longer_than_a_session_changes_no_owner() {
    let mut world = World::new(3, &["a", "b", "c"]);
    world.run(Duration::from_secs(4));
    let before = world.table.owners.clone();
    world.away_until = world.now + Duration::from_secs(5);
    world.run(Duration::from_secs(5));
    assert!(
        Shard::all().all(|s| world.owners_of(s).is_empty()),
        "nobody can be sure"
    );
    world.run(Duration::from_secs(6));
    assert!(world.all_owned() && world.table.owners == before);
    let leases = world.processes.iter().map(|p| &p.lease);
    assert!(
        leases
            .into_iter()
            .all(|l| !["a", "b", "c"].iter().any(|n| l.is_dead(n)))
    );
}

#[test]
fn a_short_outage_is_not_noticed() {
    let mut world = World::new(4, &["a", "b"]);
    world.run(Duration::from_secs(4));
    world.away_until = world.now + Duration::from_millis(700);
    for _ in 0..100 {
        world.step();
        assert!(world.all_owned());
    }
}

#[test]
fn who_drains_gives_everything_away_before_it_goes() {
    let mut world = World::new(5, &["a", "b"]);
    world.run(Duration::from_secs(4));
    world.processes[0].lease.drain();
    world.run(Duration::from_secs(2));
    assert!(world.processes[0].lease.is_empty() && world.all_owned());
}

#[test]
fn who_is_put_aside_gives_everything_away_and_gets_its_share_back() {
    let mut world = World::new(8, &["a", "b", "c"]);
    world.run(Duration::from_secs(4));
    let before = world.table.owners.clone();
    world.table.aside.insert(Arc::from("b"));
    world.run(Duration::from_secs(2));
    let b = &world.processes[1].lease;
    assert!(b.is_empty() && b.is_aside() && world.all_owned());
    let seen = world.processes[0].lease.members();
    assert!(seen.filter(|m| m.draining).all(|m| &*m.name == "b"));
    world.table.aside.clear();
    world.run(Duration::from_secs(2));
    assert!(world.all_owned() && !world.processes[1].lease.is_aside());
    for (shard, owner) in &before {
        let who = |owner: &str| Token::read(owner).map(|token| token.nonce);
        assert_eq!(who(owner), who(&world.table.owners[shard]));
    }
}

/// A process that somebody forgot to call back is better than none.
#[test]
fn who_is_put_aside_takes_over_when_nobody_else_is_left() {
    let mut world = World::new(9, &["a", "b"]);
    world.table.aside.insert(Arc::from("b"));
    world.run(Duration::from_secs(4));
    assert!(world.processes[1].lease.is_empty() && world.all_owned());
    world.processes.remove(0);
    world.owners.iter_mut().for_each(|(_, who)| *who = 0);
    world.run(Duration::from_millis(2_400));
    assert!(world.all_owned());
}

/// A claim was decided while the owner slept, and is late; the owner comes back before it arrives.
#[test]
fn a_late_claim_and_a_session_that_comes_back_never_meet() {
    for late in (200..2_000).step_by(100) {
        let mut world = World::new(late, &["a", "b"]);
        world.run(Duration::from_secs(4));
        world.processes[0].asleep_until = Moment::MAX;
        let claims = |world: &World| {
            let claim = |call: &Call| {
                matches!(
                    call,
                    Call::Order {
                        order: Order::Claim { .. },
                        ..
                    }
                )
            };
            world.processes[1]
                .going
                .iter()
                .any(|(.., call)| claim(call))
        };
        while !claims(&world) {
            world.step();
        }
        let there = world.now + Duration::from_millis(late);
        for (at, ..) in &mut world.processes[1].going {
            *at = there;
        }
        world.processes[0].asleep_until = world.now;
        // Each step looks whether two own one shard.
        world.run(Duration::from_secs(8));
        assert!(world.all_owned());
    }
}

#[test]
fn a_claim_that_was_answered_after_the_session_had_ended_gains_nothing() {
    let mut world = World::new(7, &["a"]);
    let (now, shard) = (world.now, Shard::of(1));
    let lease = &mut world.processes[0].lease;
    let lives = |since| Beat::Lives { since };
    lease.beaten(now, now, lives(1_000));
    let lapses = lease.lapses();
    lease.claimed(shard, Epoch(8), lapses, now);
    assert_eq!(lease.owner(shard, now), Some(Owner::Here(Epoch(8))));
    // It had ended: somebody may have taken everything meanwhile.
    lease.beaten(now, now, lives(4_000));
    assert_eq!(lease.owner(shard, now), None);
    lease.claimed(shard, Epoch(9), lapses, now);
    assert_eq!(lease.owner(shard, now), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// At no moment do two own one shard, whatever goes wrong; and when nothing does any more, each has one owner.
    #[test]
    fn two_never_own_one_shard(seed: u64) {
        let mut world = World::new(seed, &["a", "b", "c"]);
        world.faults = true;
        world.run(Duration::from_secs(40));
        world.faults = false;
        world.run(Duration::from_secs(16));
        prop_assert!(world.all_owned());
    }
}
