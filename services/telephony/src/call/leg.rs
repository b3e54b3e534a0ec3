//! The SIP side of one party of a call. One task drives one dialog from its INVITE to its end; the call tells it what to
//! do and hears what happened, and never waits for the network.

use crate::call::{Context, Signal};
use rsipstack::{
    dialog::{
        DialogId,
        dialog::{DialogState, DialogStateReceiver, TerminatedReason, TransactionHandle},
        invitation::InviteOption,
        invite_dialog::InviteDialog,
    },
    sip::{Header, HeadersExt, Method, Request, StatusCode, StatusCodeKind},
    transaction::transaction::Transaction,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A party within its call; 0 is the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u32);

/// The caller.
pub const CALLER: LegId = LegId(0);

/// What the call wants.
#[derive(Debug)]
pub enum LegCommand {
    /// Caller only: say that it rings.
    Ring,
    /// Caller only: answer with this SDP.
    Accept(String),
    /// Caller only: turn away.
    Reject(StatusCode),
    /// Ask the party, within its dialog, whether it is still there.
    Probe,
    /// End it, whatever its state; the reason goes into CANCEL or BYE.
    End(Option<&'static str>),
}

/// What happened.
#[derive(Debug)]
pub enum LegEvent {
    /// Called party: the device rings.
    Ringing,
    /// Called party: answered, with this SDP.
    Answered(String),
    /// Called party: refused, with this status; 0 when nothing was heard.
    Refused(u16),
    /// Caller: the ACK came, with the SDP it carried, if any.
    Confirmed(Option<String>),
    /// A new offer within the dialog, or the wish for one (no SDP). The handle must be answered.
    Offered(Option<String>, TransactionHandle),
    /// A key, told by INFO.
    Digit(char),
    /// What came of [`LegCommand::Probe`].
    Probed(Probed),
    /// The party is gone; nothing follows.
    Ended,
}

/// What a party said to the question whether it is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// Something: it is there.
    There,
    /// That it knows no such call.
    Gone,
    /// Nothing, or it could not be asked.
    Silent,
    /// Before the ACK nothing can be asked; the library gives up such a dialog by itself.
    TooEarly,
}

/// A hand on a leg.
#[derive(Clone)]
pub struct LegHandle {
    commands: mpsc::Sender<LegCommand>,
}

impl LegHandle {
    /// Tells the leg. A leg that is gone does not mind.
    pub fn tell(&self, command: LegCommand) {
        // The few commands of a leg's life always fit.
        let _ = self.commands.try_send(command);
    }
}

/// How often a BYE is tried again while a request of the peer is being answered.
const BYE_TRIES: u32 = 20;
/// How long a CANCELled INVITE is listened to.
const AFTER_CANCEL: Duration = Duration::from_secs(32);

/// How long a peer may take to say that it is still there, unless even `telephony.silence` is shorter.
const PROBE: Duration = Duration::from_secs(10);

/// Where a leg's news go.
#[derive(Clone)]
struct News {
    leg: LegId,
    mailbox: mpsc::Sender<Signal>,
}

impl News {
    async fn tell(&self, event: LegEvent) {
        let _ = self.mailbox.send(Signal::Leg(self.leg, event)).await;
    }

    /// In-dialog news that both kinds of leg share. True when the dialog is over.
    async fn state(&self, state: DialogState) -> bool {
        match state {
            DialogState::Updated(_, request, handle) => {
                self.tell(LegEvent::Offered(body(&request), handle)).await;
            }
            DialogState::Info(_, request, handle) => {
                let _ = handle.reply(StatusCode::OK).await;
                if let Some(digit) = digit(&request) {
                    self.tell(LegEvent::Digit(digit)).await;
                }
            }
            DialogState::Options(_, _, handle) | DialogState::Notify(_, _, handle) => {
                let _ = handle.reply(StatusCode::OK).await;
            }
            DialogState::Refer(_, _, handle) => {
                let _ = handle.reply(StatusCode::Decline).await;
            }
            DialogState::Message(_, _, handle) | DialogState::Publish(_, _, handle) => {
                let _ = handle.reply(StatusCode::MethodNotAllowed).await;
            }
            DialogState::Terminated(_, reason) => {
                if matches!(reason, TerminatedReason::Timeout) {
                    tracing::info!(
                        leg = self.leg.0,
                        "a peer did not acknowledge; its leg is over"
                    );
                }
                return true;
            }
            _ => {}
        }
        false
    }
}

/// Starts the caller's leg on an INVITE that was admitted. Sends 100 by itself.
///
/// # Errors
/// Gives the transaction back when the INVITE cannot make a dialog.
#[allow(clippy::result_large_err)]
pub fn caller(
    context: &Arc<Context>,
    mut tx: Transaction,
    mailbox: mpsc::Sender<Signal>,
) -> Result<LegHandle, Transaction> {
    let (states, received) = context.dialogs.new_dialog_state_channel();
    let contact = Some(context.contact.clone());
    let Ok(dialog) = context
        .dialogs
        .get_or_create_server_invite(&tx, states, None, contact)
    else {
        return Err(tx);
    };
    let mut driver = dialog.clone();
    tokio::spawn(async move {
        if let Err(error) = driver.handle(&mut tx).await {
            tracing::debug!(%error, "the caller's INVITE ended early");
        }
    });
    let (commands, wishes) = mpsc::channel(8);
    let news = News {
        leg: CALLER,
        mailbox,
    };
    tokio::spawn(drive_caller(
        context.clone(),
        dialog,
        received,
        wishes,
        news,
    ));
    Ok(LegHandle { commands })
}

async fn drive_caller(
    context: Arc<Context>,
    dialog: InviteDialog,
    mut states: DialogStateReceiver,
    mut wishes: mpsc::Receiver<LegCommand>,
    news: News,
) {
    let (mut accepted, mut confirmed) = (false, false);
    loop {
        tokio::select! {
            wish = wishes.recv() => match wish {
                Some(LegCommand::Ring) => drop(dialog.ringing(None, None)),
                Some(LegCommand::Accept(sdp)) => {
                    accepted = dialog.accept(Some(sdp_header()), Some(sdp.into_bytes())).is_ok();
                }
                Some(LegCommand::Reject(status)) => {
                    let _ = dialog.reject(Some(status), None);
                }
                Some(LegCommand::Probe) => probe(&context, &dialog, &news),
                // `None`: the call's task is gone, and its parties with it.
                Some(LegCommand::End(_)) | None => {
                    let reason = if let Some(LegCommand::End(reason)) = wish { reason } else { None };
                    if accepted {
                        bye(&dialog, reason).await;
                    } else {
                        let _ = dialog.reject(Some(StatusCode::TemporarilyUnavailable), None);
                    }
                    break;
                }
            },
            state = states.recv() => match state {
                Some(DialogState::Confirmed(..)) if !confirmed => {
                    confirmed = true;
                    let sdp = dialog.last_remote_ack().and_then(|ack| body(&ack));
                    news.tell(LegEvent::Confirmed(sdp)).await;
                }
                Some(state) => if news.state(state).await { break },
                None => break,
            },
        }
    }
    news.tell(LegEvent::Ended).await;
    context.dialogs.remove_dialog(&dialog.id());
}

/// Calls a device. The INVITE leaves before this returns to the runtime's next turn; news come as signals.
pub fn callee(
    context: &Arc<Context>,
    leg: LegId,
    invite: InviteOption,
    mailbox: mpsc::Sender<Signal>,
) -> LegHandle {
    let (commands, wishes) = mpsc::channel(8);
    let news = News { leg, mailbox };
    tokio::spawn(drive_callee(context.clone(), invite, wishes, news));
    LegHandle { commands }
}

async fn drive_callee(
    context: Arc<Context>,
    invite: InviteOption,
    mut wishes: mpsc::Receiver<LegCommand>,
    news: News,
) {
    let call_id = invite.call_id.clone().unwrap_or_default();
    let (states, mut received) = context.dialogs.new_dialog_state_channel();
    let (dialog, mut outcome) = match context.dialogs.do_invite_async(invite, states) {
        Ok(started) => started,
        Err(error) => {
            tracing::info!(%error, "a device could not be called");
            return news.tell(LegEvent::Refused(0)).await;
        }
    };
    let early = dialog.id();
    let answer = loop {
        tokio::select! {
            done = &mut outcome => break done,
            wish = wishes.recv() => match wish {
                Some(LegCommand::End(_)) | None => {
                    let reason = match wish { Some(LegCommand::End(reason)) => reason, _ => None };
                    if let Some(reason) = reason {
                        context.reasons.set(&call_id, reason);
                    }
                    // The CANCEL, and the BYE when a 200 crossed it, are the library's; we only wait for its end.
                    let cancel = dialog.clone();
                    let sent = tokio::spawn(async move { cancel.cancel().await });
                    let waited = tokio::time::timeout(AFTER_CANCEL, &mut outcome).await;
                    let _ = tokio::time::timeout(Duration::from_secs(1), sent).await;
                    match waited {
                        Ok(Ok(Ok((id, Some(answer))))) if answer.status_code.kind() == StatusCodeKind::Successful => {
                            // Answered before the CANCEL was decided: end what it began.
                            if !dialog_is_over(&dialog) {
                                bye(&dialog, reason).await;
                            }
                            context.dialogs.remove_dialog(&id);
                        }
                        Ok(_) => {}
                        Err(_) => outcome.abort(),
                    }
                    context.reasons.clear(&call_id);
                    context.dialogs.remove_dialog(&early);
                    return news.tell(LegEvent::Ended).await;
                }
                Some(_) => {}
            },
            state = received.recv() => {
                if let Some(DialogState::Early(..)) = state {
                    news.tell(LegEvent::Ringing).await;
                }
            }
        }
    };
    let (id, response) = match answer {
        Ok(Ok((id, Some(response)))) => (id, response),
        Ok(Ok((_, None)) | Err(_)) | Err(_) => {
            context.dialogs.remove_dialog(&early);
            return news.tell(LegEvent::Refused(0)).await;
        }
    };
    if response.status_code.kind() != StatusCodeKind::Successful {
        context.dialogs.remove_dialog(&id);
        return news
            .tell(LegEvent::Refused(response.status_code.code()))
            .await;
    }
    news.tell(LegEvent::Answered(
        String::from_utf8_lossy(&response.body).into_owned(),
    ))
    .await;
    drive_answered(&context, &dialog, &id, received, wishes, &news).await;
}

async fn drive_answered(
    context: &Context,
    dialog: &InviteDialog,
    id: &DialogId,
    mut received: DialogStateReceiver,
    mut wishes: mpsc::Receiver<LegCommand>,
    news: &News,
) {
    loop {
        tokio::select! {
            wish = wishes.recv() => match wish {
                Some(LegCommand::End(reason)) => { bye(dialog, reason).await; break }
                None => { bye(dialog, None).await; break }
                Some(LegCommand::Probe) => probe(context, dialog, news),
                Some(_) => {}
            },
            state = received.recv() => match state {
                Some(state) => if news.state(state).await { break },
                None => break,
            },
        }
    }
    news.tell(LegEvent::Ended).await;
    context.dialogs.remove_dialog(id);
}

fn dialog_is_over(dialog: &InviteDialog) -> bool {
    dialog.state().is_terminated()
}

/// Asks the peer whether it is still there. What it answers does not matter, unless it says that it knows no such dialog.
fn probe(context: &Context, dialog: &InviteDialog, news: &News) {
    let patience = PROBE.min(context.settings.silence);
    let (dialog, news) = (dialog.clone(), news.clone());
    tokio::spawn(async move {
        let said = if dialog.state().is_confirmed() {
            let asked = dialog.request(Method::Options, None, None);
            match tokio::time::timeout(patience, asked).await {
                Ok(Ok(Some(response))) if matches!(response.status_code.code(), 408 | 481) => {
                    Probed::Gone
                }
                Ok(Ok(_)) => Probed::There,
                Ok(Err(_)) | Err(_) => Probed::Silent,
            }
        } else {
            Probed::TooEarly
        };
        news.tell(LegEvent::Probed(said)).await;
    });
}

/// Sends BYE. While a request of the peer is being answered the library refuses; that takes moments.
async fn bye(dialog: &InviteDialog, reason: Option<&'static str>) {
    let headers = reason.map(|reason| vec![Header::Reason(reason.into())]);
    for _ in 0..BYE_TRIES {
        if dialog.bye_with_headers(headers.clone()).await.is_ok() || dialog_is_over(dialog) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tracing::warn!(id = %dialog.id(), "a BYE could not be sent");
}

/// `Content-Type` of what we send.
pub fn sdp_header() -> Vec<Header> {
    vec![Header::ContentType("application/sdp".into())]
}

fn body(request: &Request) -> Option<String> {
    (!request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body).into_owned())
}

/// The key of an INFO: `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`).
fn digit(request: &Request) -> Option<char> {
    if request.method != Method::Info {
        return None;
    }
    let kind = request.header_value("Content-Type")?.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&request.body);
    let key = if kind.starts_with("application/dtmf-relay") {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Signal"))?;
        line.trim_start().strip_prefix('=')?.trim().chars().next()?
    } else if kind.starts_with("application/dtmf") {
        text.trim().chars().next()?
    } else {
        return None;
    };
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d').then_some(key.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: &str, body: &str) -> Request {
        let text = format!(
            "INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
             Call-ID: c\r\nCSeq: 2 INFO\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Request::try_from(text).unwrap()
    }

    #[test]
    fn keys_are_read_from_both_kinds_of_info() {
        assert_eq!(
            digit(&info(
                "application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n"
            )),
            Some('5')
        );
        assert_eq!(
            digit(&info("application/dtmf-relay", "Signal= *\r\n")),
            Some('*')
        );
        assert_eq!(digit(&info("application/dtmf", "#")), Some('#'));
        assert_eq!(digit(&info("application/dtmf", "x")), None);
        assert_eq!(digit(&info("text/plain", "5")), None);
    }
}
