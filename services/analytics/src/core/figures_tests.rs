use super::*;
use crate::core::stay::{self, Fact, Happening};
use centro_kernel::{ContactId, QueueId, UserId};
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const REASONS: [LeftReason; 14] = [
    LeftReason::Answered,
    LeftReason::Abandoned,
    LeftReason::DtmfExit,
    LeftReason::Timeout,
    LeftReason::LeftEmpty,
    LeftReason::JoinedEmpty,
    LeftReason::QueueFull,
    LeftReason::TransferredByUser,
    LeftReason::CallbackRequested,
    LeftReason::CallbackCancelledByUser,
    LeftReason::CallbackExpired,
    LeftReason::NoSkillMatch,
    LeftReason::QueueClosed,
    LeftReason::SystemFailure,
];

/// A stay that began at `start` and left after `wait` for a reason, or waits still.
fn stay(start: i64, end: Option<(LeftReason, u64)>) -> Stay {
    let mut stays = Vec::new();
    let fact = |what| Fact {
        contact: ContactId::from_u128(1),
        queue: Some(QueueId::from_u128(2)),
        at: at(start),
        what,
    };
    stay::learn(
        &mut stays,
        &fact(Happening::Queued {
            caller: stay::Caller::default(),
            enqueued: at(start),
        }),
    );
    if let Some((reason, wait)) = end {
        let agent = (reason == LeftReason::Answered).then(|| UserId::from_u128(3));
        let wait = Duration::from_millis(wait);
        stay::learn(
            &mut stays,
            &fact(Happening::Left {
                reason,
                agent,
                enqueued: at(start),
                wait,
            }),
        );
    }
    stays.remove(0)
}

fn sum(stays: &[Stay], booking: Booking, from: i64, to: i64) -> Figures {
    let mut figures = Figures::default();
    for stay in stays {
        figures.count(
            stay,
            &Targets::default(),
            booking,
            Span {
                from: at(from),
                to: at(to),
            },
        );
    }
    figures
}

#[test]
fn a_day_of_five_callers() {
    let mut answered = stay(0, Some((LeftReason::Answered, 10_000)));
    (answered.talk, answered.hold) = (Duration::from_secs(60), Duration::from_secs(6));
    answered.wrap_up = Duration::from_secs(14);
    let stays = [
        answered,
        stay(1, Some((LeftReason::Answered, 30_000))),
        stay(2, Some((LeftReason::Abandoned, 40_000))),
        stay(3, Some((LeftReason::Abandoned, 4_999))),
        stay(4, Some((LeftReason::Timeout, 60_000))),
    ];
    let figures = sum(&stays, Booking::Event, 0, HOUR);
    assert_eq!(
        (figures.offered, figures.answered, figures.abandoned),
        (5, 2, 2)
    );
    assert_eq!(
        (
            figures.short_abandoned,
            figures.flow_out,
            figures.answered_in_target
        ),
        (1, 1, 1)
    );
    assert_eq!(figures.service_level_percent(), Some(100.0 / 3.0));
    assert_eq!(figures.abandon_rate_percent(), Some(25.0));
    assert_eq!(figures.average_speed_of_answer_ms(), Some(20_000.0));
    assert_eq!(figures.average_time_to_abandon_ms(), Some(22_499.5));
    assert_eq!(figures.average_handle_time_ms(), Some(40_000.0));
    assert_eq!(figures.max_wait, Duration::from_secs(60));
    assert_eq!(figures.by_reason[&LeftReason::Abandoned], 2);
}

#[test]
fn a_rate_without_a_base_is_absent() {
    let figures = sum(
        &[stay(0, Some((LeftReason::Abandoned, 10)))],
        Booking::Event,
        0,
        HOUR,
    );
    assert_eq!(figures.service_level_percent(), None);
    assert_eq!(figures.abandon_rate_percent(), None);
    assert_eq!(figures.average_speed_of_answer_ms(), None);
    assert_eq!(figures.average_handle_time_ms(), None);
}

#[test]
fn an_answer_in_the_next_hour_is_booked_there_or_with_its_entry() {
    let stays = [stay(HOUR - 1, Some((LeftReason::Answered, 10)))];
    let both = |booking| {
        let (first, second) = (
            sum(&stays, booking, 0, HOUR),
            sum(&stays, booking, HOUR, 2 * HOUR),
        );
        [
            (first.offered, first.answered),
            (second.offered, second.answered),
        ]
    };
    assert_eq!(both(Booking::Event), [(1, 0), (0, 1)]);
    assert_eq!(both(Booking::Entry), [(1, 1), (0, 0)]);
}

#[test]
fn exactly_at_the_target_is_in_time_and_exactly_at_the_bound_is_not_short() {
    let stays = [
        stay(0, Some((LeftReason::Answered, 20_000))),
        stay(0, Some((LeftReason::Abandoned, 5_000))),
    ];
    let figures = sum(&stays, Booking::Event, 0, HOUR);
    assert_eq!(
        (figures.answered_in_target, figures.short_abandoned),
        (1, 0)
    );
}

prop_compose! {
    fn any_stay()(
        start in 0..2 * HOUR,
        end in proptest::option::of((0..REASONS.len(), 0_u64..120_000)),
    ) -> Stay {
        stay(start, end.map(|(reason, wait)| (REASONS[reason], wait)))
    }
}

proptest! {
    #[test]
    fn everybody_offered_has_an_outcome_or_waits(
        stays in prop::collection::vec(any_stay(), 0..200),
        from in 0..2 * HOUR,
        length in 0..2 * HOUR,
    ) {
        let balance = |f: &Figures| f.answered + f.abandoned + f.flow_out + f.still_waiting;
        // Of those who entered in any span …
        let figures = sum(&stays, Booking::Entry, from, from + length);
        prop_assert_eq!(figures.offered, balance(&figures));
        prop_assert_eq!(figures.by_reason.values().sum::<u64>() + figures.still_waiting, figures.offered);
        // … and of everybody, however outcomes are booked.
        let figures = sum(&stays, Booking::Event, 0, 24 * HOUR);
        prop_assert_eq!(figures.offered, stays.len() as u64);
        prop_assert_eq!(figures.offered, balance(&figures));
    }

    #[test]
    fn spans_that_touch_add_up_to_the_whole(
        stays in prop::collection::vec(any_stay(), 0..100),
        cut in 0..3 * HOUR,
    ) {
        for booking in [Booking::Event, Booking::Entry] {
            let mut parts = sum(&stays, booking, 0, cut);
            parts.add(&sum(&stays, booking, cut, 24 * HOUR));
            prop_assert_eq!(parts, sum(&stays, booking, 0, 24 * HOUR));
        }
    }

    #[test]
    fn rates_are_never_more_than_everything(
        stays in prop::collection::vec(any_stay(), 0..100),
        from in 0..2 * HOUR,
    ) {
        let figures = sum(&stays, Booking::Entry, from, from + HOUR);
        for rate in [figures.service_level_percent(), figures.abandon_rate_percent()] {
            prop_assert!(rate.is_none_or(|rate| (0.0..=100.0).contains(&rate)));
        }
    }
}
