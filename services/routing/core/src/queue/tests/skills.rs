//! Needs, how they give way, and who may serve (spec D23, D24, G14).

use super::*;

fn french() -> Arc<Needs> {
    Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]))
}

fn matching(skill_match: SkillMatch) -> QueueSettings {
    QueueSettings {
        skill_match,
        ..settings()
    }
}

/// The steps that were told of in these steps of the queue.
fn relaxed(outs: &[QueueOut]) -> Vec<(u128, u8)> {
    let told = |e: &Event| match e {
        Event::NeedsRelaxed { contact, step, .. } => Some((contact.as_u128(), *step)),
        _ => None,
    };
    outs.iter()
        .flat_map(|o| o.events.iter().filter_map(told))
        .collect()
}

#[test]
fn only_who_meets_every_need_is_asked() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 4), (ITALIAN, 9)]);
    hall.ready_with(2, &[(FRENCH, 5)]);
    hall.ready_with(3, &[(FRENCH, 5), (ITALIAN, 1)]);
    let both = vec![speaks(FRENCH, 5), speaks(ITALIAN, 1)];
    assert_eq!(
        bids(&hall.arrive_with(10, |a| a.needs = Arc::new(Needs::all_of(both)))),
        [3]
    );
    assert_eq!(bids(&hall.arrive_with(11, |a| a.needs = french())), [2]);
    assert!(
        bids(&hall.arrive_with(12, |a| a.needs = french())).is_empty(),
        "4 is not 5"
    );
    assert_eq!(bids(&hall.arrive(13)), [1], "no needs: anybody will do");
}

#[test]
fn needs_give_way_step_by_step_each_in_its_time() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 9)]);
    hall.stands(1, Standing::InContact); // the expert is there, and busy
    hall.ready_with(2, &[(FRENCH, 3)]);
    let needs = steps([
        (&[speaks(FRENCH, 9)], Some(30)),
        (&[speaks(FRENCH, 5)], Some(20)),
        (&[speaks(FRENCH, 1)], None),
    ]);
    hall.arrive_with(10, |a| a.needs = needs);
    assert_eq!(relaxed(&hall.wait(29_999)), []);
    assert_eq!(relaxed(&hall.wait(1)), [(10, 1)]);
    assert!(hall.queue.bids().next().is_none());
    let outs = hall.wait(20_000);
    assert_eq!(relaxed(&outs), [(10, 2)]);
    assert_eq!(bids(&outs[0]), [2]);
    assert_eq!(
        relaxed(&hall.wait(3_600_000)),
        [],
        "the last step has no end"
    );
    assert_eq!(hall.entry(10).enqueued_at, at(0));
}

#[test]
fn after_a_last_step_with_an_end_anybody_will_do() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 9)]);
    hall.stands(1, Standing::Paused);
    hall.ready(2);
    hall.arrive_with(10, |a| a.needs = steps([(&[speaks(FRENCH, 5)], Some(10))]));
    let outs = hall.wait(10_000);
    assert_eq!((relaxed(&outs), bids(&outs[0])), (vec![(10, 1)], vec![2]));
    assert_eq!(hall.entry(10).relax_due, None);
}

#[test]
fn a_hopeless_step_is_skipped_at_once() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(ITALIAN, 3)]);
    let needs = steps([
        (&[speaks(FRENCH, 5)], Some(3_600)),
        (&[speaks(FRENCH, 1), speaks(ITALIAN, 1)], None),
        (&[speaks(ITALIAN, 3)], Some(60)),
        (&[], None),
    ]);
    let out = hall.arrive_with(10, |a| a.needs = needs);
    assert_eq!(relaxed(std::slice::from_ref(&out)), [(10, 1), (10, 2)]);
    assert_eq!(bids(&out), [1]);
    assert_eq!(
        hall.entry(10).relax_due,
        Some(at(60_000)),
        "this one has its time"
    );
}

#[test]
fn who_is_logged_in_counts_whatever_doing() {
    for standing in [
        Standing::Paused,
        Standing::InContact,
        Standing::WrapUp,
        Standing::Unreachable,
    ] {
        let mut hall = Hall::new();
        hall.ready_with(1, &[(FRENCH, 5)]);
        hall.stands(1, standing);
        let out = hall.arrive_with(10, |a| {
            a.needs = steps([(&[speaks(FRENCH, 5)], Some(60)), (&[], None)])
        });
        assert_eq!(relaxed(&[out]), [], "{standing:?}");
    }
}

#[test]
fn when_the_last_skilled_agent_logs_out_the_step_is_over() {
    let mut hall = Hall::new();
    hall.ready(9);
    hall.stands(9, Standing::InContact);
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.ready_with(2, &[(FRENCH, 7)]);
    hall.stands(1, Standing::Paused);
    hall.stands(2, Standing::Paused);
    for n in [10, 11] {
        hall.arrive_with(n, |a| {
            a.needs = steps([(&[speaks(FRENCH, 5)], Some(60)), (&[], None)])
        });
    }
    assert_eq!(relaxed(&[hall.logs_out(1)]), []);
    assert_eq!(relaxed(&[hall.logs_out(2)]), [(10, 1), (11, 1)]);
    assert_eq!(relaxed(&hall.wait(120_000)), []);
}

#[test]
fn an_agent_who_loses_the_skill_is_as_good_as_gone() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.stands(1, Standing::InContact);
    hall.arrive_with(10, |a| {
        a.needs = steps([(&[speaks(FRENCH, 5)], None), (&[], None)])
    });
    let out = hall.tell(1, |p| p.skills = Skills::from_iter([(FRENCH, 4)]));
    assert_eq!(relaxed(&[out]), [(10, 1)]);
}

/// A contact between two offers is judged when its last skilled agent goes, one that rings when it is open again.
#[test]
fn a_step_that_became_hopeless_between_offers_or_while_it_rang_is_skipped() {
    let needs = || steps([(&[speaks(FRENCH, 5)], None), (&[], None)]);
    // Between two offers.
    let mut hall = Hall::with(QueueSettings {
        retry_delay: secs(5),
        ..settings()
    });
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.arrive_with(10, |a| a.needs = needs());
    let (rang, _) = hall.take(1);
    hall.offer_ended(10, rang, OfferEnd::NoAnswer);
    assert_eq!(relaxed(&[hall.logs_out(1)]), [(10, 1)]);
    hall.ready(2);
    let outs = hall.wait(5_000);
    assert_eq!((relaxed(&outs), bids(&outs[0])), (vec![], vec![2]));
    // While it rang.
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.arrive_with(10, |a| a.needs = needs());
    let (rang, _) = hall.take(1);
    hall.logs_out(1);
    let out = hall.offer_ended(10, rang, OfferEnd::Revoked);
    assert_eq!(relaxed(&[out]), [(10, 1)]);
    // While its stream was broken.
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.arrive_with(10, |a| a.needs = needs());
    hall.detach(10);
    hall.logs_out(1);
    assert_eq!(relaxed(&[hall.return_(10)]), [(10, 1)]);
}

#[test]
fn after_a_takeover_no_step_is_skipped_before_agents_had_time_to_tell() {
    let needs = || steps([(&[speaks(FRENCH, 5)], Some(60)), (&[], None)]);
    let mut hall = Hall::taken_over(settings(), QueueRecord::default(), at(0));
    hall.arrive_with(10, |a| a.needs = needs());
    assert_eq!(hall.entry(10).step, 0);
    hall.wait(1_999);
    hall.ready_with(1, &[(FRENCH, 5)]);
    hall.stands(1, Standing::InContact);
    assert_eq!(relaxed(&hall.wait(1)), [], "the agent is here");
    let mut hall = Hall::taken_over(settings(), QueueRecord::default(), at(0));
    hall.arrive_with(10, |a| a.needs = needs());
    assert_eq!(relaxed(&hall.wait(1_999)), []);
    assert_eq!(relaxed(&hall.wait(1)), [(10, 1)], "nobody is");
}

#[test]
fn the_step_and_its_time_survive_coming_back_and_a_takeover() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 9)]);
    hall.stands(1, Standing::Paused);
    let needs = steps([
        (&[speaks(FRENCH, 9)], Some(30)),
        (&[speaks(FRENCH, 5)], Some(30)),
        (&[], None),
    ]);
    hall.arrive_with(10, |a| a.needs = needs);
    hall.wait(30_000);
    hall.detach(10);
    hall.return_(10);
    hall.take_over();
    let people = hall.people[&1].clone();
    hall.say(QueueMessage::Presence(people));
    hall.return_(10);
    assert_eq!(
        (hall.entry(10).step, hall.entry(10).relax_due),
        (1, Some(at(60_000)))
    );
    assert_eq!(relaxed(&hall.wait(30_000)), [(10, 2)]);
}

/// G14: with the permission a contact that nobody logged in can ever serve moves on, with reason 11; without it, it waits.
#[test]
fn a_contact_that_nobody_can_serve_moves_on_if_it_may() {
    let no_match = [(10, LeftReason::NoSkillMatch)];
    for (may, expected) in [(true, &no_match[..]), (false, &[])] {
        let rules = QueueSettings {
            move_on_when_no_agent_matches: may,
            ..settings()
        };
        // Agents are here, none of them with the skill.
        let mut hall = Hall::with(rules.clone());
        hall.ready(1);
        let out = hall.arrive_with(10, |a| a.needs = french());
        assert_eq!(
            (gone(&out), not_taken(&out)),
            (expected.to_vec(), expected.to_vec())
        );
        // Nobody is here at all.
        let mut hall = Hall::with(rules.clone());
        let out = hall.arrive_with(10, |a| a.needs = french());
        assert_eq!(gone(&out), expected);
        // The last who has it logs out.
        let mut hall = Hall::with(rules.clone());
        hall.ready_with(1, &[(FRENCH, 5)]);
        hall.stands(1, Standing::Paused);
        assert_eq!(gone(&hall.arrive_with(10, |a| a.needs = french())), []);
        assert_eq!(gone(&hall.logs_out(1)), expected);
        // Not before agents had time to tell.
        let mut hall = Hall::taken_over(rules.clone(), QueueRecord::default(), at(0));
        hall.arrive_with(10, |a| a.needs = french());
        assert_eq!(all_gone(&hall.wait(1_999)), []);
        assert_eq!(all_gone(&hall.wait(1)), expected);
        // Needs that end give way instead.
        let mut hall = Hall::with(rules);
        hall.ready(1);
        let out = hall.arrive_with(10, |a| a.needs = steps([(&[speaks(FRENCH, 5)], Some(60))]));
        assert_eq!((gone(&out), bids(&out)), (vec![], vec![1]));
    }
}

#[test]
fn who_needs_nothing_waits_for_the_first_agent_even_where_others_move_on() {
    let mut hall = Hall::with(QueueSettings {
        move_on_when_no_agent_matches: true,
        ..settings()
    });
    assert_eq!(gone(&hall.arrive(10)), []);
    assert!(hall.wait(600_000).is_empty());
}

#[test]
fn the_permission_holds_from_when_it_is_given() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive_with(10, |a| a.needs = french());
    let out = hall.configure(|s| s.move_on_when_no_agent_matches = true);
    assert_eq!(gone(&out), [(10, LeftReason::NoSkillMatch)]);
}

/// D24.
#[test]
fn best_match_takes_anybody_and_the_best_first() {
    let mut hall = Hall::with(matching(SkillMatch::BestMatch));
    hall.ready(1); // idle longest
    hall.ready_with(2, &[(FRENCH, 4)]);
    hall.ready_with(3, &[(FRENCH, 7)]);
    hall.ready_with(4, &[(FRENCH, 6)]);
    let asked: Vec<_> = (10..14)
        .flat_map(|n| bids(&hall.arrive_with(n, |a| a.needs = french())))
        .collect();
    assert_eq!(asked, [3, 4, 2, 1]);
    // Nobody is hopeless and nobody moves on.
    let mut hall = Hall::with(QueueSettings {
        move_on_when_no_agent_matches: true,
        ..matching(SkillMatch::BestMatch)
    });
    let out = hall.arrive_with(10, |a| {
        a.needs = steps([(&[speaks(FRENCH, 5)], Some(60)), (&[], None)])
    });
    assert_eq!(
        (relaxed(std::slice::from_ref(&out)), gone(&out)),
        (vec![], vec![])
    );
}

#[test]
fn with_no_match_needs_are_not_looked_at() {
    let mut hall = Hall::with(matching(SkillMatch::None));
    hall.ready(1); // idle longest
    hall.ready_with(2, &[(FRENCH, 10)]);
    assert_eq!(bids(&hall.arrive_with(10, |a| a.needs = french())), [1]);
    assert_eq!(bids(&hall.arrive_with(11, |a| a.needs = french())), [2]);
}

#[test]
fn a_stricter_match_holds_for_those_who_wait_already() {
    let mut hall = Hall::with(matching(SkillMatch::None));
    hall.ready_with(8, &[(FRENCH, 5)]);
    hall.stands(8, Standing::InContact);
    hall.arrive_with(10, |a| a.needs = french());
    hall.configure(|s| s.skill_match = SkillMatch::AllRequired);
    assert!(passed(&hall.ready(1)));
    hall.ready(8);
    assert_eq!(offered(&hall.take(8).1), Some(10));
}

#[test]
fn a_bid_made_for_needs_that_gave_way_does_not_keep_others_from_being_asked() {
    for (then, stands) in [(FRENCH, true), (ITALIAN, false)] {
        let mut hall = Hall::new();
        hall.ready_with(1, &[(FRENCH, 5)]);
        hall.ready_with(2, &[(ITALIAN, 5)]);
        let needs = steps([(&[speaks(FRENCH, 5)], Some(0)), (&[speaks(then, 1)], None)]);
        hall.arrive_with(10, |a| a.needs = needs);
        let outs = hall.wait(0);
        assert!(
            hall.queue
                .bids()
                .any(|bid| bid == (agent(1), contact(10), stands))
        );
        assert_eq!(bids(&outs[0]), if stands { vec![] } else { vec![2] });
    }
}
