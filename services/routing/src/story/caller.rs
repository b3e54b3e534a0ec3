//! A caller: a real edge of the routing protocol, which speaks to routing's real doors as a call of telephony does.

mod doors;

pub use doors::Door;

use super::{
    log::Name,
    phone::{self, Party},
    plan,
    stage::{NODE, Stage, TENANT},
    text::Medium,
};
use centro_edge::{Bonds, Command, Edge, Effect, Phase, Timing};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{OfferEnd, Reservation},
};
use centro_proto::{
    routing::{AlertRequest, Attach, Exclusion, WaitRequest},
    types::{ContactKind, Party as WireParty},
};
use doors::Asker;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Messages that may wait for one caller.
const UNREAD: usize = 256;
/// What routing decides when a queue says nothing (spec D12).
const REJECT_DELAY: Duration = Duration::from_secs(10);

/// What a caller hears.
#[derive(Debug)]
pub enum Signal {
    /// For the edge.
    Edge(Command),
    /// The stream of an attachment is gone.
    StreamLost {
        /// Which queue.
        queue: QueueId,
        /// Which attachment.
        attach_no: u32,
    },
    /// The caller has talked enough with this agent.
    TalkedEnough(Reservation),
}

/// The way to a caller.
#[derive(Debug, Clone)]
pub struct Mailbox(mpsc::Sender<Signal>);

impl Mailbox {
    /// Tells the edge. A caller who is gone hears nothing.
    pub fn tell(&self, command: Command) {
        self.say(Signal::Edge(command));
    }

    fn say(&self, signal: Signal) {
        let _ = self.0.try_send(signal);
    }
}

struct Known {
    mailbox: Mailbox,
    bonds: Bonds,
}

/// Callers who are there.
#[derive(Default)]
pub struct Callers(Mutex<BTreeMap<ContactId, Known>>);

impl Callers {
    /// The way to a caller who is there.
    pub fn mailbox(&self, caller: ContactId) -> Option<Mailbox> {
        let all = self.0.lock();
        all.get(&caller).map(|known| known.mailbox.clone())
    }

    /// Whether a caller has this agent.
    fn has(&self, caller: ContactId, reservation: Reservation) -> bool {
        let all = self.0.lock();
        all.get(&caller)
            .is_some_and(|known| known.bonds.reservations.contains(&reservation))
    }

    fn keep(&self, caller: ContactId, bonds: Bonds) {
        if let Some(known) = self.0.lock().get_mut(&caller) {
            known.bonds = bonds;
        }
    }
}

/// A caller comes.
pub fn come(stage: &Arc<Stage>, plan: plan::Caller) {
    let (sender, signals) = mpsc::channel(UNREAD);
    let mailbox = Mailbox(sender);
    let known = Known {
        mailbox: mailbox.clone(),
        bonds: Bonds::default(),
    };
    stage.callers.0.lock().insert(plan.id, known);
    let now = stage.now();
    let caller = Caller {
        asker: Asker {
            stage: stage.clone(),
            contact: plan.id,
            mailbox,
        },
        chat: stage.rules(plan.queue).medium == Some(Medium::Chat),
        gives_up: plan.patience.map(|patience| now + patience),
        times_out: plan.timeout.map(|timeout| now + timeout),
        edge: Edge::new(Timing::default()),
        queue: plan.queue,
        streams: BTreeMap::new(),
        attaches: BTreeMap::new(),
        plan,
    };
    tokio::spawn(caller.live(signals));
}

/// One caller.
struct Caller {
    plan: plan::Caller,
    asker: Asker,
    edge: Edge,
    /// Where it waits, or waited last.
    queue: QueueId,
    chat: bool,
    /// When the caller has waited enough.
    gives_up: Option<Timestamp>,
    /// When the Queue node has.
    times_out: Option<Timestamp>,
    /// The open streams, by attachment.
    streams: BTreeMap<u32, (QueueId, mpsc::Sender<WaitRequest>)>,
    /// What opened them: a `Left` that was lost with its stream needs a new one.
    attaches: BTreeMap<u32, (QueueId, Attach)>,
}

impl Caller {
    async fn live(mut self, mut signals: mpsc::Receiver<Signal>) {
        self.wait_in(self.plan.queue);
        self.drive(Command::Arrive(self.plan.queue));
        while !(matches!(self.edge.phase(), Phase::Gone(_)) && self.edge.done()) {
            let wake = self.due().map(|due| due.since(self.asker.stage.now()));
            tokio::select! {
                biased;
                signal = signals.recv() => match signal {
                    Some(signal) => self.hear(signal),
                    None => return,
                },
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.wake(),
            }
        }
        self.asker.stage.callers.0.lock().remove(&self.plan.id);
    }

    /// Waits by this queue's settings.
    fn wait_in(&mut self, queue: QueueId) {
        self.queue = queue;
        let delay = self.asker.stage.rules(queue).reject_delay;
        let delay = delay.map_or(REJECT_DELAY, |delay| delay.0);
        self.edge.set_reject_delay(delay);
    }

    fn due(&self) -> Option<Timestamp> {
        let waits = self.edge.phase() == Phase::Waiting;
        let own = [self.gives_up, self.times_out].into_iter().flatten();
        own.filter(|_| waits).chain(self.edge.next_due()).min()
    }

    fn wake(&mut self) {
        let now = self.asker.stage.now();
        if self.edge.phase() == Phase::Waiting {
            if self.times_out.take_if(|at| *at <= now).is_some() {
                self.drive(Command::TimedOut);
            }
            if self.gives_up.take_if(|at| *at <= now).is_some() {
                self.drive(Command::HungUp);
            }
        }
        self.drive(Command::Tick);
    }

    fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Edge(command) => self.drive(command),
            Signal::StreamLost { queue, attach_no } => {
                if self.streams.remove(&attach_no).is_some() {
                    self.drive(Command::QueueLost { queue, attach_no });
                }
            }
            Signal::TalkedEnough(reservation) => {
                if self.edge.phase() == Phase::Connected(reservation) {
                    self.drive(Command::HungUp);
                }
            }
        }
    }

    /// Tells the edge and does what it asks.
    fn drive(&mut self, command: Command) {
        if let Command::LeftOk { queue, attach_no } = command {
            self.forget(queue, attach_no);
        }
        let now = self.asker.stage.now();
        let effects = self.edge.handle(now, command);
        let bonds = self.edge.bonds();
        self.asker.stage.callers.keep(self.plan.id, bonds);
        for effect in effects {
            self.carry_out(now, effect);
        }
    }

    fn carry_out(&mut self, now: Timestamp, effect: Effect) {
        let stage = self.asker.stage.clone();
        match effect {
            Effect::Attach {
                queue,
                attach_no,
                enqueued_at,
                excluded,
                holding,
            } => {
                self.wait_in(queue);
                let attach = self.attach(queue, attach_no, enqueued_at, excluded, &holding);
                self.attaches.retain(|no, _| *no + 8 > attach_no);
                self.attaches.insert(attach_no, (queue, attach));
                self.open(attach_no);
            }
            Effect::OfferEnded {
                attach_no,
                reservation,
                exclude_for,
                why,
                ..
            } => {
                let said = doors::offer_ended(attach_no, reservation, exclude_for, why);
                self.say(attach_no, said);
            }
            Effect::Left {
                attach_no,
                reason,
                agent,
                ..
            } => {
                self.open(attach_no);
                self.say(attach_no, doors::left(attach_no, reason, agent));
            }
            Effect::Alert(reservation) => self.alert(now, reservation),
            Effect::Connect(reservation) => self.asker.connect(reservation),
            Effect::End { reservation, why } => self.asker.end(reservation, why),
            Effect::Ring(reservation) => phone::ring(&stage, reservation, self.party()),
            // A story has no sound: a briefing takes all of its time.
            Effect::Brief(_) => {}
            Effect::Stop { reservation, why } => phone::stop(&stage, reservation, why),
            Effect::Bridge(reservation) => {
                phone::bridge(&stage, reservation);
                self.talk(reservation);
            }
            Effect::Out(_) => {}
        }
    }

    fn party(&self) -> Party {
        Party {
            caller: self.plan.name.clone(),
            chat: self.chat,
            mailbox: self.asker.mailbox.clone(),
        }
    }

    /// The caller hangs up when the talk was long enough.
    fn talk(&self, reservation: Reservation) {
        let Some(talks) = self.plan.talks else { return };
        let mailbox = self.asker.mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(talks).await;
            mailbox.say(Signal::TalkedEnough(reservation));
        });
    }

    fn alert(&self, now: Timestamp, reservation: Reservation) {
        // What is left of the offer, so that the agent's record waits as long as this phone may ring and be briefed.
        let alerts_until = self.edge.alert_until(reservation);
        let ring_for = alerts_until.map(|due| due.since(now)).unwrap_or_default();
        let request = AlertRequest {
            tenant_id: TENANT.to_string(),
            reservation: Some(crate::wire::reservation_out(reservation)),
            contact_id: self.plan.id.to_string(),
            edge: NODE.to_owned(),
            queue_id: self.queue.to_string(),
            caller: Some(wire_party(&self.plan.name)),
            ring_timeout: Some(crate::wire::span(ring_for)),
            edge_epoch: 0,
        };
        self.asker.alert(reservation, request, self.chat);
    }

    fn attach(
        &self,
        queue: QueueId,
        attach_no: u32,
        enqueued_at: Timestamp,
        excluded: Vec<(UserId, Duration)>,
        holding: &[Reservation],
    ) -> Attach {
        let kind = match self.chat {
            true => ContactKind::Chat,
            false => ContactKind::Call,
        };
        let excluded = excluded.into_iter().map(|(agent, left)| Exclusion {
            agent_id: agent.to_string(),
            remaining: Some(crate::wire::span(left)),
        });
        let holding = holding.iter().copied();
        Attach {
            tenant_id: TENANT.to_string(),
            queue_id: queue.to_string(),
            contact_id: self.plan.id.to_string(),
            attach_no,
            enqueue_time: Some(crate::wire::time(enqueued_at)),
            priority: self.plan.priority,
            excluded: excluded.collect(),
            holding: holding.map(crate::wire::reservation_out).collect(),
            edge: NODE.to_owned(),
            caller: Some(wire_party(&self.plan.name)),
            dialled: String::new(),
            needs: Some(doors::needs(&self.plan.needs)),
            kind: kind.into(),
        }
    }

    /// Opens the stream of an attachment unless it is open.
    fn open(&mut self, attach_no: u32) {
        if self.streams.contains_key(&attach_no) {
            return;
        }
        if let Some((queue, attach)) = self.attaches.get(&attach_no) {
            let stream = self.asker.open(*queue, attach.clone());
            self.streams.insert(attach_no, (*queue, stream));
        }
    }

    fn say(&self, attach_no: u32, message: WaitRequest) {
        if let Some((_, stream)) = self.streams.get(&attach_no) {
            // A stream that is stuck is repeated by the edge.
            let _ = stream.try_send(message);
        }
    }

    fn forget(&mut self, queue: QueueId, up_to: u32) {
        self.streams.retain(|no, (q, _)| *q != queue || *no > up_to);
        self.attaches
            .retain(|no, (q, _)| *q != queue || *no > up_to);
    }
}

fn wire_party(name: &Name) -> WireParty {
    WireParty {
        number: String::new(),
        display_name: name.to_string(),
    }
}
