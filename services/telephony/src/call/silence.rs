//! Peers that are gone without a word: who says nothing for long is asked, with OPTIONS in its dialog, whether it is still there.

use crate::call::{
    actor::{Call, Stage},
    leg::{CALLER, LegCommand, LegId, Probed},
    sound::Sound,
};
use centro_proto::types::EndedBy;
use std::time::Duration;

/// Questions in a row without an answer before a peer counts as gone: packets get lost, and networks change.
const UNANSWERED: u32 = 3;

impl Call {
    /// Looks who says nothing, and when to look again.
    pub(super) fn check_silence(&mut self) {
        let silence = self.context.settings.silence;
        let caller = self.sound.as_ref().filter(|sound| !sound.holds());
        let heard = match self.stage {
            Stage::Talking => self.longest_silence(),
            _ => caller.map(Sound::silent_for).unwrap_or_default(),
        };
        let rest = silence.saturating_sub(heard);
        self.silence_at = Some(self.now() + rest.max(Duration::from_secs(1)));
        match self.stage {
            Stage::Talking if self.all_silent() => {
                tracing::info!(contact = %self.contact, "no sound for too long: the call is ended");
                self.close(EndedBy::System);
            }
            Stage::New | Stage::Closing => {}
            _ => self.probe(),
        }
    }

    /// Asks who was silent for long. On hold that takes longer.
    fn probe(&mut self) {
        for id in [Some(CALLER), self.talking().map(|(with, _)| with)]
            .into_iter()
            .flatten()
        {
            let Some(silent) = self.sound_of(id).map(Sound::silent_for) else {
                continue;
            };
            if silent < self.patience(id) {
                self.unanswered.remove(&id);
            } else if self.asked.insert(id) {
                let leg = match id {
                    CALLER => Some(&self.leg),
                    _ => self.parties.get(&id).map(|party| &party.leg),
                };
                if let Some(leg) = leg {
                    leg.tell(LegCommand::Probe);
                }
            }
        }
    }

    /// A party that was asked has answered, or has not.
    pub(super) fn probed(&mut self, id: LegId, said: Probed) {
        let concerned = id == CALLER || self.talks_with(id);
        if !self.asked.remove(&id) || !concerned || matches!(self.stage, Stage::Closing) {
            return;
        }
        let talks = self.talk.is_some();
        let gone = match said {
            Probed::There => false,
            Probed::Gone => true,
            // Who waits and was never heard since must at least answer; who talks may belong to a carrier that does not.
            Probed::TooEarly => !talks && !self.on_hold(id),
            Probed::Silent if !talks && !self.on_hold(id) => true,
            Probed::Silent => {
                let times = self.unanswered.entry(id).or_default();
                *times += 1;
                if *times < UNANSWERED || !self.had_its_time(id) {
                    return;
                }
                true
            }
        };
        if gone {
            tracing::info!(contact = %self.contact, leg = id.0, "a peer is gone without a word: the call is ended");
            return self.close(EndedBy::System);
        }
        self.unanswered.remove(&id);
        if said == Probed::There {
            self.answering.insert(id);
        }
        if let Some(sound) = self.sound_of(id) {
            sound.touch();
        }
    }

    /// Whether a party that does not answer has been silent for long enough: one that never answered may not know how to, and
    /// gets the time of one on hold.
    fn had_its_time(&self, id: LegId) -> bool {
        let silent = self.sound_of(id).map(Sound::silent_for);
        self.answering.contains(&id) || silent.is_none_or(|silent| silent >= self.longer())
    }

    fn patience(&self, id: LegId) -> Duration {
        if self.on_hold(id) {
            self.longer()
        } else {
            self.context.settings.silence
        }
    }

    fn longer(&self) -> Duration {
        let settings = &self.context.settings;
        settings.silence_on_hold.max(settings.silence)
    }

    /// Whether somebody holds, so that this party need not be heard.
    fn on_hold(&self, id: LegId) -> bool {
        match self.talking() {
            Some((_, held)) => held,
            None => self.sound_of(id).is_some_and(Sound::holds),
        }
    }

    fn sound_of(&self, id: LegId) -> Option<&Sound> {
        match id {
            CALLER => self.sound.as_ref(),
            _ => self.parties.get(&id).and_then(|party| party.sound.as_ref()),
        }
    }
}
