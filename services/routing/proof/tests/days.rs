//! A few days of the simulation; the many run with `cargo xtask sim`.

use centro_routing_proof::{
    Mutant,
    sim::{self, Day, Story, shrink},
};

#[test]
fn a_few_days_in_every_weather_break_no_rule() {
    let report = sim::run(1, 12, None, |seed, failure| {
        println!("seed {seed}, {} ms: {}", failure.at, failure.broken);
    });
    assert_eq!((report.seeds, report.contacts), (12, 2_400));
    assert_eq!(report.first_failing_seed, None);
}

#[test]
fn the_same_seed_is_the_same_day_and_another_is_another() {
    let day = |seed| {
        let mut day = Day::new(&Story::of(seed), None);
        day.run().expect("no rule is broken");
        (day.hash(), day.steps(), day.faults())
    };
    assert_eq!(day(7), day(7));
    assert_ne!(day(7).0, day(8).0);
}

#[test]
fn the_values_of_a_seed_never_change() {
    let mut day = Day::new(&Story::of(1), None);
    let told = day.told();
    assert_eq!(day.run(), Ok(()));
    // When this changes, every seed that was ever noted means another day.
    let first = "     15 ms  contact 112 arrives at queue 0, patience 153939 ms";
    assert_eq!(told.first().map(String::as_str), Some(first));
    assert_eq!(told.len(), 368);
}

/// An agent who takes three conversations and a call is granted to all of them within a second, and three more end before
/// they ring: the contacts left for another queue or gave up. That is work and no chase.
#[test]
fn an_agent_who_is_filled_within_a_second_is_no_chase() {
    assert_eq!(Day::new(&Story::of(4_629), None).run(), Ok(()));
}

#[test]
fn the_named_bugs_are_found_within_a_thousand_days() {
    for mutant in [
        Mutant::EpochCheck,
        Mutant::DoubleGrant,
        Mutant::ForgottenDeadline,
        Mutant::OldOwnerOffer,
        Mutant::OldEdge,
        Mutant::IgnoreCapacity,
        Mutant::InterruptCall,
        Mutant::PickUpUnrecorded,
    ] {
        let report = sim::run(1, 1_000, Some(mutant), |_, _| {});
        assert!(report.first_failing_seed.is_some(), "{mutant}");
    }
}

#[test]
fn the_days_have_seen_what_they_are_to_prove() {
    let lines: Vec<_> = (1..=12)
        .flat_map(|seed| {
            let mut day = Day::new(&Story::of(seed), None);
            day.trace();
            day.run().expect("no rule is broken");
            day.traced().to_vec()
        })
        .collect();
    let has = |words: &[&str]| {
        let mut lines = lines.iter();
        lines.any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(has(&["queue", "Grant", "picks contact"]), "a pick-up");
    assert!(has(&["PickUpRefused"]), "one that was refused");
    assert!(has(&["Connect #", "by owner 2"]), "a second owner connects");
    assert!(has(&["Z contact", "is fenced"]), "the first one is stopped");
    assert!(has(&["browser is away"]), "a browser goes away");
    assert!(has(&["priority 9"]), "a contact is put first");
    assert!(has(&["briefed"]), "an agent is briefed");
}

#[test]
fn a_failing_day_is_told_with_fewer_plans_and_breaks_the_same_rule() {
    let mutant = Some(Mutant::DoubleGrant);
    let whole = Day::new(&Story::of(1), mutant).run();
    let story = shrink(1, mutant);
    let short = Day::new(&story, mutant).run();
    assert_eq!(whole.map_err(|f| f.broken), short.map_err(|f| f.broken));
    let kept = story.kept.expect("chosen plans").len();
    assert!(kept < 10, "{kept} plans are left");
}
