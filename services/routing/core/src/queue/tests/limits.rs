//! Who is not taken, and who is sent away (spec D7-D9, D31, P19).

use super::*;

#[test]
fn a_full_queue_turns_away_and_says_so_again() {
    let mut hall = Hall::with(QueueSettings {
        max_callers: 1,
        ..settings()
    });
    hall.arrive(10);
    for _ in 0..2 {
        let out = hall.arrive(11);
        let reason = LeftReason::QueueFull;
        let told = QueueEffect::Edge(
            contact(11),
            EdgeMessage::NotTaken {
                attach_no: 1,
                reason,
            },
        );
        assert_eq!(out.send[..], [told]);
    }
    assert_eq!(hall.order(), [10]);
    hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert_eq!(hall.order(), [10], "coming back needs no new place");
}

#[test]
fn a_deleted_queue_sends_everybody_away() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.arrive(11);
    let out = hall.say(QueueMessage::Close);
    assert_eq!(out.events.len(), 2);
    assert!(hall.order().is_empty());
    let late = hall.arrive(12);
    let reason = LeftReason::QueueClosed;
    let told = QueueEffect::Edge(
        contact(12),
        EdgeMessage::NotTaken {
            attach_no: 1,
            reason,
        },
    );
    assert_eq!(late.send[..], [told]);
}
const EVERY_STANDING: [Standing; 6] = [
    Standing::Ready,
    Standing::InContact,
    Standing::WrapUp,
    Standing::Paused,
    Standing::NotResponding,
    Standing::Unreachable,
];

fn empty_rules(join_empty: EmptyRule, leave_empty: EmptyRule, grace: u64) -> QueueSettings {
    QueueSettings {
        join_empty,
        leave_empty,
        leave_grace: secs(grace),
        ..settings()
    }
}

/// One agent, who does this; none: nobody is logged in.
fn staff(hall: &mut Hall, standing: Option<Standing>) {
    match standing {
        Some(Standing::Ready) => drop(hall.ready(1)),
        Some(standing) => drop(hall.stands(1, standing)),
        None => {}
    }
}

/// P19: who counts as there. Each rule against everything that the one agent may do, and against nobody.
#[test]
fn the_door_is_closed_by_the_rule_and_by_what_agents_do() {
    for standing in EVERY_STANDING.map(Some).into_iter().chain([None]) {
        let works = standing.is_some_and(|s| Standings::WORKING.has(s));
        for (rule, open) in [
            (EmptyRule::Allow, true),
            (EmptyRule::NoneLoggedIn, standing.is_some()),
            (EmptyRule::NoneAvailable, works),
        ] {
            let mut hall = Hall::with(empty_rules(rule, EmptyRule::Allow, 5));
            staff(&mut hall, standing);
            let out = hall.arrive(10);
            let expected = if open {
                vec![]
            } else {
                vec![(10, LeftReason::JoinedEmpty)]
            };
            assert_eq!(not_taken(&out), expected, "{rule:?} {standing:?}");
            assert_eq!(gone(&out), expected);
            assert_eq!(hall.waits(10), open);
        }
    }
}

/// P19: the same for those who wait, with each grace: exactly at its end, with reason 4.
#[test]
fn who_waits_leaves_by_the_rule_when_the_grace_is_over() {
    for standing in EVERY_STANDING.map(Some).into_iter().chain([None]) {
        let works = standing.is_some_and(|s| Standings::WORKING.has(s));
        for (rule, stays) in [
            (EmptyRule::Allow, true),
            (EmptyRule::NoneLoggedIn, standing.is_some()),
            (EmptyRule::NoneAvailable, works),
        ] {
            for grace in [0, 5, 600] {
                let mut hall = Hall::with(empty_rules(EmptyRule::Allow, rule, grace));
                hall.ready(1);
                hall.arrive(10);
                hall.arrive(11);
                hall.wait(1_000);
                match standing {
                    None => drop(hall.logs_out(1)),
                    standing => staff(&mut hall, standing),
                }
                if grace > 0 {
                    let early = hall.wait(grace * 1_000 - 1);
                    assert_eq!(all_gone(&early), [], "{rule:?} {standing:?} {grace}");
                }
                let outs = hall.wait(1);
                let left = if stays { vec![] } else { vec![10, 11] };
                let left: Vec<_> = left
                    .into_iter()
                    .map(|n| (n, LeftReason::LeftEmpty))
                    .collect();
                assert_eq!(all_gone(&outs), left, "{rule:?} {standing:?} {grace}");
                assert_eq!(outs.iter().flat_map(not_taken).collect::<Vec<_>>(), left);
            }
        }
    }
}

#[test]
fn the_last_agent_pauses_and_the_last_agent_logs_out_are_two_things() {
    for (rule, on_pause, on_log_out) in [
        (EmptyRule::NoneLoggedIn, false, true),
        (EmptyRule::NoneAvailable, true, true),
    ] {
        let mut hall = Hall::with(empty_rules(rule, rule, 5));
        hall.ready(1);
        hall.ready(2);
        hall.arrive(10);
        hall.stands(1, Standing::Paused);
        assert_eq!(all_gone(&hall.wait(60_000)), [], "one is left");
        hall.stands(2, Standing::Paused);
        assert_eq!(
            !all_gone(&hall.wait(5_000)).is_empty(),
            on_pause,
            "{rule:?}"
        );
        assert_eq!(gone(&hall.arrive(11)).is_empty(), !on_pause, "{rule:?}");
        hall.logs_out(1);
        hall.logs_out(2);
        let outs = hall.wait(5_000);
        assert_eq!(hall.order().is_empty(), on_log_out, "{rule:?}");
        assert_eq!(
            all_gone(&outs).is_empty(),
            on_pause,
            "they had left already"
        );
    }
}

#[test]
fn an_agent_who_returns_inside_the_grace_keeps_the_callers() {
    let mut hall = Hall::with(empty_rules(EmptyRule::Allow, EmptyRule::NoneAvailable, 5));
    hall.ready(1);
    hall.arrive(10);
    hall.stands(1, Standing::Paused);
    hall.wait(4_999);
    hall.ready(1);
    assert_eq!(all_gone(&hall.wait(60_000)), []);
    hall.stands(1, Standing::Paused);
    assert_eq!(all_gone(&hall.wait(4_999)), [], "the grace begins anew");
    assert_eq!(all_gone(&hall.wait(1)), [(10, LeftReason::LeftEmpty)]);
}

#[test]
fn who_counts_as_available_is_the_queues_own_rule() {
    let only_ready = QueueSettings {
        counts_as_available: Standings::of(&[Standing::Ready]),
        ..empty_rules(EmptyRule::NoneAvailable, EmptyRule::NoneAvailable, 5)
    };
    let mut hall = Hall::with(only_ready);
    hall.stands(1, Standing::WrapUp);
    assert_eq!(gone(&hall.arrive(10)), [(10, LeftReason::JoinedEmpty)]);
    hall.ready(1);
    hall.arrive(11);
    hall.arrive(12);
    // The only one available takes the first: for the second the queue is empty from that moment.
    hall.wait(500);
    hall.take(1);
    assert_eq!(all_gone(&hall.wait(4_999)), []);
    assert_eq!(all_gone(&hall.wait(1)), [(12, LeftReason::LeftEmpty)]);
    assert!(hall.waits(11), "its agent is being rung");
}

#[test]
fn a_contact_that_rings_is_not_sent_away_and_the_clock_does_not_stand_still_for_it() {
    for grace in [0, 5] {
        let rule = EmptyRule::NoneAvailable;
        let mut hall = Hall::with(empty_rules(EmptyRule::Allow, rule, grace));
        hall.ready(1);
        hall.arrive(10);
        let (reservation, _) = hall.take(1);
        hall.stands(1, Standing::Paused);
        let outs = hall.wait(10_000);
        assert!(
            outs.is_empty(),
            "nothing is due while it rings: {}",
            outs.len()
        );
        hall.offer_ended(10, reservation, OfferEnd::Revoked);
        assert_eq!(
            all_gone(&hall.wait(grace * 1_000)),
            [(10, LeftReason::LeftEmpty)]
        );
    }
}

#[test]
fn a_contact_whose_stream_is_broken_is_judged_when_it_can_hear_it() {
    let mut hall = Hall::with(empty_rules(EmptyRule::Allow, EmptyRule::NoneLoggedIn, 1));
    hall.ready(1);
    hall.arrive(10);
    hall.detach(10);
    hall.logs_out(1);
    assert_eq!(all_gone(&hall.wait(5_000)), []);
    hall.return_(10);
    let outs = hall.wait(1_000);
    assert_eq!(all_gone(&outs), [(10, LeftReason::LeftEmpty)]);
}

/// A callback was promised: its customer is not on the line and is not moved on.
#[test]
fn a_callback_is_neither_turned_away_nor_sent_away() {
    let rule = EmptyRule::NoneAvailable;
    let mut hall = Hall::with(QueueSettings {
        max_callers: 1,
        move_on_when_no_agent_matches: true,
        ..empty_rules(rule, rule, 0)
    });
    hall.ready(1);
    hall.arrive(9);
    hall.logs_out(1);
    hall.wait(1_000);
    for n in [10, 11] {
        hall.arrive_with(n, |a| {
            a.kind = ContactKind::Callback;
            a.needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]));
        });
    }
    assert!(hall.wait(600_000).is_empty());
    assert_eq!(hall.order(), [10, 11]);
    let out = hall.say(QueueMessage::Close);
    assert_eq!(gone(&out).len(), 2, "only the end of the queue ends it");
}

#[test]
fn after_a_takeover_nobody_is_turned_away_before_agents_had_time_to_tell() {
    let rule = EmptyRule::NoneLoggedIn;
    // The agent is there and says so in time.
    let mut hall = Hall::taken_over(empty_rules(rule, rule, 0), QueueRecord::default(), at(0));
    assert_eq!(gone(&hall.arrive(10)), []);
    hall.wait(1_999);
    hall.stands(1, Standing::InContact);
    assert_eq!(all_gone(&hall.wait(10_000)), []);
    assert!(!hall.entry(10).on_trial);
    // Nobody is there: whoever came meanwhile never joined, whoever waited before leaves.
    let mut hall = Hall::with(empty_rules(rule, rule, 3));
    hall.ready(1);
    hall.arrive(10);
    hall.take_over();
    hall.return_(10);
    hall.arrive(11);
    assert_eq!(all_gone(&hall.wait(1_999)), []);
    assert_eq!(all_gone(&hall.wait(1)), [(11, LeftReason::JoinedEmpty)]);
    assert_eq!(all_gone(&hall.wait(2_999)), []);
    assert_eq!(all_gone(&hall.wait(1)), [(10, LeftReason::LeftEmpty)]);
    assert_eq!(gone(&hall.arrive(12)), [(12, LeftReason::JoinedEmpty)]);
}

#[test]
fn who_came_on_trial_is_judged_by_the_next_owner_too() {
    let rule = EmptyRule::NoneLoggedIn;
    let join_only = empty_rules(rule, EmptyRule::Allow, 0);
    let mut hall = Hall::taken_over(join_only, QueueRecord::default(), at(0));
    hall.arrive(10);
    hall.wait(1_000);
    hall.take_over();
    hall.return_(10);
    assert_eq!(all_gone(&hall.wait(2_000)), [(10, LeftReason::JoinedEmpty)]);
}

#[test]
fn reasons_at_the_door_closed_then_full_then_empty() {
    let mut hall = Hall::with(QueueSettings {
        max_callers: 2,
        ..empty_rules(EmptyRule::NoneLoggedIn, EmptyRule::Allow, 0)
    });
    hall.ready(1);
    hall.arrive(10);
    hall.arrive(11);
    hall.logs_out(1);
    assert_eq!(gone(&hall.arrive(12)), [(12, LeftReason::QueueFull)]);
    hall.left(10, LeftReason::Abandoned);
    assert_eq!(gone(&hall.arrive(13)), [(13, LeftReason::JoinedEmpty)]);
    hall.say(QueueMessage::Close);
    assert_eq!(gone(&hall.arrive(14)), [(14, LeftReason::QueueClosed)]);
}

#[test]
fn a_lower_limit_sends_nobody_away_and_zero_is_none() {
    let mut hall = Hall::new();
    for n in 10..40 {
        hall.arrive(n);
    }
    assert_eq!(hall.configure(|s| s.max_callers = 5), QueueOut::default());
    assert_eq!(hall.queue.waiting(), 30);
    assert_eq!(gone(&hall.arrive(50)), [(50, LeftReason::QueueFull)]);
    // Whoever left makes room only below the limit.
    for n in 10..35 {
        hall.left(n, LeftReason::Abandoned);
    }
    assert_eq!(gone(&hall.arrive(51)), [(51, LeftReason::QueueFull)]);
    hall.left(35, LeftReason::Abandoned);
    assert_eq!(gone(&hall.arrive(52)), []);
}

#[test]
fn a_rule_that_comes_later_has_its_grace_too() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wait(60_000);
    let out =
        hall.configure(|s| (s.leave_empty, s.leave_grace) = (EmptyRule::NoneLoggedIn, secs(7)));
    assert_eq!(out, QueueOut::default());
    assert_eq!(all_gone(&hall.wait(6_999)), []);
    assert_eq!(all_gone(&hall.wait(1)), [(10, LeftReason::LeftEmpty)]);
}

#[test]
fn the_offers_of_a_deleted_queue_are_released() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.ready(2);
    hall.arrive(10);
    hall.take(1);
    hall.arrive(11); // for whom 2 is asked
    let out = hall.say(QueueMessage::Close);
    assert!(released(&out));
    assert!(released(&hall.take(2).1), "a grant that comes after it");
    assert!(passed(&hall.ready(1)));
    hall.wait(60_000);
    assert_eq!(hall.queue.next_due(), None);
}

#[test]
fn who_was_sent_away_is_told_so_again() {
    let mut hall = Hall::with(empty_rules(EmptyRule::Allow, EmptyRule::NoneLoggedIn, 0));
    hall.arrive(10);
    hall.wait(0);
    let late = hall.attach(attach(10, 1, 0));
    assert_eq!(not_taken(&late), [(10, LeftReason::LeftEmpty)]);
    assert!(late.events.is_empty() && late.fence);
}

#[test]
fn who_rings_when_the_trial_ends_has_joined() {
    let only_ready = QueueSettings {
        counts_as_available: Standings::of(&[Standing::Ready]),
        ..empty_rules(EmptyRule::NoneAvailable, EmptyRule::Allow, 0)
    };
    let mut hall = Hall::taken_over(only_ready, QueueRecord::default(), at(0));
    hall.ready(1);
    hall.arrive(10);
    let (rings, _) = hall.take(1);
    hall.arrive(11);
    assert_eq!(all_gone(&hall.wait(2_000)), [(11, LeftReason::JoinedEmpty)]);
    assert!(!hall.entry(10).on_trial);
    hall.offer_ended(10, rings, OfferEnd::NoAnswer);
    hall.take_over();
    hall.return_(10);
    assert_eq!(all_gone(&hall.wait(2_000)), [], "it is not tried twice");
}
