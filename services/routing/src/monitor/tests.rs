//! What the monitor says of steps that went wrong, and of contacts in two places.

mod incidents;
#[cfg(feature = "mutants")]
mod planted;

use super::{
    contacts::{Contacts, Place},
    step::Watched,
    unseen::{Unlooked, Unseen},
};
use centro_kernel::{
    ContactId, QueueId, TenantId, Timestamp, UserId,
    contact::{LeftReason, Reservation},
};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentRecord, Answer, Attach, Bid, ContactKind, Deadlines,
    Event, LogIn, Membership, Presence, Profile, Queue, QueueMessage, QueueOut, QueueRecord,
    QueueSettings, Rank, SkillMatch, Strategy, invariants::Broken, reason::Decision,
};
use std::{sync::Arc, time::Duration};

const TENANT: TenantId = TenantId::from_u128(1);
const QUEUE: QueueId = QueueId::from_u128(1);
const BRUNO: UserId = UserId::from_u128(1);
const CARLA: UserId = UserId::from_u128(2);
const ANNA: ContactId = ContactId::from_u128(1);
const DARIO: ContactId = ContactId::from_u128(2);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1_000)
}

fn attach(contact: ContactId, seconds: i64) -> QueueMessage {
    QueueMessage::Attach(Attach {
        contact,
        attach_no: 1,
        enqueued_at: at(seconds),
        priority: 0,
        excluded: Vec::new(),
        holding: Vec::new(),
        needs: Arc::default(),
        kind: ContactKind::Call,
        caller: Arc::default(),
        edge: Arc::default(), // of no process, so that none is found dead
    })
}

fn presence() -> QueueMessage {
    QueueMessage::Presence(Presence {
        agent: BRUNO,
        ver: 1,
        member: true,
        free: true,
        standing: centro_routing_core::Standing::Ready,
        idle_since: at(0),
        logged_in_at: at(0),
        received_at: at(0),
        contacts: 0,
        talk: Duration::ZERO,
        load: 0,
        order: 0,
        skills: Default::default(),
        lost_to: None,
    })
}

/// Anna waits before Dario, and Bruno is asked for her.
fn queue() -> Queue {
    let (settings, cfg) = (QueueSettings::new(QUEUE), Deadlines::default());
    let mut queue = Queue::recover(settings, 1, QueueRecord::default(), &cfg, at(0));
    for message in [attach(ANNA, 1), attach(DARIO, 2), presence()] {
        queue.handle(&cfg, at(3), message);
    }
    queue
}

fn offered(contact: ContactId, picked_up: bool) -> Event {
    Event::ContactOffered {
        contact,
        queue: QUEUE,
        reservation: Reservation {
            agent: BRUNO,
            number: 1,
        },
        decision: Arc::new(Decision {
            version: 1,
            strategy: Strategy::LongestIdle,
            skill_match: SkillMatch::AllRequired,
            needs: Vec::new(),
            picked_up,
            candidates: Vec::new(),
            others: 0,
        }),
    }
}

fn judged(queue: &Queue, change: impl FnOnce(&mut QueueOut)) -> Option<Broken> {
    let before = queue.before(&QueueMessage::AskPosition { contact: ANNA });
    let mut out = QueueOut::default();
    change(&mut out);
    queue.judge(&before, &out).err().map(|(rule, _)| rule)
}

#[test]
fn who_is_offered_before_an_earlier_one_is_noticed_unless_a_person_wanted_it() {
    let queue = queue();
    let says = |event| judged(&queue, |out| out.events.push(event));
    assert_eq!(says(offered(DARIO, false)), Some(Broken::Overtaken));
    assert_eq!(says(offered(DARIO, true)), None);
    assert_eq!(says(offered(ANNA, false)), None);
}

#[test]
fn a_line_that_is_longer_than_what_was_told_is_noticed() {
    let queue = queue();
    let left = |reason| Event::ContactLeft {
        contact: ANNA,
        queue: QUEUE,
        agent: None,
        reason,
        enqueued_at: at(1),
        wait: Duration::ZERO,
    };
    let gone = left(LeftReason::Abandoned);
    assert_eq!(judged(&queue, |_| {}), None);
    let says = judged(&queue, |out| out.events.push(gone));
    assert_eq!(says, Some(Broken::SumsDiffer));
}

#[test]
fn an_answer_that_the_record_does_not_say_is_noticed() {
    let cfg = Deadlines::default();
    let (mut agent, _) = Agent::recover(AgentRecord::new(BRUNO, at(0)), &cfg, at(0));
    let log_in = LogIn {
        device: centro_kernel::DeviceId::from_u128(1),
        device_online: true,
        queues: vec![Membership::new(QUEUE)],
        all_queues: false,
        ready: true,
        desktop: false,
        profile: Profile::default(),
    };
    agent.handle(&cfg, at(1), AgentMessage::LogIn(Box::new(log_in)));
    let bid = Bid {
        queue: QUEUE,
        epoch: 1,
        ver: agent.record().ver,
        rank: Rank {
            weight: 1,
            enqueued_at: at(0),
        },
        terms: Arc::default(),
        pick_up: None,
    };
    let out = agent.handle(&cfg, at(1), AgentMessage::Bid(bid));
    let granted =
        |effect: &AgentEffect| matches!(effect, AgentEffect::Queue(_, QueueMessage::Grant(_)));
    assert!(out.send.iter().any(granted));
    let alert = AgentMessage::Alert {
        number: 1,
        contact: ANNA,
        edge_epoch: 0,
        edge: Arc::from("edge"),
        caller: Arc::default(),
        ring: Duration::from_secs(15),
    };
    let before = agent.before(&alert);
    let mut out = agent.handle(&cfg, at(2), alert);
    assert_eq!(agent.judge(&before, &out), Ok(()));
    out.answer = Some(Answer::ConnectOk);
    let said = agent.judge(&before, &out);
    assert_eq!(said, Err((Broken::FalseAnswer, Some(ANNA))));
}

#[test]
fn a_contact_in_two_places_is_suspected_and_let_go_when_it_was_on_its_way() {
    let contacts = Contacts::new(Arc::default());
    let tell = |seconds, place, is| contacts.tell(TENANT, at(seconds), ANNA, place, is);
    let (waits, bruno, carla) = (
        Place::Waits(QUEUE),
        Place::Talks(BRUNO),
        Place::Talks(CARLA),
    );
    let due = |seconds| -> Vec<_> {
        let due = contacts.due(at(seconds), 9);
        due.iter().map(|s| s.rule).collect()
    };
    tell(0, waits, true);
    tell(1, bruno, true); // connected; that it left is on its way
    tell(2, waits, false);
    assert_eq!(due(100), []);
    tell(101, waits, true); // back in line while the record still says that it talks
    assert_eq!(due(130), []);
    assert_eq!(due(131), [Broken::TwoStates]);
    assert_eq!(due(200), []);
    tell(201, waits, false);
    tell(202, carla, true);
    assert_eq!(due(203), []);
    // Who went and came again is there anew: this is not the overlap that was suspected.
    tell(203, carla, false);
    tell(203, waits, true);
    tell(203, waits, false);
    tell(204, carla, true);
    assert_eq!(due(205), []);
    assert_eq!(due(206), [Broken::TwoAgents]);
}

#[test]
fn suspicions_beyond_what_one_look_takes_wait_for_the_next_and_are_counted() {
    let unlooked = Arc::<Unlooked>::default();
    let contacts = Contacts::new(unlooked.clone());
    for contact in (1..=100).map(ContactId::from_u128) {
        for agent in [BRUNO, CARLA] {
            contacts.tell(TENANT, at(0), contact, Place::Talks(agent), true);
        }
        contacts.tell(TENANT, at(0), contact, Place::Waits(QUEUE), true);
    }
    let (mut found, mut said) = (Vec::new(), None);
    for seconds in 40..47 {
        let due = contacts.due(at(seconds), 32);
        assert!(due.len() <= 64, "{}", due.len());
        found.extend(due.iter().map(|s| (s.rule, s.contact)));
    }
    let of = |rule| found.iter().filter(|(r, _)| *r == rule).count();
    // Each waits beside two who talk.
    assert_eq!((of(Broken::TwoAgents), of(Broken::TwoStates)), (100, 200));
    let waited = (68 + 36 + 4) + (168 + 136 + 104 + 72 + 40 + 8);
    let news = unlooked.news(at(50), &mut said);
    assert_eq!(news, Some([waited, 0, 0, 0, 0]));
    // Once a minute, and then all that came since.
    unlooked.add(Unseen::Queue, 3);
    assert_eq!(unlooked.news(at(109), &mut said), None);
    unlooked.add(Unseen::Queue, 4);
    assert_eq!(unlooked.news(at(110), &mut said), Some([0, 0, 7, 0, 0]));
    assert_eq!(unlooked.news(at(170), &mut said), None);
}
