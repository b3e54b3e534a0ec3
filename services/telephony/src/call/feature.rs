//! Feature codes: the agent's status set from the phone.

use crate::{
    call::{
        Feature,
        actor::{Call, Stage},
    },
    core::number::FeatureCode,
};
use centro_proto::routing::set_status_from_device_request::Action;
use std::time::Duration;

/// How long the agent's record may take to obey, its answer included.
const OBEYED: Duration = Duration::from_secs(10);

impl Call {
    pub(super) fn obey(&mut self, feature: Feature) {
        if !self.answer() {
            return;
        }
        self.stage = Stage::Feature {
            what: None,
            until: self.now() + OBEYED,
        };
        let action = match feature.code {
            FeatureCode::LogIn => Action::LogIn,
            FeatureCode::LogOut => Action::LogOut,
            FeatureCode::Pause => Action::Pause,
            FeatureCode::Ready => Action::Ready,
            FeatureCode::EndWrapUp => Action::EndWrapUp,
        };
        self.asker.set_status(feature.user, feature.device, action);
    }

    /// Says whether it was done; the call ends after that.
    pub(super) fn feature_done(&mut self, done: bool) {
        if let Stage::Feature { .. } = self.stage {
            let (what, until) = self.play(if done { "done" } else { "refused" });
            self.stage = Stage::Feature { what, until };
        }
    }
}
