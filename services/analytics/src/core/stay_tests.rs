use super::*;
use proptest::prelude::*;

const CONTACT: ContactId = ContactId::from_u128(1);
const QUEUE: QueueId = QueueId::from_u128(2);
const AGENT: UserId = UserId::from_u128(3);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn fact(seconds: i64, queue: Option<QueueId>, what: Happening) -> Fact {
    Fact {
        contact: CONTACT,
        queue,
        at: at(seconds),
        what,
    }
}

fn caller() -> Caller {
    Caller {
        number: "+390612345".into(),
        display_name: "Ada".into(),
        dialled: "+39800".into(),
    }
}

/// A caller who waits 20 s, is missed by one agent, talks 60 s with the next.
fn answered(start: i64) -> Vec<Fact> {
    let queue = Some(QUEUE);
    let left = Happening::Left {
        reason: LeftReason::Answered,
        agent: Some(AGENT),
        enqueued: at(start),
        wait: secs(20),
    };
    vec![
        fact(
            start,
            queue,
            Happening::Queued {
                caller: caller(),
                enqueued: at(start),
            },
        ),
        fact(start + 1, queue, Happening::Offered),
        fact(
            start + 11,
            queue,
            Happening::OfferEnded {
                why: OfferEnd::NoAnswer,
                ring: secs(10),
            },
        ),
        fact(start + 12, queue, Happening::Offered),
        fact(start + 20, queue, Happening::Connected { agent: AGENT }),
        fact(start + 20, queue, left),
        fact(
            start + 80,
            queue,
            Happening::OfferEnded {
                why: OfferEnd::Answered,
                ring: secs(8),
            },
        ),
        fact(
            start + 90,
            queue,
            Happening::WrapUpEnded { wrap_up: secs(10) },
        ),
    ]
}

fn call_ended(seconds: i64) -> Vec<Fact> {
    let recording = RecordingId::from_u128(9);
    let ended = Happening::CallEnded {
        by: Party::Agent,
        agent: Some(AGENT),
        talk: secs(55),
        hold: secs(5),
    };
    vec![
        fact(seconds - 50, Some(QUEUE), Happening::Recorded { recording }),
        fact(seconds, Some(QUEUE), ended),
    ]
}

fn told(facts: impl IntoIterator<Item = Fact>) -> Vec<Stay> {
    let mut stays = Vec::new();
    for fact in facts {
        learn(&mut stays, &fact);
    }
    stays
}

#[test]
fn an_answered_call_is_one_handled_stay() {
    let stays = told([answered(100), call_ended(180)].concat());
    let [stay] = &stays[..] else {
        panic!("{stays:?}")
    };
    assert_eq!(stay.outcome(), Some(Outcome::Handled));
    assert_eq!(
        (stay.wait(), stay.settled()),
        (Some(secs(20)), Some(at(120)))
    );
    assert_eq!((stay.offers, stay.missed, stay.ring), (2, 1, secs(18)));
    assert_eq!(
        (stay.talk, stay.hold, stay.wrap_up),
        (secs(55), secs(5), secs(10))
    );
    assert_eq!(
        (stay.ended, stay.ended_by),
        (Some(at(180)), Some(Party::Agent))
    );
    assert_eq!(stay.caller, caller());
    assert!(!stay.is_open());
}

#[test]
fn a_caller_who_hangs_up_while_waiting_has_abandoned() {
    let left = Happening::Left {
        reason: LeftReason::Abandoned,
        agent: None,
        enqueued: at(5),
        wait: secs(7),
    };
    let ended = Happening::CallEnded {
        by: Party::Caller,
        agent: None,
        talk: secs(0),
        hold: secs(0),
    };
    let stays = told([
        fact(
            5,
            Some(QUEUE),
            Happening::Queued {
                caller: caller(),
                enqueued: at(5),
            },
        ),
        fact(12, None, ended),
        fact(12, Some(QUEUE), left),
    ]);
    assert_eq!(stays[0].outcome(), Some(Outcome::Abandoned));
    assert_eq!(
        (stays[0].ended_by, stays[0].ended),
        (Some(Party::Caller), None)
    );
}

#[test]
fn a_second_stay_in_the_same_queue_is_a_stay_of_its_own() {
    let stays = told([answered(100), answered(200), call_ended(280)].concat());
    assert_eq!(stays.len(), 2);
    assert_eq!((stays[0].ended, stays[1].ended), (None, Some(at(280))));
    assert_eq!((stays[0].offers, stays[1].offers), (2, 2));
}

#[test]
fn a_contact_that_was_not_taken_has_a_stay_of_no_length() {
    let left = Happening::Left {
        reason: LeftReason::QueueFull,
        agent: None,
        enqueued: at(5),
        wait: secs(0),
    };
    let stays = told([
        fact(5, Some(QUEUE), left),
        fact(4, None, Happening::Arrived { caller: caller() }),
    ]);
    assert_eq!(stays[0].outcome(), Some(Outcome::EvictedSystem));
    assert_eq!(stays[0].caller, caller());
}

#[test]
fn a_death_ends_what_was_open() {
    let mut waiting = told(answered(100).into_iter().take(2)).remove(0);
    waiting.close_at(at(130));
    let left = waiting.left.unwrap();
    assert_eq!(
        (left.reason, left.wait),
        (LeftReason::SystemFailure, secs(30))
    );

    let mut talking = told(answered(100).into_iter().take(6)).remove(0);
    talking.close_at(at(130));
    assert_eq!((talking.ended, talking.talk), (Some(at(130)), secs(10)));
    assert_eq!(talking.outcome(), Some(Outcome::Handled));
    assert_eq!(talking.ended_by, Some(Party::System));
}

proptest! {
    /// A contact with one stay: any order of its events gives the same facts.
    #[test]
    fn any_order_of_a_stays_events_gives_the_same_stay(
        facts in Just([answered(100), call_ended(180)].concat()).prop_shuffle()
    ) {
        prop_assert_eq!(told(facts), told([answered(100), call_ended(180)].concat()));
    }

    /// Several stays: each publisher keeps its order, the two may run ahead of each other once a stay has begun.
    #[test]
    fn publishers_may_overtake_each_other(delay in 0_usize..8) {
        let mut facts = [answered(100), answered(200)].concat();
        for (n, fact) in call_ended(280).into_iter().enumerate() {
            facts.insert(9 + n + delay.min(facts.len() - 9 - n), fact);
        }
        prop_assert_eq!(told(facts), told([answered(100), answered(200), call_ended(280)].concat()));
    }
}

#[test]
fn an_answered_contact_waited_until_it_was_connected() {
    let queue = Some(QUEUE);
    let left = |reason| Happening::Left {
        reason,
        agent: None,
        enqueued: at(100),
        wait: secs(24),
    };
    let connected = fact(120, queue, Happening::Connected { agent: AGENT });
    for facts in [
        [
            connected.clone(),
            fact(124, queue, left(LeftReason::Answered)),
        ],
        [
            fact(124, queue, left(LeftReason::Answered)),
            connected.clone(),
        ],
    ] {
        let stays = told(facts);
        assert_eq!(
            (stays[0].wait(), stays[0].settled()),
            (Some(secs(20)), Some(at(120)))
        );
    }
    // Without the connection, what the queue says is all there is; and who left unanswered waited until then.
    for reason in [LeftReason::Answered, LeftReason::Abandoned] {
        let stays = told([fact(124, queue, left(reason))]);
        assert_eq!(
            (stays[0].wait(), stays[0].settled()),
            (Some(secs(24)), Some(at(124)))
        );
    }
}

/// Spec G11, P5: pending until it is returned; then it was handled, after the whole wait.
#[test]
fn a_promised_callback_is_pending_until_it_is_kept_or_ends() {
    let queue = Some(QUEUE);
    let left = |at: i64, reason| {
        let what = Happening::Left {
            reason,
            agent: (reason == LeftReason::Answered).then_some(AGENT),
            enqueued: Timestamp::from_millis(100_000),
            wait: secs(at as u64 - 100),
        };
        fact(at, queue, what)
    };
    let accepted = left(140, LeftReason::CallbackRequested);
    let stays = told([accepted.clone()]);
    assert_eq!(stays[0].outcome(), Some(Outcome::Pending));
    assert_eq!(
        (stays[0].wait(), stays[0].is_open()),
        (Some(secs(40)), false)
    );

    let connected = fact(900, queue, Happening::Connected { agent: AGENT });
    let kept = [accepted.clone(), connected, left(900, LeftReason::Answered)];
    let stays = told(kept);
    assert_eq!(
        (stays.len(), stays[0].outcome()),
        (1, Some(Outcome::Handled))
    );
    assert_eq!(
        (stays[0].wait(), stays[0].agent),
        (Some(secs(800)), Some(AGENT))
    );

    let stays = told([accepted, left(900, LeftReason::CallbackExpired)]);
    assert_eq!(
        (stays.len(), stays[0].outcome()),
        (1, Some(Outcome::EvictedSystem))
    );
}
