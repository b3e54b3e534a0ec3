//! Help for those who wait long (spec D17, U13).

use super::*;
use crate::queue::Boost;

fn ageing(ageing: Ageing) -> QueueSettings {
    QueueSettings {
        ageing,
        ..settings()
    }
}

fn points(points_per_minute: u32) -> QueueSettings {
    ageing(Ageing {
        points_per_minute,
        ..Ageing::default()
    })
}

fn overtakes(most: u32) -> QueueSettings {
    ageing(Ageing {
        max_overtakes: Some(most),
        ..Ageing::default()
    })
}

fn longest(wait: u64) -> QueueSettings {
    ageing(Ageing {
        max_wait: Some(secs(wait)),
        ..Ageing::default()
    })
}

/// Who goes first from these steps on, and why.
fn boosted(outs: &[QueueOut]) -> Vec<(u128, Boost)> {
    let told = |e: &Event| match e {
        Event::ContactBoosted { contact, why, .. } => Some((contact.as_u128(), *why)),
        _ => None,
    };
    outs.iter()
        .flat_map(|o| o.events.iter().filter_map(told))
        .collect()
}

fn important(hall: &mut Hall, n: u128) -> QueueOut {
    hall.arrive_with(n, |a| a.priority = 10)
}

#[test]
fn off_is_strict_however_long_somebody_waits() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wait(86_400_000);
    for n in 20..40 {
        important(&mut hall, n);
        hall.ready(1);
        assert_eq!(offered(&hall.take(1).1), Some(n));
        hall.left(n, LeftReason::Answered);
    }
    let out = hall.ready(1);
    assert_eq!(
        rank(&out).map(|r| r.weight),
        Some(5),
        "the queue's own weight"
    );
}

#[test]
fn with_points_a_long_wait_outweighs_a_priority() {
    let mut hall = Hall::with(points(2)); // 10 points of priority are 5 minutes
    hall.arrive(10);
    hall.wait(299_000);
    important(&mut hall, 11);
    assert_eq!(hall.order(), [11, 10], "4:59 is not enough");
    hall.wait(2_000);
    important(&mut hall, 12);
    assert_eq!(hall.order(), [11, 10, 12], "5:01 is");
    // The order of those who wait stays as it is: all age alike.
    hall.wait(3_600_000);
    assert_eq!(hall.order(), [11, 10, 12]);
}

#[test]
fn with_points_the_bid_gains_weight_with_every_minute() {
    let mut hall = Hall::with(points(3));
    hall.arrive(10);
    for (minutes, weight) in [(0, 5), (1, 8), (10, 35)] {
        hall.wait(minutes * 60_000 - u64::try_from(hall.now.as_millis()).unwrap());
        let out = hall.ready(1);
        assert_eq!(rank(&out).map(|r| r.weight), Some(weight));
    }
    // However long it waits, only who goes first is worth the most.
    hall.now = at(i64::MAX / 4);
    let out = hall.ready(1);
    assert_eq!(rank(&out).map(|r| r.weight), Some(u32::MAX - 1));
}

#[test]
fn a_priority_that_a_person_gives_counts_with_ageing_too() {
    let mut hall = Hall::with(points(1));
    hall.arrive(10);
    hall.wait(60_000);
    hall.arrive(11);
    hall.say(QueueMessage::SetPriority {
        contact: contact(11),
        priority: 2,
    });
    assert_eq!(hall.order(), [11, 10]);
}

#[test]
fn who_waited_as_long_as_allowed_goes_first_everywhere() {
    let mut hall = Hall::with(longest(60));
    hall.arrive(10);
    hall.wait(59_999);
    important(&mut hall, 20);
    assert_eq!(hall.order(), [20, 10]);
    let outs = hall.wait(1);
    assert_eq!(boosted(&outs), [(10, Boost::Waited)]);
    assert_eq!(hall.order(), [10, 20]);
    let out = hall.ready(1);
    assert_eq!(
        rank(&out).map(|r| r.weight),
        Some(u32::MAX),
        "before every other queue"
    );
    assert_eq!(offered(&hall.take(1).1), Some(10));
    assert_eq!(boosted(&hall.wait(40_000)), []);
}

#[test]
fn a_contact_that_had_waited_elsewhere_goes_first_at_once() {
    let mut hall = Hall::with(longest(60));
    hall.now = at(100_000);
    important(&mut hall, 20);
    hall.attach(attach(10, 1, 0));
    assert_eq!(boosted(&hall.wait(0)), [(10, Boost::Waited)]);
    assert_eq!(hall.order(), [10, 20]);
}

#[test]
fn going_first_survives_coming_back_and_a_takeover_and_is_told_once() {
    let mut hall = Hall::with(longest(60));
    hall.arrive(10);
    hall.wait(60_000);
    important(&mut hall, 20);
    hall.detach(10);
    hall.return_(10);
    assert_eq!(hall.order(), [10, 20]);
    hall.take_over();
    hall.return_(10);
    hall.return_(20);
    assert_eq!(hall.order(), [10, 20]);
    assert_eq!(boosted(&hall.wait(59_000)), []);
    assert_eq!(boosted(&hall.wait(1_000)), [(20, Boost::Waited)]);
}

/// Strict priorities in one queue: after so many who came later the oldest goes first.
#[test]
fn who_was_overtaken_as_often_as_allowed_goes_first() {
    let mut hall = Hall::with(overtakes(3));
    hall.arrive(10);
    hall.wait(1);
    hall.arrive(11);
    let mut told = vec![];
    for n in 20..23 {
        hall.wait(1);
        important(&mut hall, n);
        hall.ready(1);
        let (_, out) = hall.take(1);
        assert_eq!(offered(&out), Some(n));
        told.extend(boosted(&[out]));
        hall.left(n, LeftReason::Answered);
    }
    assert_eq!(told, [(10, Boost::Overtaken)]);
    important(&mut hall, 30);
    assert_eq!(hall.order(), [10, 30, 11]);
    let out = hall.ready(1);
    assert_eq!(rank(&out).map(|r| r.weight), Some(u32::MAX));
}

/// The same against a heavier queue, whose contact the agent took.
#[test]
fn agents_who_went_to_somebody_later_in_another_queue_count() {
    let mut hall = Hall::with(overtakes(2));
    hall.now = at(1_000);
    hall.arrive(10);
    let lost = |hall: &mut Hall, since: i64| {
        hall.ready(1);
        hall.tell(1, |p| (p.free, p.lost_to) = (false, Some(at(since))))
    };
    assert_eq!(
        boosted(&[lost(&mut hall, 500)]),
        [],
        "who came before did not overtake"
    );
    assert_eq!(hall.entry(10).overtaken, 0);
    assert_eq!(boosted(&[lost(&mut hall, 2_000)]), []);
    // The count is stored: it goes on under the next owner.
    hall.take_over();
    hall.return_(10);
    assert_eq!(boosted(&[lost(&mut hall, 2_000)]), [(10, Boost::Overtaken)]);
    assert_eq!(boosted(&[lost(&mut hall, 2_000)]), [], "told once");
}

#[test]
fn agents_who_could_not_have_served_do_not_overtake() {
    let mut hall = Hall::with(overtakes(1));
    hall.ready_with(9, &[(FRENCH, 5)]);
    hall.stands(9, Standing::InContact);
    hall.arrive_with(10, |a| {
        a.needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]))
    });
    hall.arrive_with(11, |a| a.excluded = vec![(agent(1), secs(60))]);
    hall.wait(1);
    important(&mut hall, 20);
    hall.ready(1);
    let (_, out) = hall.take(1);
    assert_eq!((offered(&out), boosted(&[out])), (Some(20), vec![]));
}

#[test]
fn a_contact_for_which_all_ring_overtakes_once() {
    let mut hall = Hall::with(QueueSettings {
        strategy: Strategy::RingAll,
        ..overtakes(2)
    });
    hall.arrive(10);
    hall.wait(1);
    important(&mut hall, 20);
    for n in 1..=5 {
        hall.ready(n);
        assert_eq!(offered(&hall.take(n).1), Some(20));
    }
    assert_eq!(hall.entry(10).overtaken, 1);
}

/// U13: whatever comes, a contact is served after at most so many later ones for each that waited before it.
#[test]
fn nobody_is_forgotten_behind_a_stream_of_important_contacts() {
    let mut hall = Hall::with(overtakes(4));
    for n in 10..15 {
        hall.arrive(n);
        hall.wait(1);
    }
    let mut served = vec![];
    for n in 100..140 {
        hall.wait(1);
        important(&mut hall, n);
        hall.ready(1);
        let first = offered(&hall.take(1).1).unwrap();
        served.push(first);
        hall.left(first, LeftReason::Answered);
    }
    let at = |n| served.iter().position(|s| *s == n);
    assert_eq!(
        (10..15).map(at).collect::<Vec<_>>(),
        [4, 9, 14, 19, 24].map(Some)
    );
}

#[test]
fn a_new_limit_holds_for_those_who_wait_already() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wait(50_000);
    important(&mut hall, 20);
    hall.configure(|s| s.ageing.max_wait = Some(secs(60)));
    assert_eq!(boosted(&hall.wait(10_000)), [(10, Boost::Waited)]);
    hall.configure(|s| s.ageing.max_wait = None);
    assert_eq!(boosted(&hall.wait(600_000)), [], "and so does its end");
    // A limit that came while the queue had no owner.
    let mut hall = Hall::new();
    hall.arrive(10);
    let record = hall.record();
    let mut hall = Hall::taken_over(longest(60), record, hall.now);
    hall.return_(10);
    assert_eq!(boosted(&hall.wait(60_000)), [(10, Boost::Waited)]);
}

#[test]
fn new_points_move_everybody_to_where_they_stand_by_them() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wait(600_000);
    important(&mut hall, 20);
    assert_eq!(hall.order(), [20, 10]);
    let out = hall.configure(|s| s.ageing.points_per_minute = 2);
    assert_eq!(hall.order(), [10, 20]);
    assert!(out.fence && out.changes.len() == 2, "the places are stored");
}
