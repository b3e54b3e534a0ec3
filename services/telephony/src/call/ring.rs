//! Devices that ring: all phones of a device at once, the first to answer wins.

use crate::call::{
    actor::{Call, Stage},
    leg::{self, LegCommand, LegEvent, LegHandle, LegId},
    queued::ELSEWHERE,
    sound::Sound,
};
use crate::{
    core::dialplan::Outcome,
    directory::Target,
    ua::{dispatch::ip as ua_ip, registrar::Binding},
};
use centro_edge::Command;
use centro_kernel::{DeviceId, contact::Reservation};
use centro_media::PlaybackId;
use centro_proto::types::EndedBy;
use rsipstack::{
    dialog::invitation::InviteOption,
    sip::{Auth, Header, Scheme, Uri},
};
use std::time::Duration;

/// A party that was called.
pub(super) struct Party {
    pub(super) leg: LegHandle,
    /// `None` once it is being ended.
    pub(super) sound: Option<Sound>,
    /// The offer it belongs to; `None` for a device that was dialled.
    pub(super) reservation: Option<Reservation>,
    pub(super) answered: bool,
    /// What an agent hears before the customer.
    pub(super) briefing: Option<PlaybackId>,
    /// It rang.
    rang: bool,
    /// It was told to end.
    ending: bool,
}

/// Declined by a person (RFC 3261 §21.6.2, RFC 8197).
const DECLINED: [u16; 2] = [603, 607];

/// Busy (RFC 3261 §21.4.24, §21.6.1). Many phones say so when a person declines, but then they rang before.
const BUSY: [u16; 2] = [486, 600];

impl Call {
    /// The agent's record agreed: ring.
    pub(super) async fn ring_agent(&mut self, reservation: Reservation) {
        let phones = match self.devices.get(&reservation) {
            Some(device) => self.own_phones(*device),
            None => Vec::new(),
        };
        let offline = phones.is_empty();
        if self.ring(phones, Some(reservation)) {
            return;
        }
        let why = if offline {
            Command::DeviceFailed(reservation)
        } else {
            Command::CouldNotRing(reservation) // our own fault: it is not counted as the agent's miss
        };
        Box::pin(self.drive(why)).await;
    }

    /// The phones of a device, if it is this tenant's.
    fn own_phones(&self, device: DeviceId) -> Vec<Binding> {
        let ours = self
            .context
            .directory
            .read()
            .device(device)
            .is_some_and(|d| d.tenant == self.tenant);
        if ours {
            self.context.registrar.phones(device)
        } else {
            Vec::new()
        }
    }

    /// A node or a person dials an extension: a phone rings, or the call goes where the extension leads.
    pub(super) async fn dial(&mut self, extension: &str, timeout: Duration) {
        let target = self
            .context
            .directory
            .read()
            .extension_target(self.tenant, extension);
        let phones = match target {
            Some(Target::Device(device)) => self.context.registrar.phones(device.id),
            Some(Target::Queue(_) | Target::Plan(_)) | None => Vec::new(),
        };
        self.stage = Stage::Dialling {
            until: self.now() + timeout,
        };
        if phones.is_empty() || !self.ring(phones, None) {
            return self.leave_node(Outcome::NoAnswer).await;
        }
        if self.answered {
            if let Some(sound) = &self.sound {
                sound.play_ringback();
            }
        } else {
            self.leg.tell(LegCommand::Ring);
        }
    }

    /// False when no phone could be rung.
    fn ring(&mut self, phones: Vec<Binding>, reservation: Option<Reservation>) -> bool {
        let mut rang = false;
        let first = self.sound.as_ref().and_then(Sound::codec);
        for phone in phones {
            let id = self.next_leg();
            let peer = ua_ip(&phone.destination);
            let beside = self.sound.as_ref();
            let studio = &self.context.media;
            let sound = match Sound::open(studio, id, peer, beside, self.mailbox.clone()) {
                Ok(sound) => sound,
                Err(error) => {
                    tracing::error!(%error, "no media for a ringing phone; are there free RTP ports?");
                    continue;
                }
            };
            let invite = self.invite(&phone, sound.offer(first));
            let leg = leg::callee(&self.context, id, invite, self.mailbox.clone());
            let party = Party {
                leg,
                sound: Some(sound),
                reservation,
                answered: false,
                briefing: None,
                rang: false,
                ending: false,
            };
            self.parties.insert(id, party);
            rang = true;
        }
        rang
    }

    fn invite(&self, phone: &Binding, offer: String) -> InviteOption {
        let our_host = self.context.contact.host_with_port.clone();
        let number: String = self
            .caller
            .number
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let user = if number.is_empty() {
            "anonymous".to_owned()
        } else {
            number
        };
        let caller = Uri {
            scheme: Some(Scheme::Sip),
            auth: Some(Auth {
                user,
                password: None,
            }),
            host_with_port: our_host.clone(),
            params: Vec::new(),
            headers: Vec::new(),
        };
        let name: String = self
            .caller
            .display_name
            .chars()
            .filter(|c| !matches!(c, '"' | '\\' | '\r' | '\n'))
            .collect();
        let mut headers = vec![Header::Other(
            "X-Centro-Contact".to_owned(),
            self.contact.to_string(),
        )];
        if let Some(queue) = self.queue {
            headers.push(Header::Other(
                "X-Centro-Queue".to_owned(),
                queue.to_string(),
            ));
        }
        InviteOption {
            caller_display_name: (!name.is_empty()).then_some(name),
            caller,
            callee: phone.contact.clone(),
            destination: Some(phone.destination.clone()),
            content_type: Some("application/sdp".to_owned()),
            offer: Some(offer.into_bytes()),
            contact: self.context.contact.clone(),
            headers: Some(headers),
            call_id: Some(format!(
                "{}@{}",
                uuid::Uuid::new_v4().simple(),
                our_host.host
            )),
            ..InviteOption::default()
        }
    }

    pub(super) async fn on_party(&mut self, id: LegId, event: LegEvent) {
        match event {
            LegEvent::Ringing => {
                if let Some(party) = self.parties.get_mut(&id) {
                    party.rang = true;
                }
            }
            LegEvent::Confirmed(_) => {}
            LegEvent::Digit(digit) => self.pass_digit(id, digit),
            LegEvent::Answered(sdp) => self.on_party_answered(id, &sdp).await,
            LegEvent::Refused(status) => self.on_party_refused(id, status).await,
            LegEvent::Offered(sdp, handle) => self.renegotiate(id, sdp, handle),
            LegEvent::Probed(said) => self.probed(id, said),
            LegEvent::Ended => self.on_party_ended(id).await,
        }
    }

    async fn on_party_answered(&mut self, id: LegId, sdp: &str) {
        let Some(party) = self.parties.get_mut(&id).filter(|p| !p.ending) else {
            return;
        };
        party.answered = true;
        let understood = party.sound.as_ref().is_some_and(|sound| sound.accept(sdp));
        let reservation = party.reservation;
        if !understood {
            self.end_party(id, None);
            return match reservation {
                Some(reservation) => self.drive(Command::DeviceFailed(reservation)).await,
                None => self.all_refused(None).await,
            };
        }
        // The other phones of the same device stop at once.
        let others: Vec<_> = self
            .parties
            .iter()
            .filter(|(o, p)| **o != id && p.reservation == reservation)
            .map(|(o, _)| *o)
            .collect();
        for other in others {
            self.end_party(other, Some(ELSEWHERE));
        }
        match reservation {
            Some(reservation) => self.drive(Command::Answered(reservation)).await,
            None if matches!(self.stage, Stage::Dialling { .. }) => {
                if self.answer() {
                    self.bridge(id, None);
                }
            }
            None => self.end_party(id, None),
        }
    }

    async fn on_party_refused(&mut self, id: LegId, status: u16) {
        let Some(party) = self.parties.remove(&id) else {
            return;
        };
        if party.ending {
            return;
        }
        let busy = BUSY.contains(&status);
        let declined = DECLINED.contains(&status) || (busy && party.rang);
        let Some(reservation) = party.reservation else {
            return self.all_refused(Some(declined)).await;
        };
        let others = self
            .parties
            .iter()
            .any(|(_, p)| p.reservation == Some(reservation) && !p.ending);
        if declined {
            self.drive(Command::Rejected(reservation)).await;
        } else if !others {
            let why = if busy {
                Command::Busy(reservation)
            } else {
                Command::DeviceFailed(reservation)
            };
            self.drive(why).await;
        }
    }

    /// A dialled device: when its last phone refused, or a person declined, nobody answered.
    async fn all_refused(&mut self, declined: Option<bool>) {
        let others = self
            .parties
            .values()
            .any(|p| p.reservation.is_none() && !p.ending);
        if !matches!(self.stage, Stage::Dialling { .. }) || (others && declined != Some(true)) {
            return;
        }
        self.stop_parties(None, None);
        self.leave_node(Outcome::NoAnswer).await;
    }

    async fn on_party_ended(&mut self, id: LegId) {
        let Some(party) = self.parties.remove(&id) else {
            return;
        };
        let talked = self.talks_with(id);
        if party.ending && !talked {
            return;
        }
        match party.reservation {
            Some(reservation) if party.answered => {
                self.drive(Command::AgentHungUp(reservation)).await;
                if talked {
                    self.close(EndedBy::Agent);
                }
            }
            Some(reservation) => self.drive(Command::DeviceFailed(reservation)).await,
            None if talked => self.close(EndedBy::Agent),
            None => self.all_refused(None).await,
        }
    }

    /// Ends one party; it stays in the table until it says so.
    pub(super) fn end_party(&mut self, id: LegId, reason: Option<&'static str>) {
        if let Some(party) = self.parties.get_mut(&id)
            && !party.ending
        {
            party.ending = true;
            party.sound = None;
            party.leg.tell(LegCommand::End(reason));
        }
    }

    /// Ends all parties of one offer, or those that were dialled without one.
    pub(super) fn stop_parties(
        &mut self,
        reservation: Option<Reservation>,
        reason: Option<&'static str>,
    ) {
        let ids: Vec<_> = self
            .parties
            .iter()
            .filter(|(_, p)| p.reservation == reservation)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.end_party(id, reason);
        }
    }
}
