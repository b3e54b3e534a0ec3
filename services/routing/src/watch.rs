//! What looks on while actors step: the decision log. Nothing here decides anything or holds an actor up.

use crate::{
    decision_log::{
        self, Recording,
        rules::{Rules, Step},
    },
    router::Router,
};
use centro_kernel::{TenantId, Timestamp};

/// Looks on at one actor.
pub struct Watch<R: Rules> {
    recording: Option<Recording<R>>,
}

/// What an actor heard, kept until its step is over.
pub struct Heard<R: Rules> {
    message: decision_log::Heard<R>,
}

impl<R: Rules> Watch<R> {
    pub fn new(router: &Router, tenant: TenantId, id: R::Id) -> Self {
        let recorder = router.recorder.clone();
        Self {
            recording: recorder.map(|recorder| Recording::new(recorder, tenant, id)),
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
        Heard {
            message: recording.and_then(|recording| recording.hears(now, core, message)),
        }
    }

    /// After a step, before it is stored.
    pub fn step(&mut self, now: Timestamp, heard: Heard<R>, _core: &R, out: &Step<R>) {
        if let Some(recording) = &mut self.recording {
            recording.step(now, heard.message, out);
        }
    }

    /// The actor ends; what it decided last was not carried out.
    pub fn stopped(&mut self, now: Timestamp) {
        if let Some(recording) = &mut self.recording {
            recording.stopped(now);
        }
    }
}
