//! What looks on while actors step: the decision log and the invariant monitor. Nothing here decides anything or holds an
//! actor up.

use crate::{
    decision_log::{self, Recording, rules::Step},
    monitor::{Onlooker, Seen, Watched},
    router::Router,
};
use centro_kernel::{TenantId, Timestamp};

/// Looks on at one actor.
pub struct Watch<R: Watched> {
    recording: Option<Box<Recording<R>>>,
    onlooker: Option<Onlooker<R>>,
}

/// What an actor heard, kept until its step is over.
pub struct Heard<R: Watched> {
    message: decision_log::Heard<R>,
    /// The message in a word, and what must be known of the moment before the step.
    seen: Option<(Seen, R::Before)>,
}

impl<R: Watched> Watch<R> {
    pub fn new(router: &Router, tenant: TenantId, id: R::Id) -> Self {
        let (recorder, monitor) = (router.recorder.clone(), router.monitor.clone());
        Self {
            onlooker: monitor.map(|monitor| Onlooker::new(monitor, tenant, id)),
            recording: recorder.map(|recorder| Box::new(Recording::new(recorder, tenant, id))),
        }
    }

    /// Before a record is taken over. Gives what [`Self::activated`] is to be given.
    pub fn keeps(&self, record: &R::Record) -> Option<R::Record> {
        self.recording.as_ref().map(|_| record.clone())
    }

    /// A record was taken over.
    pub fn activated(
        &mut self,
        now: Timestamp,
        settings: &R::Settings,
        epoch: u64,
        record: Option<R::Record>,
        out: &Step<R>,
    ) {
        if let (Some(recording), Some(record)) = (&mut self.recording, record) {
            recording.activated(now, settings.clone(), epoch, record, out.clone());
        }
    }

    /// Before a step. Gives what [`Self::step`] is to be given.
    pub fn hears(&mut self, now: Timestamp, core: &R, message: &R::Message) -> Heard<R> {
        let recording = self.recording.as_mut();
        let seen = self.onlooker.as_ref().map(|_| {
            let seen = R::heard(now, message);
            (seen, core.before(message))
        });
        Heard {
            seen,
            message: recording.and_then(|recording| recording.hears(now, core, message)),
        }
    }

    /// After a step, before it is stored.
    pub fn step(&mut self, now: Timestamp, heard: Heard<R>, core: &R, out: &Step<R>) {
        if let (Some(onlooker), Some((seen, before))) = (&mut self.onlooker, heard.seen) {
            onlooker.step(now, seen, &before, core, out);
        }
        if let Some(recording) = &mut self.recording {
            recording.step(now, heard.message, out);
        }
    }

    /// The actor's earliest deadline, as it armed its wake-up for it.
    pub fn is_due(&self, due: Option<Timestamp>) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.is_due(due);
        }
    }

    /// The actor ends; what it decided last was not carried out.
    pub fn stopped(&mut self, now: Timestamp) {
        if let Some(recording) = &mut self.recording {
            recording.stopped(now);
        }
    }
}
