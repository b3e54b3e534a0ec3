//! One sentence per row of the agent's table in docs/protocol.md.

use super::*;
use crate::{
    message::{Answer, Bid, Caller, LogIn, Medium, Rank},
    skills::Profile,
};
use centro_kernel::{ContactId, DeviceId, UserId, contact::OfferEnd};
use std::time::Duration;

const A: QueueId = QueueId::from_u128(1);
const B: QueueId = QueueId::from_u128(2);
const DEVICE: DeviceId = DeviceId::from_u128(9);
const ANNA: ContactId = ContactId::from_u128(100);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// Ready with one phone in these queues.
fn log_in(queues: &[QueueId]) -> AgentMessage {
    log_in_to(queues, |_| {})
}

fn log_in_to(queues: &[QueueId], but: impl FnOnce(&mut LogIn)) -> AgentMessage {
    let mut log_in = LogIn {
        device: DEVICE,
        device_online: true,
        queues: queues.iter().map(|queue| Membership::new(*queue)).collect(),
        all_queues: false,
        ready: true,
        desktop: false,
        profile: Profile::default(),
    };
    but(&mut log_in);
    AgentMessage::LogIn(Box::new(log_in))
}

/// A supervisor ends the wrap-up.
const fn end_wrap_up() -> AgentMessage {
    AgentMessage::EndWrapUp {
        contact: None,
        supervisor: true,
    }
}

/// An agent, and the time.
struct Desk {
    agent: Agent,
    cfg: Deadlines,
    now: Timestamp,
}

impl Desk {
    fn ready(queues: &[QueueId]) -> Self {
        let cfg = Deadlines::default();
        let record = AgentRecord::new(UserId::from_u128(7), at(0));
        let mut desk = Self {
            agent: Agent::recover(record, &cfg, at(0)).0,
            cfg,
            now: at(0),
        };
        desk.say(log_in(queues));
        desk
    }

    fn say(&mut self, message: AgentMessage) -> AgentOut {
        self.agent.handle(&self.cfg, self.now, message)
    }

    fn wait(&mut self, ms: u64) -> Vec<AgentOut> {
        let until = self.now + Duration::from_millis(ms);
        let mut outs = vec![];
        while let Some((due, timer)) = self.agent.next_due().filter(|(due, _)| *due <= until) {
            self.now = due.max(self.now);
            outs.push(self.say(AgentMessage::Timer(timer)));
        }
        self.now = until;
        outs
    }

    fn bid(&self, queue: QueueId, weight: u32, enqueued_at: i64) -> AgentMessage {
        AgentMessage::Bid(Bid {
            queue,
            epoch: 1,
            ver: self.agent.record().ver,
            rank: Rank {
                weight,
                enqueued_at: at(enqueued_at),
            },
            terms: Arc::default(),
            pick_up: None,
        })
    }

    fn pass(&self, queue: QueueId) -> AgentMessage {
        AgentMessage::Pass {
            queue,
            epoch: 1,
            ver: self.agent.record().ver,
        }
    }

    fn alert(&mut self, number: u64) -> AgentOut {
        self.say(AgentMessage::Alert {
            number,
            contact: ANNA,
            edge: Arc::from("edge"),
            caller: Arc::new(Caller::default()),
            ring: Duration::from_secs(15),
        })
    }

    fn end(&mut self, number: u64, why: OfferEnd) -> AgentOut {
        self.say(AgentMessage::End {
            number,
            contact: ANNA,
            why,
        })
    }

    /// Granted to A, alerting with number 1.
    fn alerting(queues: &[QueueId]) -> Self {
        let mut desk = Self::ready(queues);
        for other in &queues[1..] {
            desk.say(desk.pass(*other));
        }
        assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 1)));
        assert_eq!(
            desk.alert(1).answer,
            Some(Answer::AlertOk {
                device: Some(DEVICE)
            })
        );
        desk
    }

    fn connected(queues: &[QueueId]) -> Self {
        let mut desk = Self::alerting(queues);
        let out = desk.say(AgentMessage::Connect {
            number: 1,
            contact: ANNA,
        });
        assert_eq!(out.answer, Some(Answer::ConnectOk));
        desk
    }

    fn state(&self) -> State {
        self.agent.view().state
    }
}

fn granted(out: &AgentOut) -> Option<(QueueId, u64)> {
    out.send.iter().find_map(|e| match e {
        AgentEffect::Queue(q, QueueMessage::Grant(grant)) => Some((*q, grant.reservation.number)),
        _ => None,
    })
}

fn presences(out: &AgentOut) -> Vec<(QueueId, bool)> {
    let presence = |e: &AgentEffect| match e {
        AgentEffect::Queue(q, QueueMessage::Presence(p)) => Some((*q, p.free)),
        _ => None,
    };
    out.send.iter().filter_map(presence).collect()
}

#[test]
fn a_ready_agent_asks_every_queue_and_waits_for_all_answers() {
    let mut desk = Desk::ready(&[A, B]);
    assert_eq!(
        granted(&desk.say(desk.bid(A, 1, 0))),
        None,
        "B has not answered"
    );
    assert_eq!(granted(&desk.say(desk.pass(B))), Some((A, 1)));
    assert_eq!(desk.state(), State::Reserved);
}

#[test]
fn the_heavier_queue_wins_and_the_longer_wait_breaks_the_tie() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 5, 0));
    assert_eq!(granted(&desk.say(desk.bid(B, 6, 50))), Some((B, 1)));
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 5, 40));
    assert_eq!(granted(&desk.say(desk.bid(B, 5, 39))), Some((B, 1)));
}

#[test]
fn an_exact_tie_is_drawn_fairly_and_reproducibly() {
    let mut wins = 0;
    for id in 0..400_u128 {
        let draw = || {
            let mut desk = Desk::ready(&[A, B]);
            desk.agent.record.id = UserId::from_u128(id * 7919);
            desk.say(desk.bid(A, 5, 0));
            granted(&desk.say(desk.bid(B, 5, 0))).map(|g| g.0)
        };
        assert_eq!(draw(), draw());
        wins += i32::from(draw() == Some(A));
    }
    assert!((150..=250).contains(&wins), "{wins} of 400");
}

#[test]
fn a_queue_that_is_away_delays_the_round_by_its_deadline_only() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 1, 0));
    assert!(desk.wait(99).is_empty());
    assert_eq!(desk.wait(1).iter().find_map(granted), Some((A, 1)));
}

#[test]
fn only_a_queue_that_did_not_answer_is_reminded() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.pass(A));
    let outs = desk.wait(4_100);
    let asked: Vec<_> = outs.iter().flat_map(presences).collect();
    assert_eq!(asked, [(B, true), (B, true)]);
    desk.say(desk.pass(B));
    assert_eq!(desk.agent.next_due(), None, "an idle agent has no deadline");
}

#[test]
fn an_idle_agent_heard_by_all_grants_at_once() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.pass(A));
    desk.say(desk.pass(B));
    let out = desk.say(desk.bid(B, 1, 0));
    assert_eq!(granted(&out), Some((B, 1)));
    assert_eq!(
        presences(&out),
        [(A, false)],
        "the winner learns it from the grant"
    );
}

#[test]
fn a_repeated_bid_gets_the_same_grant_and_an_old_one_the_news() {
    let mut desk = Desk::ready(&[A]);
    let bid = desk.bid(A, 1, 0);
    assert_eq!(granted(&desk.say(bid.clone())), Some((A, 1)));
    let again = desk.say(bid.clone());
    assert_eq!(
        (granted(&again), again.fence, again.changes.len()),
        (Some((A, 1)), true, 0)
    );
    desk.alert(1);
    let late = desk.say(bid);
    assert_eq!(
        (granted(&late), presences(&late), late.fence),
        (None, vec![(A, false)], false)
    );
}

#[test]
fn an_old_owner_of_a_queue_is_ignored_and_a_newer_one_voids_its_word() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.pass(A));
    let ver = desk.agent.record().ver;
    let out = desk.say(AgentMessage::QueueMoved { queue: A, epoch: 2 });
    assert_eq!(presences(&out), [(A, true)]);
    assert!(
        desk.say(desk.bid(A, 1, 0)).send.is_empty(),
        "epoch 1 is over"
    );
    desk.say(AgentMessage::Pass {
        queue: A,
        epoch: 2,
        ver,
    });
    assert_eq!(desk.agent.next_due(), None);
}

#[test]
fn a_stranger_queue_learns_that_the_agent_is_no_member() {
    let mut desk = Desk::ready(&[A]);
    let out = desk.say(desk.bid(B, 1, 0));
    assert_eq!(presences(&out), [(B, false)]);
}

#[test]
fn a_reservation_without_a_contact_ends_by_itself_without_penalty() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.bid(A, 1, 0));
    desk.wait(3_000);
    assert_eq!(
        (desk.state(), desk.agent.record().misses),
        (State::Ready, 0)
    );
    assert_eq!(
        desk.alert(1).answer,
        Some(Answer::Refused),
        "a number never comes back"
    );
}

#[test]
fn release_is_honoured_only_before_anything_rings() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.bid(A, 1, 0));
    desk.say(AgentMessage::Release { number: 1 });
    assert_eq!(desk.state(), State::Ready);
    let mut desk = Desk::alerting(&[A]);
    desk.say(AgentMessage::Release { number: 1 });
    assert_eq!(desk.state(), State::Alerting);
}

#[test]
fn repeats_of_alert_and_connect_get_the_same_fenced_answer() {
    let mut desk = Desk::alerting(&[A]);
    let again = desk.alert(1);
    assert_eq!(
        (again.answer, again.fence),
        (
            Some(Answer::AlertOk {
                device: Some(DEVICE)
            }),
            true
        )
    );
    for _ in 0..2 {
        let out = desk.say(AgentMessage::Connect {
            number: 1,
            contact: ANNA,
        });
        assert_eq!((out.answer, out.fence), (Some(Answer::ConnectOk), true));
    }
    assert_eq!(desk.alert(1).answer, Some(Answer::Late));
    let other = ContactId::from_u128(101);
    let out = desk.say(AgentMessage::Connect {
        number: 1,
        contact: other,
    });
    assert_eq!((out.answer, out.fence), (Some(Answer::Refused), true));
}

#[test]
fn connected_tells_who_answered_and_how_long_it_rang() {
    let mut desk = Desk::alerting(&[A]);
    desk.wait(2_500);
    let out = desk.say(AgentMessage::Connect {
        number: 1,
        contact: ANNA,
    });
    let ring = out.events.iter().find_map(|e| match e {
        Event::OfferEnded {
            why: OfferEnd::Answered,
            ring,
            ..
        } => Some(*ring),
        _ => None,
    });
    assert_eq!(ring, Some(Duration::from_millis(2_500)));
    assert!(
        out.events
            .iter()
            .any(|e| matches!(e, Event::ContactConnected { .. }))
    );
}

#[test]
fn no_answer_makes_not_responding_and_ready_brings_back() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.end(1, OfferEnd::NoAnswer);
    assert_eq!(
        out.answer,
        Some(Answer::Ended {
            was_connected: false
        })
    );
    assert_eq!(
        (desk.state(), desk.agent.record().room(Medium::Voice)),
        (State::NotResponding, false)
    );
    let out = desk.say(AgentMessage::SetStatus(Chosen::Ready));
    assert_eq!(
        (desk.state(), presences(&out)),
        (State::Ready, vec![(A, true)])
    );
}

#[test]
fn caller_gone_while_dialing_leaves_the_agent_ready() {
    for why in [
        OfferEnd::CallerGone,
        OfferEnd::Cut,
        OfferEnd::Elsewhere,
        OfferEnd::Rejected,
    ] {
        let mut desk = Desk::alerting(&[A]);
        desk.end(1, why);
        assert_eq!(
            (desk.state(), desk.agent.record().misses),
            (State::Ready, 0),
            "{why:?}"
        );
    }
}

#[test]
fn a_repeated_end_tells_the_truth_and_changes_nothing() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    let ver = desk.agent.record().ver;
    let out = desk.end(1, OfferEnd::CallerGone);
    assert_eq!(
        out.answer,
        Some(Answer::Ended {
            was_connected: true
        })
    );
    assert!(out.fence && out.changes.is_empty());
    assert_eq!(desk.agent.record().ver, ver);
}

#[test]
fn a_commit_that_failed_needs_no_wrap_up() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::CommitFailed);
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn wrapup_multi_queue() {
    let mut desk = Desk::connected(&[A, B]);
    desk.wait(60_000);
    desk.end(1, OfferEnd::Answered);
    assert_eq!(desk.state(), State::WrapUp);
    for queue in [A, B] {
        let out = desk.say(desk.bid(queue, 900, 0));
        assert_eq!(
            (granted(&out), presences(&out)),
            (None, vec![(queue, false)])
        );
    }
    // A new owner of the record keeps its end.
    let record = desk.agent.record().clone();
    desk.agent = Agent::recover(record, &desk.cfg, desk.now).0;
    assert!(desk.wait(9_999).is_empty());
    let outs = desk.wait(1);
    assert_eq!(
        outs.iter().flat_map(presences).collect::<Vec<_>>(),
        [(A, true), (B, true)]
    );
    assert!(outs[0].events.iter().any(
        |e| matches!(e, Event::WrapUpEnded { wrap_up, .. } if *wrap_up == Duration::from_secs(10))
    ));
}

#[test]
fn timer_and_end_of_wrap_up_at_one_instant_make_one_transition() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::Answered);
    assert_eq!(desk.say(end_wrap_up()).answer, Some(Answer::Done));
    let out = desk.say(AgentMessage::Timer(AgentTimer::Slot(1)));
    assert!(out.events.is_empty() && !out.fence);
    assert_eq!(desk.say(end_wrap_up()).answer, Some(Answer::NotInWrapUp));
}

#[test]
fn pause_during_offer() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.say(AgentMessage::SetStatus(Chosen::Paused("lunch".into())));
    let cancels = |out: &AgentOut| {
        out.send
            .iter()
            .filter(|e| matches!(e, AgentEffect::CancelOffer { .. }))
            .count()
    };
    assert_eq!(cancels(&out), 1);
    assert_eq!(desk.state(), State::Paused);
    assert_eq!(
        cancels(&desk.say(AgentMessage::SetStatus(Chosen::Paused("lunch".into())))),
        0
    );
    let answer = desk
        .say(AgentMessage::Connect {
            number: 1,
            contact: ANNA,
        })
        .answer;
    assert_eq!(answer, Some(Answer::Refused), "the pause came first");
    desk.end(1, OfferEnd::Revoked);
    assert_eq!(
        (desk.state(), desk.agent.record().misses),
        (State::Paused, 0)
    );
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), None);
}

#[test]
fn no_second_ring_while_a_revoked_one_is_not_confirmed() {
    let mut desk = Desk::alerting(&[A]);
    desk.say(AgentMessage::SetStatus(Chosen::Paused(String::new())));
    desk.say(AgentMessage::SetStatus(Chosen::Ready));
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), None);
    desk.wait(20_000);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 2)));
}

#[test]
fn next_status_last_wins() {
    let mut desk = Desk::connected(&[A]);
    desk.say(AgentMessage::SetStatus(Chosen::LoggedOut));
    assert_eq!(desk.state(), State::Connected);
    desk.say(log_in(&[A]));
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn a_log_out_during_a_contact_takes_effect_afterwards() {
    let mut desk = Desk::connected(&[A, B]);
    desk.say(AgentMessage::SetStatus(Chosen::LoggedOut));
    assert_eq!(desk.agent.view().memberships.len(), 2);
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!(
        (desk.state(), desk.agent.view().memberships.len()),
        (State::LoggedOut, 0)
    );
    assert_eq!(
        desk.say(AgentMessage::SetStatus(Chosen::Ready)).answer,
        Some(Answer::NotLoggedIn)
    );
}

#[test]
fn a_device_that_goes_away_takes_the_agent_out_of_the_queues() {
    let mut desk = Desk::ready(&[A]);
    let out = desk.say(AgentMessage::Device {
        device: DEVICE,
        online: false,
    });
    assert_eq!(presences(&out), [(A, false)]);
    let out = desk.say(AgentMessage::Device {
        device: DEVICE,
        online: true,
    });
    assert_eq!(presences(&out), [(A, true)]);
    let other = AgentMessage::Device {
        device: DeviceId::from_u128(8),
        online: false,
    };
    assert!(desk.say(other).send.is_empty());
}

#[test]
fn the_death_of_the_edge_frees_a_ring_and_ends_a_talk_in_wrap_up() {
    let mut desk = Desk::alerting(&[A]);
    desk.say(AgentMessage::EdgeDead { contact: ANNA });
    assert_eq!(desk.state(), State::Ready);
    let mut desk = Desk::connected(&[A]);
    desk.say(AgentMessage::EdgeDead { contact: ANNA });
    assert_eq!(desk.state(), State::WrapUp);
}

#[test]
fn a_lost_edge_frees_the_agent_after_ring_and_margin() {
    let mut desk = Desk::alerting(&[A]);
    assert!(desk.wait(19_999).is_empty());
    desk.wait(1);
    assert_eq!(
        (desk.state(), desk.agent.record().misses),
        (State::Ready, 0)
    );
}

#[test]
fn no_flapping() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.pass(A));
    assert!(desk.wait(7_200_000).is_empty());
    let out = desk.say(AgentMessage::SetStatus(Chosen::Ready));
    assert!(out.events.is_empty() && out.changes.is_empty());
}

#[test]
fn a_takeover_gives_unfinished_phases_their_full_time_again() {
    let mut desk = Desk::alerting(&[A]);
    desk.wait(14_000);
    let record = desk.agent.record().clone();
    let (agent, out) = Agent::recover(record, &desk.cfg, desk.now);
    assert_eq!(presences(&out), [(A, false)]);
    assert_eq!(agent.next_due(), Some((at(34_000), AgentTimer::Slot(1))));
}

#[test]
fn a_talk_whose_edge_does_not_have_it_ends_in_wrap_up() {
    let mut desk = Desk::connected(&[A]);
    let ask = AgentEffect::AskEdge {
        reservation: desk.agent.record().reservation(1),
        contact: ANNA,
        edge: Arc::from("edge"),
    };
    let outs = desk.wait(65_000);
    assert_eq!(outs.len(), 2, "asked every 30 s");
    assert!(outs.iter().all(|out| out.send == [ask.clone()]));
    assert!(outs.iter().all(|out| !out.fence && out.changes.is_empty()));
    // The answer about an earlier talk with the same contact says nothing of this one.
    let other = AgentMessage::NotHeld {
        number: 7,
        contact: ANNA,
    };
    desk.say(other);
    assert_eq!(desk.state(), State::Connected);
    desk.say(AgentMessage::NotHeld {
        number: 1,
        contact: ANNA,
    });
    assert_eq!(desk.state(), State::WrapUp);
    desk.wait(10_000);
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn a_taken_over_talk_is_asked_about_too() {
    let desk = Desk::connected(&[A]);
    let record = desk.agent.record().clone();
    assert!(record.slots[0].due.is_some(), "the deadline is stored");
    let (agent, _) = Agent::recover(record, &desk.cfg, at(5_000));
    assert_eq!(agent.next_due(), Some((at(35_000), AgentTimer::Slot(1))));
}

#[test]
fn a_takeover_is_never_early_for_the_ring_that_the_edge_was_told() {
    let mut desk = Desk::ready(&[A]);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 1)));
    desk.say(AgentMessage::Alert {
        number: 1,
        contact: ANNA,
        edge: Arc::from("edge"),
        caller: Arc::default(),
        ring: Duration::from_secs(60),
    });
    let record = desk.agent.record().clone();
    let (agent, _) = Agent::recover(record, &desk.cfg, at(1_000));
    assert_eq!(agent.next_due(), Some((at(66_000), AgentTimer::Slot(1))));
}

#[test]
fn another_reason_for_a_pause_is_another_stretch_of_time() {
    let mut desk = Desk::ready(&[A]);
    let since = |out: &AgentOut| match out.events.as_slice() {
        [Event::AgentStateChanged { view, .. }] => view.since,
        other => panic!("{other:?}"),
    };
    let pause = |reason: &str| AgentMessage::SetStatus(Chosen::Paused(reason.into()));
    desk.now = at(1_000);
    assert_eq!(since(&desk.say(pause("lunch"))), at(1_000));
    desk.now = at(5_000);
    assert_eq!(since(&desk.say(pause("meeting"))), at(5_000));
    // What is chosen during a talk does not cut the talk in two.
    let mut desk = Desk::connected(&[A]);
    desk.now = at(7_000);
    assert_eq!(since(&desk.say(pause("lunch"))), at(0));
}

#[test]
fn ready_without_a_phone_is_another_stretch_of_time() {
    let mut desk = Desk::ready(&[A]);
    desk.now = at(3_000);
    desk.say(AgentMessage::Device {
        device: DEVICE,
        online: false,
    });
    let view = desk.agent.view();
    assert_eq!((view.state, view.since), (State::Ready, at(3_000)));
}

#[test]
fn a_device_that_cannot_be_reached_is_no_miss_and_is_left_alone_for_a_while() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.end(1, OfferEnd::DeviceFailed);
    assert_eq!(
        (desk.state(), desk.agent.record().misses),
        (State::Ready, 0)
    );
    assert_eq!(
        presences(&out),
        [(A, false)],
        "the queue cannot ask again at once"
    );
    assert!(!desk.agent.view().device_online);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), None);
    let outs = desk.wait(10_000);
    assert_eq!(presences(&outs[0]), [(A, true)]);
    // A phone that registers anew, or a person who says so, need not wait.
    let mut desk = Desk::alerting(&[A]);
    desk.end(1, OfferEnd::DeviceFailed);
    let out = desk.say(AgentMessage::SetStatus(Chosen::Ready));
    assert_eq!(presences(&out), [(A, true)]);
}

#[test]
fn an_end_is_answered_with_the_truth_as_long_as_it_may_be_repeated() {
    let mut desk = Desk::connected(&[A]);
    desk.say(AgentMessage::End {
        number: 1,
        contact: ANNA,
        why: OfferEnd::CommitFailed,
    });
    for number in 2..=200 {
        desk.now = desk.now + Duration::from_millis(290);
        assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, number)));
        desk.say(AgentMessage::Release { number });
    }
    let truth = Some(Answer::Ended {
        was_connected: true,
    });
    assert_eq!(desk.end(1, OfferEnd::CommitFailed).answer, truth);
    desk.now = desk.now + Duration::from_secs(10);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 201)));
    desk.say(AgentMessage::Release { number: 201 });
    assert!(desk.agent.record().done.len() < 200, "but not for ever");
}

#[test]
fn a_new_owner_of_the_queue_is_told_that_the_agent_is_free() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.pass(A));
    assert_eq!(desk.agent.next_due(), None);
    let moved = |queue| AgentMessage::QueueMoved { queue, epoch: 2 };
    assert_eq!(presences(&desk.say(moved(A))), [(A, true)]);
    assert!(desk.say(moved(A)).send.is_empty(), "told once");
    assert!(
        desk.say(moved(B)).send.is_empty(),
        "not a queue of this agent"
    );
}

#[test]
fn whoever_logged_in_to_all_queues_serves_a_new_one_at_once() {
    let mut desk = Desk::ready(&[A]);
    let assigned = |queues: &[QueueId]| queues.iter().map(|q| Membership::new(*q)).collect();
    assert!(
        desk.say(AgentMessage::JoinQueues(assigned(&[B])))
            .send
            .is_empty()
    );
    desk.say(log_in_to(&[A], |log_in| log_in.all_queues = true));
    let out = desk.say(AgentMessage::JoinQueues(assigned(&[A, B])));
    assert_eq!(presences(&out), [(A, true), (B, true)]);
}

/// Two queues with the same weight and the same wait: over many versions each wins half of the draws.
#[test]
fn a_tie_is_drawn_fairly() {
    let mut desk = Desk::ready(&[A, B]);
    let mut wins = [0_u32; 2];
    for _ in 0..10_000 {
        desk.say(desk.bid(A, 1, 0));
        let out = desk.say(desk.bid(B, 1, 0));
        let (queue, number) = granted(&out).unwrap();
        wins[usize::from(queue == B)] += 1;
        desk.say(AgentMessage::Release { number });
    }
    let square = |n: u32| (f64::from(n) - 5_000.0).powi(2) / 5_000.0;
    let chi = wins.map(square).iter().sum::<f64>();
    // One degree of freedom: beyond 10.83 once in a thousand times. The draw has a fixed seed, so this is no gamble.
    assert!(chi < 10.83, "{wins:?}, chi square {chi}");
    assert_ne!(wins[0], 5_000, "a draw, not turns");
}
