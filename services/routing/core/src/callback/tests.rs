//! The rows P1 to P4 of the specification, word by word.

use super::*;
use crate::{
    Event,
    agent::State,
    figures::{Mean, MeanWait, QueueFigures, Rules},
};
use centro_kernel::{ContactId, QueueId, Timestamp, contact::LeftReason};
use std::{collections::BTreeSet, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
const NOW: i64 = 10_000_000;
const QUEUE: QueueId = QueueId::from_u128(1);
/// The caller who is judged.
const CARLA: ContactId = ContactId::from_u128(100);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn rule() -> Rule {
    Rule {
        enabled: true,
        entitled: true,
        threshold: MINUTE,
        window: Duration::from_secs(900),
        number_types: Rule::default_number_types(),
    }
}

fn mobile() -> CallerId {
    CallerId::Valid {
        e164: "+393331234567".into(),
        number_type: NumberType::Mobile,
    }
}

fn long_wait() -> MeanWait {
    MeanWait {
        mean: Mean {
            sum_ms: 60_001,
            count: 1,
        },
        window_ms: 900_000,
        complete: true,
    }
}

/// Carla's verdict, with one thing changed.
fn verdict(change: impl FnOnce(&mut Rule, &mut Situation<'_>)) -> Verdict {
    let (mut rule, caller_id) = (rule(), mobile());
    let mut situation = Situation {
        caller_id: &caller_id,
        mean_wait: long_wait(),
        available: 0,
        invitation: Invitation::None,
    };
    change(&mut rule, &mut situation);
    judge(&rule, &situation)
}

fn against(change: impl FnOnce(&mut Rule, &mut Situation<'_>)) -> Vec<Against> {
    let verdict = verdict(change);
    assert_eq!(verdict.offered, verdict.against.is_empty());
    verdict.against
}

/// The verdict when contacts with these waits have left at these moments before now.
fn after(samples: &[(ContactId, i64, i64)]) -> Verdict {
    let mut figures = QueueFigures::new(QUEUE, Rules::default(), at(0));
    for (contact, ago, wait) in samples.iter().copied() {
        let left = NOW - ago;
        let event = Event::ContactLeft {
            contact,
            queue: QUEUE,
            agent: None,
            reason: LeftReason::Abandoned,
            enqueued_at: at(left - wait),
            wait: Duration::from_millis(wait as u64),
        };
        figures.apply(at(left), &event);
    }
    let mean_wait = figures.mean_wait(at(NOW), Some(CARLA));
    verdict(|_, situation| situation.mean_wait = mean_wait)
}

fn other(n: u128) -> ContactId {
    ContactId::from_u128(n)
}

#[test]
fn p1_the_offer_needs_a_mean_strictly_above_the_threshold() {
    const WINDOW: i64 = 900_000;
    let table = [
        (
            "the first caller of the day",
            vec![],
            Some(Against::NoSample),
        ),
        (
            "exactly 60 s",
            vec![(other(1), 5, 60_000)],
            Some(Against::MeanNotAbove),
        ),
        ("60.001 s", vec![(other(1), 5, 60_001)], None),
        (
            "at t-15m exactly",
            vec![(other(1), WINDOW, 90_000)],
            Some(Against::NoSample),
        ),
        ("1 ms later", vec![(other(1), WINDOW - 1, 90_000)], None),
        ("left this moment", vec![(other(1), 0, 90_000)], None),
        (
            "an older wait lifts no mean",
            vec![(other(1), WINDOW, 9_000_000), (other(2), 5, 60_000)],
            Some(Against::MeanNotAbove),
        ),
        (
            "the judged caller's own wait lifts no mean",
            vec![(CARLA, 9, 900_000), (other(2), 5, 60_000)],
            Some(Against::MeanNotAbove),
        ),
        (
            "the judged caller's own wait is no sample",
            vec![(CARLA, 9, 900_000)],
            Some(Against::NoSample),
        ),
        (
            "a third of a millisecond too much",
            vec![
                (other(1), 9, 60_000),
                (other(2), 8, 60_000),
                (other(3), 7, 60_001),
            ],
            None,
        ),
    ];
    for (row, samples, expected) in table {
        let verdict = after(&samples);
        assert_eq!(verdict.against, Vec::from_iter(expected), "{row}");
        assert_eq!(verdict.offered, expected.is_none(), "{row}");
        assert_eq!(verdict.threshold_ms, 60_000);
    }
}

#[test]
fn p1_who_still_waits_is_not_in_the_mean() {
    let mut figures = QueueFigures::new(QUEUE, Rules::default(), at(0));
    let event = Event::ContactQueued {
        kind: crate::ContactKind::Call,
        contact: other(1),
        queue: QUEUE,
        caller: Default::default(),
        enqueued_at: at(0),
        priority: 0,
        position: 1,
    };
    figures.apply(at(0), &event);
    assert_eq!(figures.mean_wait(at(NOW), Some(CARLA)).mean.count, 0);
}

#[test]
fn p2_only_an_agent_who_could_take_this_caller_now_prevents_the_offer() {
    let states = [
        State::Ready,
        State::Paused,
        State::WrapUp,
        State::Connected,
        State::NotResponding,
        State::LoggedOut,
        State::Reserved,
        State::Alerting,
    ];
    for state in states {
        for skilled in [true, false] {
            let candidate = Candidate {
                state,
                logged_in: state != State::LoggedOut,
                reachable: true,
                room: true,
                fits: skilled,
            };
            let available = eligible_available([candidate]);
            let prevents = state == State::Ready && skilled;
            assert_eq!(available > 0, prevents, "{state:?}, skilled: {skilled}");
            let against = against(|_, situation| situation.available = available);
            let expected = prevents.then_some(Against::AgentsAvailable);
            assert_eq!(against, Vec::from_iter(expected));
        }
    }
}

#[test]
fn p2_ready_alone_is_not_available() {
    let ready = Candidate {
        state: State::Ready,
        logged_in: true,
        reachable: true,
        room: true,
        fits: true,
    };
    let elsewhere = Candidate {
        logged_in: false,
        ..ready
    };
    let unreachable = Candidate {
        reachable: false,
        ..ready
    };
    let full = Candidate {
        room: false,
        ..ready
    };
    assert_eq!(eligible_available([elsewhere, unreachable, full]), 0);
    assert_eq!(eligible_available([elsewhere, ready, ready]), 2);
}

/// Numbers of Rome, as a parser for Italy reads them.
fn parse(user: &str) -> Option<(String, NumberType)> {
    let known = [
        ("+390612345678", "+390612345678", NumberType::Local),
        ("0612345678", "+390612345678", NumberType::Local),
        ("0212345678", "+390212345678", NumberType::National),
        ("+390699999999", "+390699999999", NumberType::Local),
        ("3331234567", "+393331234567", NumberType::Mobile),
        ("+442071234567", "+442071234567", NumberType::International),
        ("800123456", "+39800123456", NumberType::TollFree),
        ("899123456", "+39899123456", NumberType::Premium),
    ];
    let found = known.into_iter().find(|(text, ..)| *text == user);
    found.map(|(_, e164, number_type)| (e164.to_owned(), number_type))
}

/// How an INVITE presents its caller: user, host, `Privacy`.
fn classify(user: &str, host: &str, privacy: &str) -> CallerId {
    let from = Presentation {
        user,
        host,
        privacy,
    };
    CallerId::classify(from, parse, |e164| e164 == "+390699999999")
}

#[test]
fn p3_of_twelve_kinds_of_callers_only_those_who_can_be_called_hear_the_prompt() {
    use InvalidCallerId::*;
    let invalid = |why| Some(Against::CallerId(why));
    let forbidden = |number_type| Some(Against::NumberType(number_type));
    let host = "carrier.example";
    let table = [
        ("a number of the area", ("+390612345678", host, ""), None),
        (
            "the same without a prefix",
            ("0612345678", host, "none"),
            None,
        ),
        ("another area", ("0212345678", host, ""), None),
        ("a mobile phone", ("3331234567", host, ""), None),
        ("anonymous", ("anonymous", host, ""), invalid(Anonymous)),
        (
            "anonymous by its host",
            ("3331234567", "anonymous.invalid", ""),
            invalid(Anonymous),
        ),
        ("Privacy: id", ("3331234567", host, "id"), invalid(Withheld)),
        ("sip:unknown@", ("unknown", host, ""), invalid(Unknown)),
        ("empty", ("", host, ""), invalid(Empty)),
        (
            "a name instead of a number",
            ("reception", host, ""),
            invalid(NotANumber),
        ),
        ("own DID", ("+390699999999", host, ""), invalid(OwnNumber)),
        (
            "a forbidden number type",
            ("+442071234567", host, ""),
            forbidden(NumberType::International),
        ),
    ];
    for (row, (user, host, privacy), expected) in table {
        let caller_id = classify(user, host, privacy);
        let (rule, mean_wait) = (rule(), long_wait());
        let situation = Situation {
            caller_id: &caller_id,
            mean_wait,
            available: 0,
            invitation: Invitation::None,
        };
        let verdict = judge(&rule, &situation);
        assert_eq!(verdict.against, Vec::from_iter(expected), "{row}");
        assert_eq!(verdict.offered, expected.is_none(), "{row}");
    }
}

#[test]
fn p3_hiding_has_many_spellings() {
    use InvalidCallerId::*;
    let host = "carrier.example";
    let table = [
        (("Anonymous", host, ""), Anonymous),
        (("  ", host, ""), Empty),
        (("UNAVAILABLE", host, ""), Unknown),
        (("Restricted", host, ""), Withheld),
        (("3331234567", host, "id;critical"), Withheld),
        (("3331234567", host, "header; USER"), Withheld),
        (("anonymous", "anonymous.invalid", "id"), Withheld),
    ];
    for ((user, host, privacy), why) in table {
        assert_eq!(
            classify(user, host, privacy),
            CallerId::Invalid(why),
            "{user} {privacy}"
        );
    }
    let shown = classify("3331234567", host, "critical");
    assert_eq!(shown, mobile());
}

#[test]
fn p3_a_withheld_number_is_never_offered_whatever_the_threshold() {
    let caller_id = CallerId::Invalid(InvalidCallerId::Withheld);
    let situation = Situation {
        caller_id: &caller_id,
        mean_wait: MeanWait {
            mean: Mean {
                sum_ms: u64::MAX,
                count: 1,
            },
            ..long_wait()
        },
        available: 0,
        invitation: Invitation::None,
    };
    for seconds in [1, 60, 86_400] {
        let rule = Rule {
            threshold: Duration::from_secs(seconds),
            ..rule()
        };
        let verdict = judge(&rule, &situation);
        assert_eq!(
            verdict.against,
            [Against::CallerId(InvalidCallerId::Withheld)]
        );
    }
}

#[test]
fn p4_the_prompt_is_played_once_and_the_key_counts_from_then_on() {
    const PROMPT: i64 = 1_000_000;
    let mut stay = Invitation::None;
    assert_eq!(stay.press_hash(at(PROMPT - 1_000)), Pressed::Nothing);
    assert!(
        against(|_, s| s.invitation = stay).is_empty(),
        "a key before it changes nothing"
    );
    assert!(stay.offer(at(PROMPT)));
    for (when, later) in [
        ("during the prompt", 1_000),
        ("10 minutes later", 600_000),
        ("at once", 0),
    ] {
        let mut this = stay;
        assert_eq!(
            this.press_hash(at(PROMPT + later)),
            Pressed::Accepted,
            "{when}"
        );
        assert_eq!(
            this.press_hash(at(PROMPT + later + 1)),
            Pressed::Again,
            "{when}"
        );
        let accepted = Invitation::Accepted {
            offered_at: at(PROMPT),
            at: at(PROMPT + later),
        };
        assert_eq!(this, accepted);
    }
}

#[test]
fn p4_nothing_that_happens_in_the_stay_plays_the_prompt_again() {
    let mut stay = Invitation::None;
    let mut prompts = 0;
    let mut judge_again = |stay: &mut Invitation, now: i64| {
        let invitation = *stay;
        let verdict = verdict(|_, situation| situation.invitation = invitation);
        if verdict.offered && stay.offer(at(now)) {
            prompts += 1;
        }
        verdict.against
    };
    assert!(judge_again(&mut stay, 1).is_empty());
    // Re-entry to the ring loop, a ring in vain, a reload of the configuration: the stay stays.
    for now in 2..5 {
        assert_eq!(judge_again(&mut stay, now), [Against::AlreadyOffered]);
    }
    // Another owner, which reads the stay from its stored form.
    let moved = serde_json::to_string(&stay).unwrap();
    let mut stay: Invitation = serde_json::from_str(&moved).unwrap();
    assert_eq!(judge_again(&mut stay, 6), [Against::AlreadyOffered]);
    assert_eq!(stay.press_hash(at(7)), Pressed::Accepted);
    assert_eq!(judge_again(&mut stay, 8), [Against::AlreadyOffered]);
    assert_eq!(prompts, 1);
}

#[test]
fn a_verdict_names_all_reasons_with_their_numbers() {
    let caller_id = CallerId::Invalid(InvalidCallerId::Anonymous);
    let rule = Rule {
        enabled: false,
        entitled: false,
        threshold: Duration::ZERO,
        number_types: BTreeSet::new(),
        ..rule()
    };
    let situation = Situation {
        caller_id: &caller_id,
        mean_wait: MeanWait {
            mean: Mean::default(),
            ..long_wait()
        },
        available: 2,
        invitation: Invitation::Offered { at: at(5) },
    };
    let verdict = judge(&rule, &situation);
    let expected = [
        Against::Disabled,
        Against::NotEntitled,
        Against::RuleInvalid,
        Against::AlreadyOffered,
        Against::CallerId(InvalidCallerId::Anonymous),
        Against::NoSample,
        Against::AgentsAvailable,
    ];
    assert_eq!(verdict.against, expected);
    let text = serde_json::to_value(&verdict).unwrap();
    assert_eq!(text["offered"], false);
    assert_eq!(text["against"][4]["caller_id"], "anonymous");
    assert_eq!(text["mean_wait"]["mean"]["count"], 0);
    assert_eq!(text["available"], 2);
    assert_eq!(serde_json::from_value::<Verdict>(text).unwrap(), verdict);
}

#[test]
fn each_thing_alone_prevents_the_offer() {
    assert_eq!(against(|_, _| {}), []);
    assert_eq!(against(|rule, _| rule.enabled = false), [Against::Disabled]);
    assert_eq!(
        against(|rule, _| rule.entitled = false),
        [Against::NotEntitled]
    );
    let none = against(|rule, _| rule.number_types.clear());
    assert_eq!(none, [Against::NumberType(NumberType::Mobile)]);
    let too_long = against(|rule, _| rule.window = Duration::from_secs(3_601));
    assert_eq!(too_long, [Against::RuleInvalid]);
}

#[test]
fn a_threshold_is_typed_as_a_whole_number_above_zero() {
    let read = |typed, unit| threshold(typed, unit).map_err(|fault| fault.reason);
    let (not_numeric, not_positive) = ("threshold_not_numeric", "threshold_not_positive");
    let table = [
        ("90", Unit::Seconds, Ok(90)),
        (" 5 ", Unit::Minutes, Ok(300)),
        ("24", Unit::Hours, Ok(86_400)),
        ("1", Unit::Seconds, Ok(1)),
        ("25", Unit::Hours, Err("duration_out_of_range")),
        ("86401", Unit::Seconds, Err("duration_out_of_range")),
        (
            "99999999999999999999999",
            Unit::Hours,
            Err("duration_out_of_range"),
        ),
        ("0", Unit::Seconds, Err(not_positive)),
        ("-5", Unit::Minutes, Err(not_positive)),
        ("1h", Unit::Hours, Err(not_numeric)),
        ("1e3", Unit::Seconds, Err(not_numeric)),
        ("\u{ff15}", Unit::Seconds, Err(not_numeric)),
        ("1.5", Unit::Minutes, Err(not_numeric)),
        ("+5", Unit::Minutes, Err(not_numeric)),
        ("", Unit::Seconds, Err(not_numeric)),
        ("-", Unit::Seconds, Err(not_numeric)),
    ];
    for (typed, unit, expected) in table {
        let expected = expected.map(Duration::from_secs);
        assert_eq!(read(typed, unit), expected, "{typed} {unit:?}");
    }
}

#[test]
fn a_rule_out_of_range_names_its_field() {
    let refused = |change: fn(&mut Rule)| {
        let mut rule = rule();
        change(&mut rule);
        let fault = rule.validate().expect_err("refused");
        (fault.reason, fault.field)
    };
    assert_eq!(rule().validate(), Ok(()));
    let (out, threshold) = ("duration_out_of_range", "/threshold".to_owned());
    let zero = refused(|rule| rule.threshold = Duration::ZERO);
    assert_eq!(zero, ("threshold_not_positive", threshold.clone()));
    let half = refused(|rule| rule.threshold = Duration::from_millis(999));
    assert_eq!(half, (out, threshold.clone()));
    let long = refused(|rule| rule.threshold = Duration::from_secs(86_401));
    assert_eq!(long, (out, threshold));
    let window = refused(|rule| rule.window = Duration::from_secs(59));
    assert_eq!(window, (out, "/window".to_owned()));
}
