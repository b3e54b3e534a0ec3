//! The hall: a queue, the time, people who say and grant what a test tells them to, and the words to read what comes out.
//! After every step the queue is held against a plain recomputation of all that it keeps (`check`).

mod ageing;
mod award;
mod check;
mod costs;
mod histories;
mod limits;
mod order;
mod people;
mod promise;
mod ringing;
mod skills;
mod strategies;
mod supervise;
mod table;
mod waiting;

use super::*;
use crate::{
    Event,
    message::{
        AgentMessage, Answer, Attach, Bid, Caller, ContactKind, EdgeMessage, Grant, NoPickUp,
        PickUp, Presence, QueueChange, QueueEffect, Rank,
    },
    settings::{Ageing, EmptyRule, Standing, Standings, Terms},
    skills::{Comparison, Need, Needs, SkillMatch, Skills, Step},
};
use centro_kernel::{QueueId, SkillId, UserId, contact::OfferEnd};
use std::{collections::BTreeSet, time::Duration};

const QUEUE: QueueId = QueueId::from_u128(1);
const FRENCH: SkillId = SkillId::from_u128(1);
const ITALIAN: SkillId = SkillId::from_u128(2);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}
const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
fn contact(n: u128) -> ContactId {
    ContactId::from_u128(n)
}
fn agent(n: u128) -> UserId {
    UserId::from_u128(n)
}
fn reservation(n: u128, number: u64) -> Reservation {
    let agent = agent(n);
    Reservation { agent, number }
}

/// The defaults of spec §2.2, but a contact is offered again at once.
fn settings() -> QueueSettings {
    QueueSettings {
        weight: Some(5),
        retry_delay: Duration::ZERO,
        ..QueueSettings::new(QUEUE)
    }
}

fn with(strategy: Strategy) -> QueueSettings {
    QueueSettings {
        strategy,
        ..settings()
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

const fn speaks(skill: SkillId, level: u8) -> Need {
    Need {
        skill,
        comparison: Comparison::AtLeast,
        level,
    }
}

/// Steps of needs, each with the seconds that it lasts.
fn steps<const N: usize>(steps: [(&[Need], Option<u64>); N]) -> Arc<Needs> {
    let steps = steps.map(|(needs, lasts)| Step {
        needs: needs.to_vec(),
        lasts: lasts.map(secs),
    });
    let steps = steps.to_vec();
    Arc::new(Needs { steps })
}

/// Who is ready. A higher number logged in earlier, and has been idle for a shorter time.
fn person(n: u128) -> Presence {
    let n_ms = i64::try_from(n).unwrap();
    let logged_in_at = at(100_000 - n_ms);
    Presence {
        agent: agent(n),
        ver: 0,
        member: true,
        free: true,
        standing: Standing::Ready,
        idle_since: at(200_000 + n_ms),
        logged_in_at,
        received_at: logged_in_at,
        contacts: 0,
        talk: Duration::ZERO,
        load: 0,
        order: 0,
        skills: Skills::default(),
        lost_to: None,
    }
}

struct Hall {
    queue: Queue,
    cfg: Deadlines,
    now: Timestamp,
    numbers: u64,
    people: BTreeMap<u128, Presence>,
    /// Off where a test counts what a step costs.
    checks: bool,
}

impl Hall {
    /// A queue that was just taken over: agents did not have time yet to say that they are here.
    fn taken_over(settings: QueueSettings, record: QueueRecord, now: Timestamp) -> Self {
        let cfg = Deadlines::default();
        let queue = Queue::recover(settings, 1, record, &cfg, now);
        Self {
            queue,
            cfg,
            now,
            numbers: 0,
            people: BTreeMap::new(),
            checks: true,
        }
    }

    fn with(settings: QueueSettings) -> Self {
        let mut hall = Self::taken_over(settings, QueueRecord::default(), at(0));
        hall.say(QueueMessage::Timer(QueueTimer::Settle));
        hall
    }

    fn new() -> Self {
        Self::with(settings())
    }

    /// What a new owner finds.
    fn record(&self) -> QueueRecord {
        let entries = self.queue.in_order();
        QueueRecord {
            entries: entries
                .map(|entry| (entry.contact, Arc::new(entry.clone())))
                .collect(),
            left: self.queue.left.iter().map(|(c, g)| (*c, *g)).collect(),
        }
    }

    /// Another owner takes over, now.
    fn take_over(&mut self) {
        let (settings, epoch) = (self.queue.settings.clone(), self.queue.epoch + 1);
        self.queue = Queue::recover(settings, epoch, self.record(), &self.cfg, self.now);
    }

    fn say(&mut self, message: QueueMessage) -> QueueOut {
        let out = self.queue.handle(&self.cfg, self.now, message);
        if self.checks {
            self.queue.check();
        }
        out
    }

    fn wait(&mut self, ms: u64) -> Vec<QueueOut> {
        let until = self.now + Duration::from_millis(ms);
        let mut outs = vec![];
        while let Some((due, timer)) = self.queue.next_due().filter(|(due, _)| *due <= until) {
            self.now = due.max(self.now);
            outs.push(self.say(QueueMessage::Timer(timer)));
            assert!(outs.len() < 100_000, "a storm of {timer:?}");
        }
        self.now = until;
        outs
    }

    fn attach(&mut self, attach: Attach) -> QueueOut {
        self.say(QueueMessage::Attach(attach))
    }

    fn arrive(&mut self, n: u128) -> QueueOut {
        self.attach(attach(n, 1, self.now.as_millis()))
    }

    fn arrive_with(&mut self, n: u128, but: impl FnOnce(&mut Attach)) -> QueueOut {
        let mut attach = attach(n, 1, self.now.as_millis());
        but(&mut attach);
        self.attach(attach)
    }

    /// Comes back, now and with nothing in hand.
    fn return_(&mut self, n: u128) -> QueueOut {
        let entry = self.queue.entry(contact(n)).unwrap();
        let again = Attach {
            priority: entry.priority,
            needs: entry.needs.clone(),
            kind: entry.kind,
            ..attach(n, entry.attach_no + 1, entry.enqueued_at.as_millis())
        };
        self.attach(again)
    }

    /// A person's own record says that something changed.
    fn tell(&mut self, n: u128, but: impl FnOnce(&mut Presence)) -> QueueOut {
        let presence = self.people.entry(n).or_insert_with(|| person(n));
        presence.ver += 1;
        presence.lost_to = None;
        but(presence);
        let presence = presence.clone();
        self.say(QueueMessage::Presence(presence))
    }

    fn ready(&mut self, n: u128) -> QueueOut {
        self.tell(n, |p| {
            (p.member, p.free, p.standing) = (true, true, Standing::Ready);
        })
    }

    fn ready_with(&mut self, n: u128, skills: &[(SkillId, u8)]) -> QueueOut {
        self.tell(n, |p| {
            (p.member, p.free, p.standing) = (true, true, Standing::Ready);
            p.skills = skills.iter().copied().collect();
        })
    }

    /// Logged in, but takes nothing.
    fn stands(&mut self, n: u128, standing: Standing) -> QueueOut {
        self.tell(n, |p| {
            (p.member, p.free, p.standing) = (true, false, standing);
        })
    }

    fn logs_out(&mut self, n: u128) -> QueueOut {
        self.tell(n, |p| {
            (p.member, p.free, p.standing) = (false, false, Standing::default());
        })
    }

    fn presence(&mut self, n: u128, ver: u64, free: bool) -> QueueOut {
        self.people.entry(n).or_insert_with(|| person(n)).ver = ver - 1;
        self.tell(n, |p| p.free = free)
    }

    /// The record of a person grants the bid that it has.
    fn grant(&mut self, n: u128, ver: u64) -> (Reservation, QueueOut) {
        self.grant_with(n, ver, |_| {})
    }

    fn grant_with(
        &mut self,
        n: u128,
        ver: u64,
        but: impl FnOnce(&mut Grant),
    ) -> (Reservation, QueueOut) {
        self.numbers += 1;
        let reservation = reservation(n, self.numbers);
        let mut grant = Grant {
            reservation,
            ver,
            epoch: self.queue.epoch,
            free: false,
            pick_up: None,
        };
        but(&mut grant);
        if let Some(presence) = self.people.get_mut(&n) {
            presence.ver = ver + 1;
            presence.free = grant.free;
        }
        (reservation, self.say(QueueMessage::Grant(grant)))
    }

    /// The same for the version that the person is at.
    fn take(&mut self, n: u128) -> (Reservation, QueueOut) {
        let ver = self.people[&n].ver;
        self.grant(n, ver)
    }

    fn offer_ended(&mut self, n: u128, reservation: Reservation, why: OfferEnd) -> QueueOut {
        self.say(QueueMessage::OfferEnded {
            contact: contact(n),
            reservation,
            exclude_for: None,
            why,
        })
    }

    fn left(&mut self, n: u128, reason: LeftReason) -> QueueOut {
        self.left_with(n, reason, None)
    }

    /// The contact leaves; its edge says who answered.
    fn left_with(&mut self, n: u128, reason: LeftReason, by: Option<u128>) -> QueueOut {
        let attach_no = self.queue.entry(contact(n)).map_or(1, |e| e.attach_no);
        self.say(QueueMessage::Left {
            contact: contact(n),
            attach_no,
            reason,
            agent: by.map(agent),
        })
    }

    fn detach(&mut self, n: u128) -> QueueOut {
        let attach_no = self.queue.entry(contact(n)).unwrap().attach_no;
        self.say(QueueMessage::Detached {
            contact: contact(n),
            attach_no,
        })
    }

    fn configure(&mut self, but: impl FnOnce(&mut QueueSettings)) -> QueueOut {
        let mut settings = self.queue.settings.clone();
        but(&mut settings);
        self.say(QueueMessage::Configure(Box::new(settings)))
    }

    fn entry(&self, n: u128) -> &Entry {
        self.queue.entry(contact(n)).unwrap()
    }

    fn waits(&self, n: u128) -> bool {
        self.queue.entry(contact(n)).is_some()
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

fn the_bid(out: &QueueOut) -> Option<Bid> {
    out.send.iter().find_map(|e| match e {
        QueueEffect::Agent(_, AgentMessage::Bid(bid)) => Some(bid.clone()),
        _ => None,
    })
}

fn rank(out: &QueueOut) -> Option<Rank> {
    the_bid(out).map(|bid| bid.rank)
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

/// Who left in this step, and why.
fn gone(out: &QueueOut) -> Vec<(u128, LeftReason)> {
    let left = |e: &Event| match e {
        Event::ContactLeft {
            contact, reason, ..
        } => Some((contact.as_u128(), *reason)),
        _ => None,
    };
    out.events.iter().filter_map(left).collect()
}

/// Who left in these steps, and why.
fn all_gone(outs: &[QueueOut]) -> Vec<(u128, LeftReason)> {
    outs.iter().flat_map(gone).collect()
}

/// What these contacts' edges are told about not being taken.
fn not_taken(out: &QueueOut) -> Vec<(u128, LeftReason)> {
    let told = |e: &QueueEffect| match e {
        QueueEffect::Edge(c, EdgeMessage::NotTaken { reason, .. }) => Some((c.as_u128(), *reason)),
        _ => None,
    };
    out.send.iter().filter_map(told).collect()
}
