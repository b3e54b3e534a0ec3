//! A phone that rings: it answers, speaks its tone, and hangs up after a while.

use super::{Heard, Phones, Tones, Voice, caller, dialled, during, sdp_headers};
use rsipstack::{
    dialog::{dialog::DialogStateReceiver, invite_dialog::InviteDialog},
    sip::StatusCode,
    transaction::transaction::Transaction,
};
use std::time::{Duration, Instant};
use tokio::time;

/// How often a phone that waits for a voice listens.
const LISTENS: Duration = Duration::from_millis(20);

/// How phones answer.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// How long the phone rings before it is answered.
    pub rings_for: Duration,
    /// How long it talks before it hangs up; `None`: it waits for the other side.
    pub talk: Option<Duration>,
    /// Whether it begins to talk when it hears the other side, as a person does, and not when it answers.
    pub after_hello: bool,
    /// The tones; `None` leaves sound out.
    pub tones: Option<Tones>,
    /// Never answers.
    pub absent: bool,
}

/// A call that was answered here and is over.
#[derive(Debug, Clone)]
pub struct Answered {
    /// User name of the phone.
    pub phone: String,
    /// Number in From.
    pub caller: String,
    /// When the task of the phone began with it.
    pub invited: Instant,
    /// When it was over; by our BYE, just before it was sent.
    pub ended: Instant,
    /// True when this phone hung up.
    pub by_us: bool,
    /// What was heard.
    pub heard: Heard,
}

impl Phones {
    pub(super) fn ring(self, mut transaction: Transaction) {
        let (sender, states) = self.0.dialogs.new_dialog_state_channel();
        let phone = dialled(&transaction.original);
        let caller = caller(&transaction.original);
        let contact = self.uri(&phone, self.0.address).ok();
        let dialog =
            self.0
                .dialogs
                .get_or_create_server_invite(&transaction, sender, None, contact);
        let Ok(dialog) = dialog else { return };
        let mut driven = dialog.clone();
        tokio::spawn(async move { driven.handle(&mut transaction).await });
        tokio::spawn(async move {
            let id = dialog.id();
            let call = self.converse(&dialog, states, phone, caller).await;
            self.0.dialogs.remove_dialog(&id);
            if let Some(call) = call {
                self.0.answered.lock().push(call);
                self.0.changed.notify_waiters();
            }
        });
    }

    async fn converse(
        &self,
        dialog: &InviteDialog,
        mut states: DialogStateReceiver,
        phone: String,
        caller: String,
    ) -> Option<Answered> {
        let invited = Instant::now();
        let script = &self.0.script;
        let voice = Voice::open(self.0.address.ip(), script.tones).await.ok()?;
        dialog.ringing(None, None).ok()?;
        let answer = async {
            if script.absent {
                std::future::pending::<()>().await;
            }
            time::sleep(script.rings_for).await;
        };
        tokio::pin!(answer);
        loop {
            tokio::select! {
                () = &mut answer => break,
                state = states.recv() => {
                    if during(state?, &voice).await {
                        return None;
                    }
                }
            }
        }
        let Ok(body) = voice.answer(&dialog.initial_request().body) else {
            let _ = dialog.reject(Some(StatusCode::NotAcceptableHere), None);
            return None;
        };
        dialog.accept(Some(sdp_headers()), Some(body)).ok()?;
        let by_us = talked(script, &voice, &mut states).await;
        let ended = Instant::now();
        let heard = voice.finish();
        if by_us {
            let _ = dialog.bye().await;
        }
        Some(Answered {
            phone,
            caller,
            invited,
            ended,
            by_us,
            heard,
        })
    }
}

/// Talks to the end; true when it is this phone that hangs up.
async fn talked(script: &Script, voice: &Voice, states: &mut DialogStateReceiver) -> bool {
    let talk = async {
        while script.after_hello && !voice.hears() {
            time::sleep(LISTENS).await;
        }
        match script.talk {
            Some(talk) => time::sleep(talk).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(talk);
    loop {
        tokio::select! {
            () = &mut talk => return true,
            state = states.recv() => {
                let Some(state) = state else { return false };
                if during(state, voice).await {
                    return false;
                }
            }
        }
    }
}
