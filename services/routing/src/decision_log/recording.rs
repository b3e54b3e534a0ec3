//! One actor's side of the decision log.

use super::{
    Recorder,
    item::{Noted, Raw},
    rules::{Rules, Step},
};
use centro_kernel::{TenantId, Timestamp};
use std::{sync::Arc, time::Duration};

/// After a line found no room the actor lets the log rest: its next line is its whole state.
const REST: Duration = Duration::from_secs(1);

/// Hands what one actor hears and decides to the log.
pub struct Recording<R: Rules> {
    recorder: Arc<Recorder>,
    tenant: TenantId,
    id: R::Id,
    /// The recorder's generation under which the actor's state is known to the log; 0: it is not.
    generation: u64,
    /// Steps of this activation.
    step: u64,
    /// Steps since the last line.
    lost: u64,
    rests_until: Option<Timestamp>,
}

/// What an actor hears, when the log takes it.
pub type Heard<R> = Option<<R as Rules>::Message>;

impl<R: Rules> Recording<R> {
    pub fn new(recorder: Arc<Recorder>, tenant: TenantId, id: R::Id) -> Self {
        Self {
            recorder,
            tenant,
            id,
            generation: 0,
            step: 0,
            lost: 0,
            rests_until: None,
        }
    }

    /// A record was taken over.
    pub fn activated(
        &mut self,
        now: Timestamp,
        settings: R::Settings,
        epoch: u64,
        record: R::Record,
        out: Step<R>,
    ) {
        let generation = self.recorder.generation();
        let taken = self.take(
            now,
            Raw::Activated {
                settings,
                epoch,
                record,
                out,
            },
        );
        if taken {
            self.generation = generation;
        }
    }

    /// Before a step. Gives what [`Self::step`] is to be given.
    pub fn hears(&mut self, now: Timestamp, core: &R, message: &R::Message) -> Heard<R> {
        if self.rests_until.is_some_and(|until| now < until) {
            return None;
        }
        self.rests_until = None;
        let generation = self.recorder.generation();
        if self.generation != generation {
            let (lost, state) = (self.lost, Box::new(core.clone()));
            if !self.take(now, Raw::State { lost, state }) {
                return None;
            }
            (self.generation, self.lost) = (generation, 0);
        }
        Some(message.clone())
    }

    /// After a step.
    pub fn step(&mut self, now: Timestamp, heard: Heard<R>, out: &Step<R>) {
        let taken = heard.is_some_and(|heard| {
            let out = out.clone();
            self.take(now, Raw::Step { heard, out })
        });
        if !taken {
            self.lost += 1;
            self.recorder.lost(now);
        }
        self.step += 1;
    }

    /// The actor ends.
    pub fn stopped(&mut self, now: Timestamp) {
        self.take(now, Raw::Stopped);
    }

    fn take(&mut self, at: Timestamp, what: Raw<R>) -> bool {
        let noted = Noted {
            id: self.id,
            tenant: self.tenant,
            at,
            step: self.step,
            what,
        };
        let taken = self.recorder.take(R::item(Box::new(noted)));
        if !taken {
            self.generation = 0;
            self.rests_until = Some(at + REST);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decision_log::{
            item::Item,
            writer::{Place, Writer},
        },
        replay,
    };
    use centro_kernel::{QueueId, TestClock};
    use centro_routing_core::{
        Attach, ContactKind, Deadlines, Queue, QueueMessage, QueueOut, QueueRecord, QueueSettings,
    };
    use std::{path::Path, sync::mpsc::sync_channel};

    const QUEUE: QueueId = QueueId::from_u128(1);

    struct Trial {
        core: Queue,
        recording: Recording<Queue>,
        now: Timestamp,
        steps: u64,
    }

    impl Trial {
        fn new(recorder: Arc<Recorder>) -> Self {
            let now = Timestamp::from_millis(1_000_000);
            let (settings, record) = (QueueSettings::new(QUEUE), QueueRecord::default());
            let cfg = Deadlines::default();
            let core = Queue::recover(settings.clone(), 1, record.clone(), &cfg, now);
            let mut recording = Recording::new(recorder, TenantId::from_u128(1), QUEUE);
            recording.activated(now, settings, 1, record, QueueOut::default());
            Self {
                core,
                recording,
                now,
                steps: 0,
            }
        }

        /// Another contact comes.
        fn step(&mut self) {
            self.steps += 1;
            self.now = self.now + Duration::from_millis(300);
            let message = QueueMessage::Attach(Attach {
                contact: centro_kernel::ContactId::from_u128(self.steps.into()),
                attach_no: 1,
                enqueued_at: self.now,
                priority: 0,
                excluded: Vec::new(),
                holding: Vec::new(),
                needs: Arc::default(),
                kind: ContactKind::Call,
                caller: Arc::default(),
                edge: Arc::from("edge"),
            });
            let heard = self.recording.hears(self.now, &self.core, &message);
            let out = self.core.handle(&Deadlines::default(), self.now, message);
            self.recording.step(self.now, heard, &out);
        }
    }

    fn written(
        items: Vec<Item>,
        shared: Arc<super::super::Shared>,
        folder: &Path,
    ) -> replay::Found {
        let (sender, receiver) = sync_channel(items.len());
        for item in items {
            sender.send(item).unwrap();
        }
        drop(sender);
        let place = Place {
            folder: folder.to_owned(),
            file_bytes: 1 << 30,
            files: 10,
            node: "test".to_owned(),
            deadlines: Deadlines::default(),
            clock: Arc::new(TestClock::at(Timestamp::from_millis(1_000_000))),
        };
        Writer::new(place, shared).run(&receiver);
        let asked = replay::Asked {
            files: vec![folder.join("decisions-000001.jsonl")],
            ..replay::Asked::default()
        };
        replay::verify(&asked).unwrap()
    }

    #[test]
    fn a_log_without_room_has_a_gap_and_goes_on_from_the_whole_state() {
        let (recorder, items) = Recorder::unread(4);
        let mut trial = Trial::new(recorder.clone());
        (0..5).for_each(|_| trial.step()); // the fourth and the fifth find no room
        let mut taken: Vec<_> = items.try_iter().collect();
        assert_eq!(taken.len(), 4);
        trial.step(); // rests
        assert!(items.try_recv().is_err());
        (0..6).for_each(|_| {
            trial.step();
            taken.extend(items.try_iter());
        });
        let folder = tempfile::tempdir().unwrap();
        let found = written(taken, recorder.shared.clone(), folder.path());
        assert_eq!(found.differences, 0, "{:?}", found.first);
        assert_eq!((found.gaps, found.unverified), (1, 0));
        let lost = recorder
            .shared
            .lost
            .load(std::sync::atomic::Ordering::Relaxed);
        assert!((3..=6).contains(&lost), "{lost}");
        assert_eq!(found.steps + lost, trial.steps);
        assert!(found.notes.iter().any(|n| n.contains("found no room")));
    }

    #[test]
    fn a_gap_of_which_nobody_says_a_word_is_a_difference() {
        let (recorder, items) = Recorder::unread(100);
        let mut trial = Trial::new(recorder.clone());
        (0..5).for_each(|_| trial.step());
        let mut taken: Vec<_> = items.try_iter().collect();
        taken.remove(3);
        let folder = tempfile::tempdir().unwrap();
        let found = written(taken, recorder.shared.clone(), folder.path());
        assert_eq!((found.differences, found.gaps), (1, 0));
        assert_eq!((found.steps, found.unverified), (2, 1));
    }
}
