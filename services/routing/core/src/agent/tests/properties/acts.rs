//! Random days of an agent: what is said, when, and what of it is said again.

use super::*;
use crate::skills::Capacity;

/// Calls, calls, conversations, conversations.
pub(super) const QUEUES: [QueueId; 4] = [A, B, CHAT, QueueId::from_u128(4)];
/// One thing that happens. Numbers choose among what there is; a message that is lost is one that is not here.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Say(Saying, u8, u8),
    /// What a day that goes well brings next.
    Next(u8, u8),
    /// Said before, and now again.
    Again(u16),
    Wait(u32),
    TakeOver,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Saying {
    LogIn,
    Choose,
    PauseInQueue,
    EndWrapUp,
    ExtendWrapUp,
    Device,
    DesktopSeen,
    DesktopClosed,
    Profile,
    Leave,
    Join,
    Bid,
    OldBid,
    PickUp,
    Pass,
    Release,
    Alert,
    Connect,
    End,
    EdgeDead,
    NotHeld,
    QueueMoved,
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    use Saying::*;
    let often = [Bid, Bid, Bid, Alert, Alert, Connect, End, End, Pass, Pass];
    let at_times = [LogIn, Choose, Device, DesktopSeen, PickUp, EndWrapUp];
    let rarely = [
        PauseInQueue,
        ExtendWrapUp,
        DesktopClosed,
        Profile,
        Leave,
        Join,
        OldBid,
        Release,
        EdgeDead,
        NotHeld,
        QueueMoved,
    ];
    let saying = prop_oneof![
        12 => prop::sample::select(often.to_vec()),
        2 => prop::sample::select(at_times.to_vec()),
        1 => prop::sample::select(rarely.to_vec()),
    ];
    let act = prop_oneof![
        40 => (saying, any::<u8>(), any::<u8>()).prop_map(|(s, x, y)| Act::Say(s, x, y)),
        15 => (any::<u8>(), any::<u8>()).prop_map(|(x, y)| Act::Next(x, y)),
        6 => any::<u16>().prop_map(Act::Again),
        10 => (0_u32..200).prop_map(Act::Wait),
        2 => (0_u32..70_000).prop_map(Act::Wait),
        2 => Just(Act::TakeOver),
    ];
    prop::collection::vec(act, 1..250)
}

fn rules_of(queue: QueueId, x: u8) -> Arc<Terms> {
    use WrapUpMode::{FixedNoEarlyExit, None, Timed, TimedExtendable, UntilDone};
    terms(|t| {
        t.medium = medium_of(queue);
        t.ring = secs(5 + u64::from(x % 50));
        t.wrap_up.mode =
            [None, Timed, TimedExtendable, UntilDone, FixedNoEarlyExit][usize::from(x % 5)];
        t.wrap_up.agent_may_end = x.is_multiple_of(2);
        t.rona = Rona {
            count: u32::from(x % 3) + 1,
            action: [
                RonaAction::NotResponding,
                RonaAction::NotResponding,
                RonaAction::Pause("missed".into()),
                RonaAction::LogOut,
                RonaAction::None,
            ][usize::from(x / 3 % 5)]
            .clone(),
            this_queue_only: x % 7 < 3,
        };
        t.no_answer_delay = secs(u64::from(x % 4));
    })
}

fn medium_of(queue: QueueId) -> Medium {
    if queue == A || queue == B {
        Medium::Voice
    } else {
        Medium::Chat
    }
}

pub(super) fn membership(queue: QueueId, x: u8) -> Membership {
    let order = u32::from(x);
    Membership {
        medium: medium_of(queue),
        order: order.into(),
        temporary: x.is_multiple_of(3),
        ..Membership::new(queue)
    }
}

impl Trial {
    pub(super) fn next(&self) -> Saying {
        let record = self.desk.agent.record();
        let slot = record.slots.iter().find(|s| s.phase != SlotPhase::WrapUp);
        match slot.map(|s| s.phase) {
            None if record.chosen == Chosen::LoggedOut => Saying::LogIn,
            None => Saying::Bid,
            Some(SlotPhase::Reserved) => Saying::Alert,
            Some(SlotPhase::Alerting) => Saying::Connect,
            Some(_) => Saying::End,
        }
    }

    pub(super) fn message(&mut self, saying: Saying, x: u8, y: u8) -> AgentMessage {
        let record = self.desk.agent.record();
        let mostly = !x.is_multiple_of(8);
        // Mostly a queue that may have the agent, else any.
        let asks = record.memberships.iter().filter(|m| record.room_for(m));
        let asks: Vec<_> = asks.map(|m| m.queue).filter(|_| mostly).collect();
        let queue = *asks
            .get(usize::from(x) % asks.len().max(1))
            .unwrap_or(&QUEUES[usize::from(x) % QUEUES.len()]);
        // Mostly a number of which that can be said, else any that was.
        let fits = |s: &&Slot| match saying {
            Saying::Alert | Saying::Release => s.phase == SlotPhase::Reserved,
            Saying::Connect => s.phase == SlotPhase::Alerting,
            Saying::End => s.phase != SlotPhase::Reserved,
            _ => true,
        };
        let fitting: Vec<_> = record
            .slots
            .iter()
            .filter(fits)
            .filter(|_| mostly)
            .collect();
        let slot = fitting.get(usize::from(y) % fitting.len().max(1));
        let number = slot.map_or(u64::from(y) % record.next, |s| s.number);
        let any_contact = contact(u128::from(y % 4));
        let contact = slot.and_then(|s| s.contact).unwrap_or(any_contact);
        let ver = record.ver;
        match saying {
            Saying::LogIn => log_in_to(&[], |log_in| {
                let queues = QUEUES.iter().filter(|q| x & (1 << q.as_u128()) != 0);
                log_in.queues = queues.map(|q| membership(*q, y)).collect();
                log_in.all_queues = x.is_multiple_of(2);
                log_in.ready = !y.is_multiple_of(8);
                log_in.desktop = !y.is_multiple_of(3);
                log_in.device_online = !y.is_multiple_of(5);
                log_in.profile.capacity.voice_interrupts_chat = y.is_multiple_of(2);
            }),
            Saying::Choose => match x % 12 {
                0 => LOG_OUT,
                1 => paused("lunch"),
                2 => paused("meeting"),
                _ => READY,
            },
            Saying::PauseInQueue => pause_in(queue, (y.is_multiple_of(2)).then_some("training")),
            Saying::EndWrapUp => AgentMessage::EndWrapUp {
                contact: (y.is_multiple_of(3)).then_some(contact),
                supervisor: x.is_multiple_of(2),
            },
            Saying::ExtendWrapUp => AgentMessage::ExtendWrapUp {
                contact: (y.is_multiple_of(3)).then_some(contact),
                by: secs(u64::from(x)),
                supervisor: y.is_multiple_of(2),
            },
            Saying::Device => AgentMessage::Device {
                device: DEVICE,
                online: !x.is_multiple_of(3),
            },
            Saying::DesktopSeen => AgentMessage::DesktopSeen,
            Saying::DesktopClosed => AgentMessage::DesktopClosed,
            Saying::Profile => AgentMessage::SetProfile(Profile {
                capacity: Capacity {
                    chats: 1 + x % 4,
                    voice_interrupts_chat: y.is_multiple_of(2),
                },
                ..Profile::default()
            }),
            Saying::Leave => match y % 3 {
                0 => AgentMessage::LeaveQueues(vec![queue]),
                1 => AgentMessage::Unassigned(vec![queue]),
                _ => AgentMessage::QueuesDeleted(vec![queue]),
            },
            Saying::Join => AgentMessage::JoinQueues(vec![membership(queue, y)]),
            Saying::Pass if y.is_multiple_of(2) => AgentMessage::Timer(AgentTimer::Solicit),
            Saying::Bid | Saying::OldBid | Saying::PickUp => AgentMessage::Bid(Bid {
                queue,
                epoch: self.epoch,
                ver: match saying {
                    Saying::Bid => ver,
                    _ => ver.saturating_sub(u64::from(y % 3)),
                },
                rank: Rank {
                    weight: u32::from(y % 3),
                    enqueued_at: at(i64::from(x)),
                },
                terms: rules_of(queue, y),
                pick_up: matches!(saying, Saying::PickUp).then_some(PickUp {
                    contact: any_contact,
                    device: (x.is_multiple_of(2)).then_some(DeviceId::from_u128(8)),
                }),
            }),
            Saying::Pass => AgentMessage::Pass {
                queue,
                epoch: self.epoch,
                ver,
            },
            Saying::Release => AgentMessage::Release { number },
            Saying::Alert => alert(number, contact),
            Saying::Connect => connect(number, contact),
            Saying::End => {
                use OfferEnd::*;
                let all = [
                    Answered,
                    NeverRang,
                    NoAnswer,
                    NoAnswer,
                    Rejected,
                    CallerGone,
                    Cut,
                    Elsewhere,
                    Revoked,
                    CommitFailed,
                    DeviceFailed,
                    Busy,
                ];
                end(number, contact, all[usize::from(y) % all.len()])
            }
            Saying::EdgeDead => AgentMessage::EdgeDead { contact },
            Saying::NotHeld => AgentMessage::NotHeld {
                number,
                contact,
                edge_epoch: 0,
            },
            Saying::QueueMoved => {
                self.epoch += u64::from(y % 2);
                let epoch = self.epoch;
                AgentMessage::QueueMoved { queue, epoch }
            }
        }
    }
}
