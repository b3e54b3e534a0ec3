//! A contact that outlives its process changes its owner.

use crate::{
    Edge, Effect,
    edge::Effects,
    state::{Leg, Phase},
};
use centro_kernel::{Timestamp, contact::Reservation};

impl Edge {
    /// Goes on from what the last owner stored, under a higher epoch: with a new attachment, which holds what is open.
    ///
    /// What rang is asked for anew and may ring for its full time again, as the agent's record then does too; a commit is
    /// asked again, for only the record knows its outcome; and a talk goes on once the record has said that it does
    /// ([`Effect::Bridge`]).
    #[must_use]
    pub fn take_over(mut self, epoch: u64, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut out = Effects::new();
        (self.now, self.owner, self.retry_at) = (now, epoch, None);
        for (of, state) in &mut self.legs {
            match state.leg {
                Leg::Asking | Leg::Ringing | Leg::Briefing => {
                    (state.leg, state.due) = (Leg::Asking, now + state.ring);
                    out.push(Effect::Alert(*of));
                }
                Leg::Committing => {
                    state.due = now + self.timing.commit;
                    out.push(Effect::Connect(*of));
                }
                Leg::Settling => {}
            }
        }
        self.unsure = matches!(self.phase, Phase::Connected(_));
        out.extend(self.asks_whether_it_talks().map(Effect::Connect));
        if let Some(queue) = self.queue {
            self.attach(now, queue, &mut out);
        }
        self.arm_retry(now);
        (self, out)
    }

    /// The talk that the agent's record has yet to confirm.
    pub(crate) fn asks_whether_it_talks(&self) -> Option<Reservation> {
        match self.phase {
            Phase::Connected(reservation) if self.unsure => Some(reservation),
            _ => None,
        }
    }
}
