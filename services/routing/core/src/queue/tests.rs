//! One sentence per row of the queue's table in docs/protocol.md.

use super::*;
use crate::{
    Event,
    message::{
        AgentMessage, Attach, Bid, Caller, ContactKind, EdgeMessage, Grant, Presence, QueueEffect,
    },
    settings::Standing,
    skills::Skills,
    strategy::Strategy,
};
use centro_kernel::{QueueId, UserId, contact::OfferEnd};
use std::time::Duration;

const QUEUE: QueueId = QueueId::from_u128(1);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}
fn contact(n: u128) -> ContactId {
    ContactId::from_u128(n)
}
fn agent(n: u128) -> UserId {
    UserId::from_u128(n)
}

fn settings() -> QueueSettings {
    QueueSettings {
        weight: Some(5),
        retry_delay: Duration::ZERO,
        ..QueueSettings::new(QUEUE)
    }
}

fn attach(n: u128, attach_no: u32, enqueued_at: i64) -> Attach {
    Attach {
        contact: contact(n),
        attach_no,
        enqueued_at: at(enqueued_at),
        priority: 0,
        excluded: vec![],
        holding: vec![],
        needs: Arc::default(),
        kind: ContactKind::Call,
        caller: Arc::new(Caller::default()),
        edge: Arc::from("edge"),
    }
}

/// A queue, the time, and agents that only count.
struct Hall {
    queue: Queue,
    cfg: Deadlines,
    now: Timestamp,
    numbers: u64,
}

impl Hall {
    fn with(settings: QueueSettings) -> Self {
        let cfg = Deadlines::default();
        let mut queue = Queue::recover(settings, 1, QueueRecord::default(), &cfg, at(0));
        // Agents had time to say that they are here.
        queue.handle(&cfg, at(0), QueueMessage::Timer(QueueTimer::Settle));
        Self {
            queue,
            cfg,
            now: at(0),
            numbers: 0,
        }
    }

    fn new() -> Self {
        Self::with(settings())
    }

    fn say(&mut self, message: QueueMessage) -> QueueOut {
        self.queue.handle(&self.cfg, self.now, message)
    }

    fn wait(&mut self, ms: u64) -> Vec<QueueOut> {
        let until = self.now + Duration::from_millis(ms);
        let mut outs = vec![];
        while let Some((due, timer)) = self.queue.next_due().filter(|(due, _)| *due <= until) {
            self.now = due.max(self.now);
            outs.push(self.say(QueueMessage::Timer(timer)));
        }
        self.now = until;
        outs
    }

    fn arrive(&mut self, n: u128) -> QueueOut {
        let since = self.now.as_millis();
        self.say(QueueMessage::Attach(attach(n, 1, since)))
    }

    fn presence(&mut self, n: u128, ver: u64, free: bool) -> QueueOut {
        let (idle_since, logged_in_at) = (at(n as i64), at(1_000 - n as i64));
        let agent = agent(n);
        let presence = Presence {
            agent,
            ver,
            member: true,
            free,
            standing: Standing::Ready,
            idle_since,
            logged_in_at,
            received_at: logged_in_at,
            contacts: 0,
            talk: Duration::ZERO,
            load: 0,
            order: 0,
            skills: Skills::default(),
            lost_to: None,
        };
        self.say(QueueMessage::Presence(presence))
    }

    fn grant(&mut self, n: u128, ver: u64) -> (Reservation, QueueOut) {
        self.numbers += 1;
        let reservation = Reservation {
            agent: agent(n),
            number: self.numbers,
        };
        let grant = Grant {
            reservation,
            ver,
            epoch: 1,
            free: false,
            pick_up: None,
        };
        (reservation, self.say(QueueMessage::Grant(grant)))
    }

    fn order(&self) -> Vec<u128> {
        self.queue.in_order().map(|e| e.contact.as_u128()).collect()
    }
}

fn bids(out: &QueueOut) -> Vec<u128> {
    let bid = |e: &QueueEffect| match e {
        QueueEffect::Agent(a, AgentMessage::Bid(_)) => Some(a.as_u128()),
        _ => None,
    };
    out.send.iter().filter_map(bid).collect()
}

fn released(out: &QueueOut) -> bool {
    out.send
        .iter()
        .any(|e| matches!(e, QueueEffect::Agent(_, AgentMessage::Release { .. })))
}

fn passed(out: &QueueOut) -> bool {
    out.send
        .iter()
        .any(|e| matches!(e, QueueEffect::Agent(_, AgentMessage::Pass { .. })))
}

fn offered(out: &QueueOut) -> Option<u128> {
    out.send.iter().find_map(|e| match e {
        QueueEffect::Edge(c, EdgeMessage::Offer { .. }) => Some(c.as_u128()),
        _ => None,
    })
}

#[test]
fn a_contact_gets_its_place_and_a_bid_goes_to_the_agent_idle_longest() {
    let mut hall = Hall::new();
    hall.presence(3, 1, true);
    assert!(passed(&hall.presence(2, 1, true)));
    let out = hall.arrive(10);
    assert_eq!(bids(&out), [2]);
    assert!(matches!(
        out.send[0],
        QueueEffect::Edge(
            _,
            EdgeMessage::Attached {
                position: 1,
                waiting: 1,
                ..
            }
        )
    ));
    assert!(matches!(
        out.events[0],
        Event::ContactQueued { position: 1, .. }
    ));
}

#[test]
fn burst_distinct_agents() {
    let mut hall = Hall::new();
    for n in 1..=20 {
        hall.presence(n, 1, true);
    }
    let mut asked: Vec<u128> = (101..=120).flat_map(|n| bids(&hall.arrive(n))).collect();
    asked.sort_unstable();
    assert_eq!(asked, (1..=20).collect::<Vec<_>>());
    // Grants in any order: every contact is offered once, the longest-waiting first.
    let served: Vec<_> = (1..=20)
        .rev()
        .filter_map(|n| offered(&hall.grant(n, 1).1))
        .collect();
    assert_eq!(served, (101..=120).collect::<Vec<_>>());
}

#[test]
fn round_robin_asks_in_the_order_of_log_in() {
    let mut hall = Hall::with(QueueSettings {
        strategy: Strategy::RoundRobin,
        ..settings()
    });
    for n in 1..=3 {
        hall.presence(n, 1, true); // 3 logged in first
    }
    assert_eq!(bids(&hall.arrive(10)), [3]);
    assert_eq!(bids(&hall.arrive(11)), [2]);
    hall.grant(3, 1);
    hall.presence(3, 3, true);
    assert_eq!(bids(&hall.arrive(12)), [1], "everybody else comes first");
    assert_eq!(bids(&hall.arrive(13)), [3]);
}

#[test]
fn the_grant_serves_the_first_in_order_whoever_the_bid_was_made_for() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.presence(2, 1, true);
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    let (_, out) = hall.grant(2, 1);
    assert_eq!(offered(&out), Some(10), "agent 2 was asked for contact 11");
    let (_, out) = hall.grant(1, 1);
    assert_eq!(offered(&out), Some(11));
}

#[test]
fn a_free_agent_always_gets_a_bid_or_a_pass() {
    let mut hall = Hall::new();
    assert!(passed(&hall.presence(1, 1, true)));
    hall.arrive(10);
    assert_eq!(
        bids(&hall.presence(1, 1, true)),
        [1],
        "asked again: the bid was lost"
    );
    assert!(hall.presence(2, 1, false).send.is_empty());
}

#[test]
fn an_older_presence_is_ignored_and_a_newer_one_voids_the_bid() {
    let mut hall = Hall::new();
    hall.presence(1, 5, true);
    hall.arrive(10);
    assert!(hall.presence(1, 4, false).send.is_empty());
    hall.presence(1, 6, false);
    assert!(released(&hall.grant(1, 5).1));
    assert_eq!(
        bids(&hall.presence(2, 1, true)),
        [2],
        "the contact asks elsewhere"
    );
}

#[test]
fn a_bid_that_is_not_answered_is_repeated_and_its_contact_asks_elsewhere() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.presence(2, 1, true);
    assert_eq!(bids(&hall.arrive(10)), [1]);
    let outs = hall.wait(1_000);
    assert_eq!(bids(&outs[0]), [1, 2]);
    hall.grant(2, 1);
    assert!(
        released(&hall.grant(1, 1).1),
        "nobody is left for the slow one"
    );
}

#[test]
fn a_repeated_grant_changes_nothing_and_a_newer_epoch_deposes() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    let grant = Grant {
        reservation,
        ver: 1,
        epoch: 1,
        free: false,
        pick_up: None,
    };
    assert_eq!(hall.say(QueueMessage::Grant(grant)), QueueOut::default());
    let newer = hall.say(QueueMessage::Grant(Grant { epoch: 2, ..grant }));
    assert!(newer.deposed && newer.send.is_empty());
}

#[test]
fn an_offer_that_came_to_nothing_leaves_place_and_wait_as_they_were() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    hall.presence(1, 1, true);
    let (reservation, out) = hall.grant(1, 1);
    assert_eq!(offered(&out), Some(10));
    hall.now = at(15_000);
    hall.say(QueueMessage::OfferEnded {
        contact: contact(10),
        reservation,
        exclude_for: None,
        why: OfferEnd::NoAnswer,
    });
    assert_eq!(hall.order(), [10, 11]);
    assert_eq!(
        hall.queue.entry(contact(10)).map(|e| e.enqueued_at),
        Some(at(0))
    );
    hall.presence(2, 1, true);
    assert_eq!(offered(&hall.grant(2, 1).1), Some(10));
}

#[test]
fn reject_memory() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    let why = OfferEnd::Rejected;
    let ended = QueueMessage::OfferEnded {
        contact: contact(10),
        reservation,
        exclude_for: None,
        why,
    };
    hall.say(ended);
    assert!(
        passed(&hall.presence(1, 3, true)),
        "not the same agent again"
    );
    assert_eq!(
        bids(&hall.arrive(11)),
        [1],
        "but another contact may have the agent"
    );
    assert_eq!(bids(&hall.presence(2, 1, true)), [2]);
    assert_eq!(offered(&hall.grant(2, 1).1), Some(10));
    hall.wait(10_000);
    assert!(
        hall.queue
            .entry(contact(10))
            .is_some_and(|e| e.excluded.is_empty())
    );
}

#[test]
fn a_higher_priority_is_served_first_and_positions_follow() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let out = hall.say(QueueMessage::Attach(Attach {
        priority: 9,
        ..attach(11, 1, 50)
    }));
    assert!(matches!(
        out.send[0],
        QueueEffect::Edge(_, EdgeMessage::Attached { position: 1, .. })
    ));
    assert_eq!(hall.order(), [11, 10]);
}

#[test]
fn who_left_stays_away_and_is_told_again() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let left = QueueMessage::Left {
        contact: contact(10),
        attach_no: 1,
        reason: LeftReason::Abandoned,
    };
    let out = hall.say(left.clone());
    assert!(matches!(
        out.events[0],
        Event::ContactLeft {
            reason: LeftReason::Abandoned,
            ..
        }
    ));
    let again = hall.say(left);
    assert!(again.events.is_empty() && again.fence);
    let late = hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 1 })
    ));
    hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert_eq!(hall.order(), [10], "a new attachment is a new stay");
}

#[test]
fn answered_names_the_agent() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let reason = LeftReason::Answered;
    let out = hall.say(QueueMessage::Left {
        contact: contact(10),
        attach_no: 1,
        reason,
    });
    assert!(matches!(out.events[0], Event::ContactLeft { agent: Some(a), .. } if a == agent(1)));
}

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
        assert_eq!(out.send, [told]);
    }
    assert_eq!(hall.order(), [10]);
    hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert_eq!(hall.order(), [10], "coming back needs no new place");
}

#[test]
fn a_broken_stream_keeps_the_place_and_is_not_offered_until_it_is_back() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    hall.presence(1, 1, true);
    assert_eq!(offered(&hall.grant(1, 1).1), Some(11));
    let out = hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert!(out.events.is_empty(), "it never left");
    assert!(hall.wait(30_000).iter().all(|o| o.events.is_empty()));
    assert_eq!(hall.order()[0], 10);
}

#[test]
fn an_edge_that_does_not_come_back_is_a_system_failure() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    let outs = hall.wait(10_000);
    let out = outs.last().unwrap();
    assert!(matches!(
        out.events[0],
        Event::ContactLeft {
            reason: LeftReason::SystemFailure,
            ..
        }
    ));
    assert!(released(out));
    hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(
        hall.order().is_empty(),
        "its last attachment may still have been on its way"
    );
}

#[test]
fn an_offer_whose_end_was_lost_is_repeated() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let outs = hall.wait(20_000);
    assert_eq!(outs.iter().find_map(offered), Some(10));
}

#[test]
fn a_contact_that_comes_back_releases_what_it_does_not_hold() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    let back = Attach {
        holding: vec![reservation],
        ..attach(10, 2, 0)
    };
    assert!(!released(&hall.say(QueueMessage::Attach(back))));
    assert!(released(&hall.say(QueueMessage::Attach(attach(10, 3, 0)))));
}

#[test]
fn after_a_takeover_nothing_is_awarded_before_all_are_back() {
    let mut hall = Hall::new();
    let mut record = QueueRecord::default();
    for (n, since) in [(10, 0), (11, 5)] {
        hall.say(QueueMessage::Attach(attach(n, 1, since)));
        let entry = hall.queue.entry(contact(n)).cloned().unwrap();
        record.entries.insert(entry.contact, Arc::new(entry));
    }
    hall.queue = Queue::recover(settings(), 2, record, &hall.cfg, hall.now);
    hall.presence(1, 1, true);
    assert!(bids(&hall.say(QueueMessage::Attach(attach(11, 2, 5)))).is_empty());
    assert_eq!(bids(&hall.say(QueueMessage::Attach(attach(10, 2, 0)))), [1]);
    assert_eq!(hall.order(), [10, 11]);
}

#[test]
fn after_the_hold_the_others_are_served() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let entry = hall.queue.entry(contact(10)).cloned().unwrap();
    let entries = BTreeMap::from([(entry.contact, Arc::new(entry))]);
    let record = QueueRecord {
        entries,
        left: BTreeMap::new(),
    };
    hall.queue = Queue::recover(settings(), 2, record, &hall.cfg, hall.now);
    hall.presence(1, 1, true);
    assert!(bids(&hall.arrive(11)).is_empty());
    assert_eq!(hall.wait(2_000).iter().flat_map(bids).next(), Some(1));
}

#[test]
fn reload_is_silent() {
    let mut hall = Hall::new();
    for n in 1..=20 {
        hall.presence(n, 1, false);
    }
    for n in 100..150 {
        hall.arrive(n);
    }
    let before = hall.order();
    let changed = QueueSettings {
        strategy: Strategy::RoundRobin,
        weight: None,
        ..settings()
    };
    assert_eq!(
        hall.say(QueueMessage::Configure(Box::new(changed))),
        QueueOut::default()
    );
    assert_eq!(hall.order(), before);
    assert_eq!(bids(&hall.presence(20, 2, true)), [20]);
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
    assert_eq!(late.send, [told]);
}

#[test]
fn graves_are_tended() {
    let mut hall = Hall::new();
    for n in 0..100 {
        hall.arrive(n);
        let reason = LeftReason::Abandoned;
        hall.say(QueueMessage::Left {
            contact: contact(n),
            attach_no: 1,
            reason,
        });
        hall.wait(1_000);
    }
    assert!(hall.queue.left.len() < 65, "{}", hall.queue.left.len());
    assert_eq!(hall.queue.burials.len(), hall.queue.left.len());
}

#[test]
fn bids_carry_weight_wait_and_terms() {
    let mut hall = Hall::new();
    hall.presence(1, 7, true);
    hall.now = at(3);
    let out = hall.arrive(10);
    let bid = out.send.iter().find_map(|e| match e {
        QueueEffect::Agent(_, AgentMessage::Bid(bid)) => Some(bid.clone()),
        _ => None,
    });
    let Some(Bid {
        ver: 7,
        rank,
        terms,
        ..
    }) = bid
    else {
        panic!("{bid:?}")
    };
    assert_eq!(
        (rank.weight, rank.enqueued_at, terms.wrap_up.time.as_secs()),
        (5, at(3), 10)
    );
}

#[test]
fn an_idle_queue_has_no_deadline() {
    let mut hall = Hall::new();
    for n in 1..=10 {
        hall.presence(n, 1, true);
    }
    assert_eq!(hall.queue.next_due(), None);
    hall.arrive(10);
    hall.grant(1, 1);
    let reason = LeftReason::Answered;
    hall.say(QueueMessage::Left {
        contact: contact(10),
        attach_no: 1,
        reason,
    });
    assert_eq!(hall.queue.next_due(), None);
}

/// A thousand agents serve a line that stays as long as it is; says how many entries were looked at for it.
fn looked_at(waiting: u128) -> u64 {
    let mut hall = Hall::new();
    for n in 1..=1_000 {
        hall.presence(n, 1, false);
    }
    for n in 0..waiting {
        hall.arrive(100_000 + n);
    }
    let before = hall.queue.line.looked.0.get();
    for n in 1..=1_000 {
        assert_eq!(bids(&hall.presence(n, 2, true)), [n]);
        let (_, out) = hall.grant(n, 2);
        let served = offered(&out).unwrap();
        let reason = LeftReason::Answered;
        hall.say(QueueMessage::Left {
            contact: contact(served),
            attach_no: 1,
            reason,
        });
        hall.arrive(200_000 + n);
    }
    hall.queue.line.looked.0.get() - before
}

#[test]
fn a_long_line_costs_a_step_no_more_than_a_short_one() {
    let (short, long) = (looked_at(100), looked_at(10_000));
    assert!(short < 1_000 * 40, "{short} entries for 1,000 calls");
    assert!(long <= short + short / 10, "{long} against {short}");
}

#[test]
fn a_stream_that_does_not_come_back_costs_the_place_and_nobody_else_anything() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    let outs = hall.wait(10_000);
    let out = &outs[0];
    let dead = |e: &QueueEffect| matches!(e, QueueEffect::Agent(_, AgentMessage::EdgeDead { .. }));
    assert!(!out.send.iter().any(dead), "the agent may be talking");
    assert!(released(out), "{reservation} was offered in vain");
    // The same attachment is over, the edge's next one is as good as any.
    let late = hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 1 })
    ));
    let back = hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert!(matches!(
        back.send[0],
        QueueEffect::Edge(_, EdgeMessage::Attached { attach_no: 2, .. })
    ));
}

#[test]
fn a_dead_edge_leaves_for_good_and_its_agents_hear_of_it() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let out = hall.say(QueueMessage::EdgeDead {
        contact: contact(10),
    });
    let dead = |e: &QueueEffect| matches!(e, QueueEffect::Agent(_, AgentMessage::EdgeDead { .. }));
    assert!(out.send.iter().any(dead));
    let late = hall.say(QueueMessage::Attach(attach(10, 9, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 9 })
    ));
}
