//! When a call must act by itself, and how it ends.

use crate::{
    call::{
        actor::{Call, Stage},
        leg::LegCommand,
    },
    core::dialplan::Outcome,
};
use centro_edge::Command;
use centro_kernel::Timestamp;
use centro_proto::{events::CallEnded, types::EndedBy};
use std::time::Duration;

/// How long an ended call may keep telling routing what it owes.
const AFTERLIFE: Duration = Duration::from_secs(60);
/// The same while the process stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Call {
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let stage = match &self.stage {
            Stage::Queued { until } => *until,
            Stage::Dialling { until }
            | Stage::Playing { until, .. }
            | Stage::Feature { until, .. } => Some(*until),
            _ => None,
        };
        let end = match self.closed {
            Some(at) => at + self.afterlife(),
            None => self.started + self.context.settings.max_call,
        };
        [
            stage,
            self.edge.next_due(),
            self.announce_at,
            self.silence_at,
            Some(end),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) async fn on_time(&mut self) {
        let now = self.now();
        if self.edge.next_due().is_some_and(|at| at <= now) {
            self.drive(Command::Tick).await;
        }
        if self.announce_at.is_some_and(|at| at <= now) {
            self.announce();
        }
        if self.silence_at.is_some_and(|at| at <= now) {
            self.check_silence();
        }
        match self.stage {
            Stage::Queued { until: Some(until) } if until <= now => {
                self.stage = Stage::Queued { until: None };
                self.drive(Command::TimedOut).await;
            }
            Stage::Dialling { until } if until <= now => {
                self.stop_parties(None, None);
                self.leave_node(Outcome::NoAnswer).await;
            }
            Stage::Playing { until, .. } if until <= now => self.leave_node(Outcome::Done).await,
            Stage::Feature { until, .. } if until <= now => self.close(EndedBy::System),
            _ => {}
        }
        if self.closed.is_none() && now >= self.started + self.context.settings.max_call {
            self.close(EndedBy::System);
        }
    }

    /// Ends every party. Idempotent; the first reason counts.
    pub(super) fn close(&mut self, by: EndedBy) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(self.now());
        self.ended_by.get_or_insert(by);
        self.announce_at = None;
        self.silence_at = None;
        self.unbridge();
        self.stage = Stage::Closing;
        self.leg.tell(LegCommand::End(None));
        self.sound = None;
        // Parties with a reservation are stopped by the edge, which knows why; the rest here.
        self.stop_parties(None, None);
        self.admitted = None;
        self.report();
    }

    /// How long the call may stay after its end.
    fn afterlife(&self) -> Duration {
        if self.context.lifecycle.stopping().is_cancelled() {
            LAST_WORDS
        } else {
            AFTERLIFE
        }
    }

    pub(super) fn over(&self) -> bool {
        let Some(closed) = self.closed else {
            return false;
        };
        if self.now() >= closed + self.afterlife() {
            tracing::warn!(contact = %self.contact, "a call's end was not acknowledged in time");
            return true;
        }
        self.told && self.edge.done() && self.parties.is_empty() && self.gone
    }

    /// The event at the end.
    fn report(&self) {
        let ended = self.closed.unwrap_or_else(|| self.now());
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let event = CallEnded {
            contact_id: self.contact.to_string(),
            call_id: self.id.to_string(),
            ended_by: self.ended_by.unwrap_or(EndedBy::System).into(),
            duration_ms: millis(ended.since(self.started)),
            queue_id: self.past.queue.map(|q| q.to_string()).unwrap_or_default(),
            agent_id: self.past.agent.map(|a| a.to_string()).unwrap_or_default(),
            talk_ms: millis(self.past.talk),
            hold_ms: millis(self.past.hold),
        };
        self.context.notifier.tell(
            Some(self.tenant),
            "telephony.call.ended",
            self.contact,
            &event,
        );
    }
}
