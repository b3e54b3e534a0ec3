//! A call's life: mailbox, deadlines, dial plan steps, end.

use crate::{
    call::{
        Context, Goal, Incoming, Signal,
        briefing::Briefing,
        guard::Ledger,
        leg::{CALLER, LegCommand, LegEvent, LegHandle, LegId},
        queued::Streams,
        ring::Party,
        sound::{Sound, SoundEvent},
        talk::Talk,
        wait::Asker,
    },
    core::dialplan::{Outcome, RING_DEFAULT, Step, Walk},
    directory::Target,
    timings,
    ua::{admission::Admitted, invite::Origin},
};
use centro_edge::{Command, Edge, Timing};
use centro_kernel::{
    CallId, ContactId, DeviceId, QueueId, TenantId, Timestamp, contact::Reservation,
};
use centro_media::PlaybackId;
use centro_proto::{
    configuration::DialPlan,
    events::CallArrived,
    types::{self, EndedBy},
};
use rsipstack::sip::StatusCode;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;

/// How much longer than a clip its playback may take.
const CLIP_SLACK: Duration = Duration::from_secs(2);

/// What the call does now.
#[derive(Debug)]
pub(super) enum Stage {
    /// Before the first step.
    New,
    /// A dial plan's clip plays.
    Playing {
        /// Which; none when there is no such clip.
        what: Option<PlaybackId>,
        /// When it must be over. Its end may not be told: a peer that agreed to nothing hears nothing.
        until: Timestamp,
    },
    /// In a queue.
    Queued {
        /// When the node's time is up.
        until: Option<Timestamp>,
    },
    /// A device rings, without a queue.
    Dialling {
        /// Until when.
        until: Timestamp,
    },
    /// Two parties talk.
    Talking,
    /// A feature code is being obeyed, or its answer plays.
    Feature {
        /// The answer, once it plays.
        what: Option<PlaybackId>,
        /// When it must be over.
        until: Timestamp,
    },
    /// The caller's leg is ending or gone.
    Closing,
}

impl Stage {
    /// Whether this stage is over when that playback is.
    fn ends_with(&self, id: PlaybackId) -> bool {
        match self {
            Self::Playing { what, .. } | Self::Feature { what, .. } => *what == Some(id),
            _ => false,
        }
    }
}

pub(super) struct Call {
    pub(super) context: Arc<Context>,
    pub(super) tenant: TenantId,
    pub(super) contact: ContactId,
    pub(super) id: CallId,
    pub(super) caller: types::Party,
    pub(super) dialled: String,
    pub(super) mailbox: mpsc::Sender<Signal>,
    pub(super) asker: Asker,
    pub(super) leg: LegHandle,
    pub(super) sound: Option<Sound>,
    pub(super) answered: bool,
    /// Whether an agent was ever offered it.
    offered: bool,
    pub(super) stage: Stage,
    pub(super) edge: Edge,
    /// The edge's bonds, for who asks from outside.
    pub(super) ledger: Ledger,
    pub(super) streams: Streams,
    pub(super) queue: Option<QueueId>,
    pub(super) language: String,
    pub(super) announce_at: Option<Timestamp>,
    /// Parties that were called, ringing or joined.
    pub(super) parties: BTreeMap<LegId, Party>,
    pub(super) devices: HashMap<Reservation, DeviceId>,
    /// What the agents are to hear, of offers that are open.
    pub(super) briefings: HashMap<Reservation, Briefing>,
    pub(super) talk: Option<Talk>,
    /// Parties that were asked whether they are still there and have not answered.
    pub(super) asked: BTreeSet<LegId>,
    /// Parties that ever answered that question, and how often in a row the others and they did not.
    pub(super) answering: BTreeSet<LegId>,
    pub(super) unanswered: BTreeMap<LegId, u32>,
    /// What is left of a talk that is over: for the event at the end.
    pub(super) past: crate::call::talk::Past,
    pub(super) ended_by: Option<EndedBy>,
    origin: Origin,
    goal: Option<Goal>,
    source: Option<IpAddr>,
    pub(super) silence_at: Option<Timestamp>,
    offer: String,
    walk: Option<(Arc<DialPlan>, Walk)>,
    legs: u32,
    pub(super) started: Timestamp,
    pub(super) closed: Option<Timestamp>,
    /// Whether the edge knows that the caller is gone.
    pub(super) told: bool,
    /// The caller's leg said its last word.
    pub(super) gone: bool,
    pub(super) admitted: Option<Admitted>,
}

impl Call {
    pub(super) fn new(
        context: Arc<Context>,
        contact: ContactId,
        incoming: Incoming,
        leg: LegHandle,
        offer: String,
        mailbox: mpsc::Sender<Signal>,
        ledger: Ledger,
    ) -> Self {
        let tenant = incoming.tenant;
        let asker = Asker {
            context: context.clone(),
            tenant,
            contact,
            mailbox: mailbox.clone(),
        };
        Self {
            started: context.clock.now(),
            tenant,
            contact,
            id: CallId::generate(),
            caller: incoming.caller,
            dialled: incoming.dialled,
            mailbox,
            asker,
            leg,
            sound: None,
            answered: false,
            offered: false,
            stage: Stage::New,
            edge: Edge::new(Timing::default()),
            ledger,
            streams: Streams::default(),
            queue: None,
            language: "en".to_owned(),
            announce_at: None,
            parties: BTreeMap::new(),
            devices: HashMap::new(),
            briefings: HashMap::new(),
            talk: None,
            asked: BTreeSet::new(),
            answering: BTreeSet::new(),
            unanswered: BTreeMap::new(),
            past: Default::default(),
            ended_by: None,
            origin: incoming.origin,
            goal: Some(incoming.goal),
            source: incoming.source,
            silence_at: None,
            offer,
            walk: None,
            legs: 0,
            closed: None,
            context,
            told: false,
            gone: false,
            admitted: Some(incoming.admitted),
        }
    }

    /// Lives until the caller is gone and routing knows everything.
    pub(super) async fn live(mut self, mut letters: mpsc::Receiver<Signal>) {
        let stopping = self.context.lifecycle.stopping();
        self.arrive();
        self.open().await;
        loop {
            if self.closed.is_some() && !self.told {
                self.told = true;
                self.drive(Command::HungUp).await;
            }
            if self.over() {
                return;
            }
            let sleep = self.next_due().map(|at| at.since(self.now()));
            tokio::select! {
                letter = letters.recv() => match letter {
                    Some(signal) => self.on(signal).await,
                    None => return,
                },
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => self.on_time().await,
                () = stopping.cancelled(), if !matches!(self.stage, Stage::Closing) => {
                    self.close(EndedBy::System);
                }
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    fn arrive(&self) {
        let (trunk_id, device_id) = match &self.origin {
            Origin::Trunk(trunk) => (trunk.id.to_string(), String::new()),
            Origin::Device(device) => (String::new(), device.id.to_string()),
        };
        let event = CallArrived {
            contact_id: self.contact.to_string(),
            call_id: self.id.to_string(),
            caller: Some(self.caller.clone()),
            dialled: self.dialled.clone(),
            trunk_id,
            device_id,
        };
        self.context.notifier.tell(
            Some(self.tenant),
            "telephony.call.arrived",
            self.contact,
            &event,
        );
    }

    /// Opens the caller's media and takes the first step.
    async fn open(&mut self) {
        match Sound::open(
            &self.context.media,
            CALLER,
            self.source,
            None,
            self.mailbox.clone(),
        ) {
            Ok(sound) => self.sound = Some(sound),
            Err(error) => {
                tracing::error!(%error, "no media for a call; are there free RTP ports?");
                self.leg
                    .tell(LegCommand::Reject(StatusCode::ServiceUnavailable));
                self.close(EndedBy::System);
                return;
            }
        }
        match self.goal.take() {
            Some(Goal::Target(Target::Plan(plan))) => {
                let (walk, step) = Walk::enter(&plan);
                self.walk = Some((plan, walk));
                self.step(step).await;
            }
            Some(Goal::Target(Target::Queue(queue))) => {
                self.step(Step::Queue {
                    queue,
                    timeout: None,
                })
                .await
            }
            Some(Goal::Target(Target::Device(device))) => {
                let extension = device.extension.clone();
                self.step(Step::Dial {
                    extension,
                    timeout: RING_DEFAULT,
                })
                .await;
            }
            Some(Goal::Feature(feature)) => self.obey(feature),
            None => self.close(EndedBy::System),
        }
    }

    pub(super) async fn step(&mut self, step: Step) {
        match step {
            Step::Play { clip, language } => {
                if !self.answer() {
                    return;
                }
                self.language = language;
                let (what, until) = self.play(&clip);
                self.stage = Stage::Playing { what, until };
            }
            Step::Queue { queue, timeout } => self.enter_queue(queue, timeout).await,
            Step::Dial { extension, timeout } => self.dial(&extension, timeout).await,
            Step::HangUp => {
                if !self.answered {
                    self.leg
                        .tell(LegCommand::Reject(StatusCode::TemporarilyUnavailable));
                }
                self.close(EndedBy::System);
            }
        }
    }

    /// The present node is done: the next one, or the end.
    pub(super) async fn leave_node(&mut self, outcome: Outcome) {
        if matches!(self.stage, Stage::Closing) {
            return;
        }
        let step = match &mut self.walk {
            Some((plan, walk)) => walk.next(plan, outcome),
            None => Step::HangUp,
        };
        Box::pin(self.step(step)).await;
    }

    /// Answers the caller, once. False when that came to nothing and the call ends.
    pub(super) fn answer(&mut self) -> bool {
        if self.answered {
            return true;
        }
        let Some(sound) = &self.sound else {
            return false;
        };
        let sdp = if self.offer.is_empty() {
            Some(sound.offer(None))
        } else {
            sound.answer(&self.offer)
        };
        let Some(sdp) = sdp else {
            self.leg
                .tell(LegCommand::Reject(StatusCode::NotAcceptableHere));
            self.close(EndedBy::System);
            return false;
        };
        self.leg.tell(LegCommand::Accept(sdp));
        self.answered = true;
        timings::set_up(self.now().since(self.started));
        sound.touch();
        let silence = self.context.settings.silence;
        self.silence_at = (!silence.is_zero()).then(|| self.now() + silence);
        true
    }

    async fn on(&mut self, signal: Signal) {
        match signal {
            Signal::Leg(CALLER, event) => self.on_caller(event).await,
            Signal::Leg(leg, event) => self.on_party(leg, event).await,
            Signal::Sound(leg, event) => self.on_sound(leg, event).await,
            Signal::Edge(command) => self.drive(command).await,
            Signal::Offer(command, reservation, briefing) => {
                self.drive(command).await;
                if self.edge.leg(reservation).is_some()
                    && !std::mem::replace(&mut self.offered, true)
                {
                    timings::dispatched(self.now().since(self.edge.enqueued_at()));
                }
                if self.edge.leg(reservation).is_some() && !briefing.limit.is_zero() {
                    self.briefings.insert(reservation, briefing);
                }
            }
            Signal::AlertOk(reservation, device) => {
                self.devices.insert(reservation, device);
                self.drive(Command::AlertOk(reservation)).await;
            }
            Signal::Place(place) => self.say_place(place),
            Signal::StreamLost {
                queue,
                attach_no,
                opened,
            } => {
                self.on_stream_lost(queue, attach_no, opened).await;
            }
            Signal::FeatureDone(done) => self.feature_done(done),
        }
    }

    async fn on_caller(&mut self, event: LegEvent) {
        match event {
            LegEvent::Confirmed(sdp) => {
                // The INVITE had no offer: ours was in the 200, the answer is in the ACK.
                if self.offer.is_empty()
                    && let Some(sound) = &self.sound
                    && !sdp.is_some_and(|sdp| sound.accept(&sdp))
                {
                    self.close(EndedBy::System);
                }
            }
            LegEvent::Offered(sdp, handle) => self.renegotiate(CALLER, sdp, handle),
            LegEvent::Digit(digit) => {
                self.pass_digit(CALLER, digit);
                self.on_sound(CALLER, SoundEvent::Digit(digit)).await;
            }
            LegEvent::Probed(said) => self.probed(CALLER, said),
            LegEvent::Ended => {
                self.gone = true;
                let by = if matches!(self.stage, Stage::Closing) {
                    EndedBy::System
                } else {
                    EndedBy::Caller
                };
                self.close(by);
            }
            LegEvent::Ringing | LegEvent::Answered(_) | LegEvent::Refused(_) => {}
        }
    }

    async fn on_sound(&mut self, leg: LegId, event: SoundEvent) {
        match event {
            SoundEvent::Digit('*')
                if leg == CALLER && matches!(self.stage, Stage::Queued { .. }) =>
            {
                self.drive(Command::Star).await;
            }
            SoundEvent::Digit(_) => {}
            // Another playback's end comes late: the node has changed since. After an announcement the music goes on by itself.
            SoundEvent::Played(id) if leg == CALLER && self.stage.ends_with(id) => {
                match self.stage {
                    Stage::Playing { .. } => self.leave_node(Outcome::Done).await,
                    _ => self.close(EndedBy::System),
                }
            }
            SoundEvent::Played(_) if leg == CALLER => {}
            SoundEvent::Played(id) => self.played_to_party(leg, id).await,
        }
    }

    /// Plays a clip to the caller: which playback it is, and when it must be over at the latest.
    pub(super) fn play(&self, clip: &str) -> (Option<PlaybackId>, Timestamp) {
        let played = self
            .sound
            .as_ref()
            .and_then(|sound| sound.play_clip(clip, &self.language));
        match played {
            Some((id, length)) => (Some(id), self.now() + length + CLIP_SLACK),
            None => (None, self.now()),
        }
    }

    pub(super) fn next_leg(&mut self) -> LegId {
        self.legs += 1;
        LegId(self.legs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_media::{Media, MediaSettings, Playlist, Repeat};

    #[tokio::test]
    async fn only_the_end_of_its_own_clip_ends_a_node() {
        let settings = MediaSettings {
            bind: [127, 0, 78, 1].into(),
            threads: 1,
            ..MediaSettings::default()
        };
        let media = Media::start(settings).unwrap();
        let (leg, _events) = media.open_leg(None).unwrap();
        let [late, own] = [0; 2].map(|_| leg.play(Playlist::default(), Repeat::Once));
        let (what, until) = (Some(own), Timestamp::from_millis(0));
        for stage in [
            Stage::Playing { what, until },
            Stage::Feature { what, until },
        ] {
            assert!(stage.ends_with(own) && !stage.ends_with(late), "{stage:?}");
        }
        for stage in [Stage::Queued { until: None }, Stage::Talking] {
            assert!(!stage.ends_with(own) && !stage.ends_with(late), "{stage:?}");
        }
    }
}
