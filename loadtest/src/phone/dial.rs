//! A phone that calls: it dials, speaks its tone, and waits for the other side to hang up or does so itself.

use super::{Account, Heard, Phones, Tones, Voice, during};
use anyhow::Result;
use rsipstack::{
    dialog::{authenticate::Credential, invitation::InviteOption},
    sip::StatusCodeKind,
};
use std::time::{Duration, Instant};
use tokio::time;

/// A call to place.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Number in From; unique, so that the call is known again at the agent.
    pub from: String,
    /// What is dialled.
    pub to: String,
    /// Digest, when the caller is a device.
    pub account: Option<Account>,
    /// The tones; `None` leaves sound out.
    pub tones: Option<Tones>,
    /// Hang up so long after the answer; `None`: wait for the other side.
    pub hang_up_after: Option<Duration>,
    /// Give up after this, whatever happens.
    pub patience: Duration,
}

/// How a placed call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Answered, and the other side hung up.
    ByThem,
    /// Answered, and we hung up as planned.
    ByUs,
    /// Not answered: the status code, or 408 when none came.
    Refused(u16),
    /// Answered, but not ended within our patience.
    Endless,
}

/// A placed call that is over.
#[derive(Debug, Clone)]
pub struct Dialled {
    /// Number in From.
    pub from: String,
    /// When our INVITE first left.
    pub invited: Option<Instant>,
    /// When the 200 came.
    pub answered: Option<Instant>,
    /// When it was over.
    pub ended: Instant,
    /// How.
    pub ending: Ending,
    /// What was heard.
    pub heard: Heard,
}

impl Phones {
    /// Places a call and follows it to its end.
    ///
    /// # Errors
    /// When it could not even be sent.
    pub async fn dial(&self, dial: Dial) -> Result<Dialled> {
        let inner = &self.0;
        let voice = Voice::open(inner.address.ip(), dial.tones).await?;
        let credential = dial.account.map(|account| Credential {
            username: account.username,
            password: account.secret,
            ..Credential::default()
        });
        let invite = InviteOption {
            caller: self.uri(&dial.from, inner.server)?,
            callee: self.uri(&dial.to, inner.server)?,
            contact: self.uri("caller", inner.address)?,
            content_type: Some("application/sdp".into()),
            offer: Some(voice.offer()),
            credential,
            ..InviteOption::default()
        };
        let begun = Instant::now();
        let (sender, mut states) = inner.dialogs.new_dialog_state_channel();
        let (dialog, mut answer) = inner.dialogs.do_invite_async(invite, sender)?;
        let over = |ending, answered, heard| Dialled {
            invited: inner.timing.invited(&dial.from),
            from: dial.from.clone(),
            answered,
            ended: Instant::now(),
            ending,
            heard,
        };
        let Ok(answer) = time::timeout(dial.patience, &mut answer).await else {
            let _ = dialog.hangup().await;
            return Ok(over(Ending::Refused(408), None, voice.finish()));
        };
        let (id, response) = answer??;
        let status = response
            .as_ref()
            .map(|response| response.status_code.clone());
        let accepted = status
            .as_ref()
            .is_some_and(|s| s.kind() == StatusCodeKind::Successful);
        let body = response.map(|response| response.body).unwrap_or_default();
        if !accepted || voice.accept(&body).is_err() {
            if accepted {
                let _ = dialog.bye().await;
            }
            inner.dialogs.remove_dialog(&id);
            let code = status.map_or(408, |status| status.code());
            return Ok(over(Ending::Refused(code), None, voice.finish()));
        }
        let answered = Instant::now();
        let rest = dial.patience.saturating_sub(begun.elapsed());
        let planned = dial.hang_up_after.unwrap_or(rest).min(rest);
        let until = time::sleep(planned);
        tokio::pin!(until);
        let by_them = loop {
            tokio::select! {
                state = states.recv() => {
                    let Some(state) = state else { break true };
                    if during(state, &voice).await {
                        break true;
                    }
                }
                () = &mut until => break false,
            }
        };
        let heard = voice.finish();
        if !by_them {
            let _ = dialog.bye().await;
        }
        inner.dialogs.remove_dialog(&id);
        let ending = match (by_them, dial.hang_up_after) {
            (true, _) => Ending::ByThem,
            (false, Some(after)) if after <= rest => Ending::ByUs,
            _ => Ending::Endless,
        };
        Ok(over(ending, Some(answered), heard))
    }
}
