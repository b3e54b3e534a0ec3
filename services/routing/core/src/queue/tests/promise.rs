//! Callers who accept a callback (spec P5): the place stays, whatever happens to whoever holds it.

use super::*;
use crate::invariants::Sums;

const DAY: u64 = 24 * 3_600_000;

impl Hall {
    /// The customer accepts; the call is over.
    fn accepts(&mut self, n: u128) -> QueueOut {
        self.left(n, LeftReason::CallbackRequested)
    }

    /// Somebody is there to call the customer back, with an idea of its own of place and wait.
    fn held(&mut self, n: u128, attach_no: u32) -> QueueOut {
        self.attach(Attach {
            kind: ContactKind::Callback,
            edge: Arc::from("dialer"),
            ..attach(n, attach_no, self.now.as_millis())
        })
    }
}

/// Four callers, of whom the third accepted.
fn hall() -> Hall {
    let mut hall = Hall::new();
    for n in 10..14 {
        hall.arrive(n);
        hall.wait(1_000);
    }
    hall.accepts(12);
    hall
}

fn told(out: &QueueOut) -> Vec<EdgeMessage> {
    let told = |e: &QueueEffect| match e {
        QueueEffect::Edge(c, message) if *c == contact(12) => Some(message.clone()),
        _ => None,
    };
    out.send.iter().filter_map(told).collect()
}

#[test]
fn who_accepts_at_the_third_place_is_called_third_and_has_not_abandoned() {
    let mut hall = Hall::new();
    let mut sums = Sums::default();
    for n in 10..14 {
        hall.arrive(n)
            .events
            .iter()
            .for_each(|e| sums.add(e).unwrap());
        hall.wait(1_000);
    }
    let since = hall.entry(12).enqueued_at;
    let out = hall.accepts(12);
    assert_eq!(gone(&out), [(12, LeftReason::CallbackRequested)]);
    assert_eq!(told(&out), [EdgeMessage::LeftOk { attach_no: 1 }]);
    assert_eq!(hall.order(), [10, 11, 12, 13], "it is still in the table");
    assert_eq!(hall.entry(12).kind, ContactKind::Callback);
    out.events.iter().for_each(|e| sums.add(e).unwrap());
    // Somebody comes meanwhile, and then the callback has an edge: it says another time, and no priority.
    hall.wait(60_000);
    hall.arrive(14);
    let out = hall.held(12, 2);
    assert!(matches!(
        told(&out)[..],
        [EdgeMessage::Attached { position: 3, .. }]
    ));
    assert_eq!((hall.entry(12).enqueued_at, out.events.len()), (since, 0));
    // Priority goes before wait, for callbacks too.
    hall.arrive_with(60, |a| a.priority = 1);
    for (n, served) in [(6, 60), (1, 10), (2, 11), (3, 12), (4, 13), (5, 14)] {
        hall.ready(n);
        assert_eq!(offered(&hall.take(n).1), Some(served));
    }
    let out = hall.left_with(12, LeftReason::Answered, Some(3));
    assert_eq!(gone(&out), [(12, LeftReason::Answered)]);
    out.events.iter().for_each(|e| sums.add(e).unwrap());
    assert_eq!(
        (sums.queued, sums.left, sums.answered),
        (4, 1, 1),
        "one stay"
    );
}

/// The call repeats itself until it is heard, and some of it comes late.
#[test]
fn what_the_call_still_says_changes_nothing() {
    let mut hall = hall();
    let before = hall.entry(12).clone();
    let out = hall.say(QueueMessage::Left {
        contact: contact(12),
        attach_no: 1,
        reason: LeftReason::CallbackRequested,
        agent: None,
    });
    assert_eq!(told(&out), [EdgeMessage::LeftOk { attach_no: 1 }]);
    assert!(out.events.is_empty());
    let late = [
        QueueMessage::Attach(attach(12, 1, 0)),
        QueueMessage::Detached {
            contact: contact(12),
            attach_no: 1,
        },
        QueueMessage::Left {
            contact: contact(12),
            attach_no: 1,
            reason: LeftReason::Abandoned,
            agent: None,
        },
    ];
    for message in late {
        let out = hall.say(message.clone());
        assert!(out.events.is_empty(), "{message:?}");
        assert_eq!(*hall.entry(12), before, "{message:?}");
    }
}

#[test]
fn a_promise_that_nobody_holds_is_offered_to_nobody_and_stops_nobody() {
    let mut hall = Hall::new();
    hall.arrive(12);
    hall.arrive(13);
    hall.accepts(12);
    hall.ready(1);
    assert_eq!(offered(&hall.take(1).1), Some(13));
    assert!(passed(&hall.ready(2)));
    assert_eq!(
        bids(&hall.held(12, 2)),
        [2],
        "now there is somebody to ask for it"
    );
    assert_eq!(offered(&hall.take(2).1), Some(12));
}

#[test]
fn a_phone_that_rang_for_the_call_is_no_offer_of_the_callback() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(12);
    let (rang, _) = hall.take(1);
    hall.accepts(12);
    assert!(hall.entry(12).offers.is_empty());
    assert!(hall.offer_ended(12, rang, OfferEnd::Cut).events.is_empty());
    hall.held(12, 2);
    assert_eq!(bids(&hall.ready(1)), [1], "and may have it all the same");
}

#[test]
fn a_bid_that_ran_for_the_call_serves_the_next() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(12);
    hall.arrive(13);
    hall.accepts(12);
    assert_eq!(offered(&hall.take(1).1), Some(13));
}

/// Spec U14: neither the death of who holds it, nor a broken stream, nor a new owner of the queue ends a promise.
#[test]
fn a_promise_outlives_whoever_holds_it() {
    for how in 0..4 {
        let mut hall = hall();
        hall.held(12, 2);
        hall.wait(1_000);
        match how {
            0 => drop(hall.detach(12)),
            1 => drop(hall.say(QueueMessage::EdgeDead {
                contact: contact(12),
            })),
            2 => hall.take_over(),
            _ => {
                hall.detach(12);
                hall.take_over();
            }
        }
        let others = [10, 11, 13];
        for n in others {
            hall.say(QueueMessage::Left {
                contact: contact(n),
                attach_no: 9,
                reason: LeftReason::Abandoned,
                agent: None,
            });
        }
        let outs = hall.wait(DAY / 2);
        assert!(outs.iter().all(|out| gone(out).is_empty()), "{how}");
        assert_eq!(hall.order(), [12], "{how}");
        hall.held(12, 3);
        hall.ready(1);
        assert_eq!(offered(&hall.take(1).1), Some(12), "{how}");
    }
}

#[test]
fn the_agent_of_a_callback_whose_process_died_is_freed() {
    let mut hall = hall();
    hall.held(12, 2);
    hall.left(10, LeftReason::Abandoned);
    hall.left(11, LeftReason::Abandoned);
    hall.ready(1);
    hall.take(1);
    let out = hall.say(QueueMessage::EdgeDead {
        contact: contact(12),
    });
    assert!(released(&out) && out.events.is_empty());
    assert!(hall.entry(12).offers.is_empty());
}

#[test]
fn a_promise_that_is_not_kept_in_time_expires_and_says_so_to_who_comes_too_late() {
    let mut hall = hall();
    let outs = hall.wait(DAY);
    let all: Vec<_> = outs.iter().flat_map(gone).collect();
    assert_eq!(all, [(12, LeftReason::CallbackExpired)]);
    let reason = LeftReason::CallbackExpired;
    let out = hall.held(12, 2);
    assert_eq!(
        told(&out),
        [EdgeMessage::NotTaken {
            attach_no: 2,
            reason
        }]
    );
    assert_eq!(hall.order(), [10, 11, 13]);
}

#[test]
fn a_promise_that_is_just_being_kept_does_not_expire() {
    let mut hall = Hall::new();
    hall.arrive(12);
    hall.accepts(12);
    hall.wait(DAY - 5_000);
    hall.held(12, 2);
    hall.ready(1);
    let (rings, _) = hall.take(1);
    let outs = hall.wait(10_000);
    assert!(outs.iter().all(|out| gone(out).is_empty()), "it rings");
    hall.offer_ended(12, rings, OfferEnd::NoAnswer);
    let outs = hall.wait(60_000);
    let all: Vec<_> = outs.iter().flat_map(gone).collect();
    assert_eq!(all, [(12, LeftReason::CallbackExpired)]);
}

#[test]
fn a_supervisor_cancels_it_moves_it_and_gives_it_another_priority() {
    let mut cancelled = hall();
    let wish = |wish| QueueMessage::Wish {
        contact: contact(12),
        wish,
    };
    let out = cancelled.say(wish(Wish::TakeOut));
    assert_eq!(out.answer, Some(Answer::Done));
    assert_eq!(gone(&out), [(12, LeftReason::CallbackCancelledByUser)]);
    assert_eq!(cancelled.order(), [10, 11, 13]);
    // One that is held goes by its edge, as any.
    let mut held = hall();
    held.held(12, 2);
    let out = held.say(wish(Wish::TakeOut));
    assert_eq!(told(&out), [EdgeMessage::TakenOut { attach_no: 2 }]);
    // Whoever holds it later hears of the wish; until then nobody is told anything.
    let mut moved = hall();
    let queue = QueueId::from_u128(2);
    moved.say(wish(Wish::MoveTo(queue)));
    assert!(moved.wait(60_000).is_empty());
    let out = moved.held(12, 2);
    let to = EdgeMessage::MoveTo {
        attach_no: 2,
        queue,
    };
    assert!(told(&out).contains(&to), "{out:?}");
    let mut first = hall();
    first.say(QueueMessage::SetPriority {
        contact: contact(12),
        priority: 7,
    });
    first.held(12, 2);
    assert_eq!(first.order(), [12, 10, 11, 13]);
}

#[test]
fn a_queue_that_is_deleted_ends_its_promises() {
    let mut hall = hall();
    let out = hall.say(QueueMessage::Close);
    assert!(gone(&out).contains(&(12, LeftReason::QueueClosed)));
    assert_eq!(hall.queue.next_due(), None);
}

#[test]
fn only_a_call_that_waits_here_is_promised_a_callback() {
    let mut hall = Hall::new();
    hall.arrive_with(12, |a| a.kind = ContactKind::Chat);
    assert_eq!(gone(&hall.accepts(12)), [(12, LeftReason::Abandoned)]);
    assert!(hall.order().is_empty());
    let out = hall.say(QueueMessage::Left {
        contact: contact(99),
        attach_no: 1,
        reason: LeftReason::CallbackRequested,
        agent: None,
    });
    assert!(out.events.is_empty() && hall.order().is_empty());
}

/// Three callbacks and two agents, the customer slow to answer (FreePBX#525, #621): one attempt for each, in the callers' own
/// order, and never more than there are free agents.
#[test]
fn callback_once() {
    let mut hall = Hall::new();
    for n in 10..13 {
        hall.arrive(n);
        hall.wait(1_000);
        hall.accepts(n);
        hall.held(n, 2);
    }
    hall.arrive(20);
    hall.ready(1);
    hall.ready(2);
    let (first, out) = hall.take(1);
    assert_eq!(offered(&out), Some(10));
    assert_eq!(offered(&hall.take(2).1), Some(11));
    // It rings and rings; whoever holds a callback asks for its place again.
    hall.held(10, 2);
    let outs = hall.wait(14_000);
    let again: Vec<_> = outs.iter().filter_map(offered).collect();
    assert!(again.is_empty(), "{again:?}");
    let offers = |hall: &Hall, n| hall.entry(n).offers.len();
    let open = [10, 11, 12, 20].map(|n| offers(&hall, n));
    assert_eq!(open, [1, 1, 0, 0], "two free agents, two attempts");
    assert_eq!(hall.order(), [10, 11, 12, 20], "every place is kept");
    // The agent missed it: the same callback is tried once more, before the next one and before who came later.
    hall.offer_ended(10, first, OfferEnd::NoAnswer);
    hall.wait(5_000);
    hall.ready(3);
    assert_eq!(offered(&hall.take(3).1), Some(10));
    let open = [10, 11, 12, 20].map(|n| offers(&hall, n));
    assert_eq!(open, [1, 1, 0, 0]);
    hall.left_with(10, LeftReason::Answered, Some(3));
    assert_eq!(hall.order(), [11, 12, 20]);
}
