//! How letters, deadlines and parties read: a scenario's lines.

use super::{Actor, EdgeTimer, Letter, Mail, Timer};
use crate::ids::{agent_no, contact_no, queue_no};
use centro_edge::Command;
use centro_kernel::{ContactId, contact::Reservation};
use centro_routing_core::{AgentMessage, AgentTimer, Chosen, QueueMessage, QueueTimer};
use std::fmt;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(n) => write!(f, "queue {n}"),
            Self::Agent(n) => write!(f, "agent {n}"),
            Self::Contact(n) => write!(f, "contact {n}"),
        }
    }
}

/// A reservation, in small numbers.
struct Of(Reservation);

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}#{}", agent_no(self.0.agent), self.0.number)
    }
}

/// The contact that somebody picks up.
struct Picks(Option<ContactId>);

impl fmt::Display for Picks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(contact) => write!(f, " picks contact {}", contact_no(contact)),
            None => Ok(()),
        }
    }
}

/// The owner of a contact that outlives its process.
struct Owner(u64);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            epoch => write!(f, " by owner {epoch}"),
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(QueueTimer::Hold) => f.write_str("hold"),
            Self::Queue(QueueTimer::Bid(a)) => write!(f, "bid for agent {}", agent_no(*a)),
            Self::Queue(QueueTimer::Offered(c)) => {
                write!(f, "offered contact {}", contact_no(*c))
            }
            Self::Queue(QueueTimer::Unexclude(c, a)) => {
                write!(
                    f,
                    "unexclude agent {} for contact {}",
                    agent_no(*a),
                    contact_no(*c)
                )
            }
            Self::Queue(QueueTimer::Relax(c)) => write!(f, "relax contact {}", contact_no(*c)),
            Self::Queue(QueueTimer::PickUp(c, a)) => {
                write!(
                    f,
                    "pick-up of contact {} by agent {}",
                    contact_no(*c),
                    agent_no(*a)
                )
            }
            Self::Queue(QueueTimer::Lost(c)) => write!(f, "lost contact {}", contact_no(*c)),
            Self::Queue(QueueTimer::Promise(c)) => {
                write!(f, "promise to contact {}", contact_no(*c))
            }
            Self::Agent(AgentTimer::Solicit) => f.write_str("solicit"),
            Self::Agent(AgentTimer::Refresh) => f.write_str("refresh"),
            Self::Agent(AgentTimer::Slot(n)) => write!(f, "reservation #{n}"),
            Self::Agent(AgentTimer::Rested) => f.write_str("rested"),
            Self::Edge(EdgeTimer::Retry) => f.write_str("retry"),
            Self::Edge(EdgeTimer::Ring) => f.write_str("ring"),
            Self::Edge(EdgeTimer::Brief) => f.write_str("brief"),
            Self::Edge(EdgeTimer::Commit) => f.write_str("commit"),
            #[allow(unreachable_patterns)] // timers that the rules gain
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.to, self.letter)
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(message) => write_queue(f, message),
            Self::Agent(message) => write_agent(f, message),
            Self::Edge(command) => write_edge(f, command),
            Self::HasOffer(of) => write!(f, "HasOffer {}", Of(*of)),
        }
    }
}

fn write_queue(f: &mut fmt::Formatter<'_>, message: &QueueMessage) -> fmt::Result {
    match message {
        QueueMessage::Attach(a) => {
            write!(
                f,
                "Attach contact {} no {}",
                contact_no(a.contact),
                a.attach_no
            )?;
            for of in &a.holding {
                write!(f, " holding {}", Of(*of))?;
            }
            for (agent, _) in &a.excluded {
                write!(f, " without agent {}", agent_no(*agent))?;
            }
            Ok(())
        }
        QueueMessage::OfferEnded {
            contact,
            reservation,
            why,
            ..
        } => write!(
            f,
            "OfferEnded contact {} {} {why:?}",
            contact_no(*contact),
            Of(*reservation)
        ),
        QueueMessage::Left {
            contact,
            attach_no,
            reason,
            agent,
        } => {
            let by = agent
                .map(|a| format!(" by agent {}", agent_no(a)))
                .unwrap_or_default();
            write!(
                f,
                "Left contact {} no {attach_no} {reason:?}{by}",
                contact_no(*contact)
            )
        }
        QueueMessage::Detached { contact, attach_no } => {
            write!(
                f,
                "Detached contact {} no {attach_no}",
                contact_no(*contact)
            )
        }
        QueueMessage::EdgeDead { contact } => {
            write!(f, "EdgeDead contact {}", contact_no(*contact))
        }
        QueueMessage::Presence(p) => {
            let room = match (p.member, p.free) {
                (false, _) => "away",
                (_, true) => "free",
                _ => "taken",
            };
            let lost = p.lost_to.map_or("", |_| " to another queue");
            write!(
                f,
                "Presence agent {} ver {} {room}{lost}",
                agent_no(p.agent),
                p.ver
            )
        }
        QueueMessage::Grant(g) => write!(
            f,
            "Grant {} ver {} epoch {}{}",
            Of(g.reservation),
            g.ver,
            g.epoch,
            Picks(g.pick_up)
        ),
        QueueMessage::PickUp { agent, pick_up } => write!(
            f,
            "PickUp contact {} by agent {}",
            contact_no(pick_up.contact),
            agent_no(*agent)
        ),
        QueueMessage::PickUpRefused { agent, contact, .. } => write!(
            f,
            "PickUpRefused contact {} agent {}",
            contact_no(*contact),
            agent_no(*agent)
        ),
        QueueMessage::SetPriority { contact, priority } => {
            write!(
                f,
                "priority {priority} for contact {}",
                contact_no(*contact)
            )
        }
        QueueMessage::Timer(timer) => write!(f, "timer {}", Timer::Queue(*timer)),
        other => write!(f, "{other:?}"),
    }
}

fn write_agent(f: &mut fmt::Formatter<'_>, message: &AgentMessage) -> fmt::Result {
    match message {
        AgentMessage::Bid(b) => write!(
            f,
            "Bid queue {} epoch {} ver {} weight {}{}",
            queue_no(b.queue),
            b.epoch,
            b.ver,
            b.rank.weight,
            Picks(b.pick_up.map(|p| p.contact))
        ),
        AgentMessage::Pass { queue, epoch, ver } => {
            write!(f, "Pass queue {} epoch {epoch} ver {ver}", queue_no(*queue))
        }
        AgentMessage::Release { number } => write!(f, "Release #{number}"),
        AgentMessage::Alert {
            number,
            contact,
            edge_epoch,
            ..
        } => write!(
            f,
            "Alert #{number} contact {}{}",
            contact_no(*contact),
            Owner(*edge_epoch)
        ),
        AgentMessage::Connect {
            number,
            contact,
            edge_epoch,
        } => write!(
            f,
            "Connect #{number} contact {}{}",
            contact_no(*contact),
            Owner(*edge_epoch)
        ),
        AgentMessage::End {
            number,
            contact,
            why,
            edge_epoch,
        } => write!(
            f,
            "End #{number} contact {} {why:?}{}",
            contact_no(*contact),
            Owner(*edge_epoch)
        ),
        AgentMessage::EdgeDead { contact } => {
            write!(f, "EdgeDead contact {}", contact_no(*contact))
        }
        AgentMessage::NotHeld {
            number,
            contact,
            edge_epoch,
        } => write!(
            f,
            "NotHeld #{number} contact {}{}",
            contact_no(*contact),
            Owner(*edge_epoch)
        ),
        AgentMessage::QueueMoved { queue, epoch } => {
            write!(f, "QueueMoved queue {} epoch {epoch}", queue_no(*queue))
        }
        AgentMessage::SetStatus(Chosen::Ready) => f.write_str("Ready"),
        AgentMessage::SetStatus(Chosen::Paused(_)) => f.write_str("Pause"),
        AgentMessage::SetStatus(Chosen::LoggedOut) => f.write_str("LogOut"),
        AgentMessage::LogIn { .. } => f.write_str("LogIn"),
        AgentMessage::DesktopSeen => f.write_str("desktop seen"),
        AgentMessage::Device { online: true, .. } => f.write_str("device online"),
        AgentMessage::Device { .. } => f.write_str("device offline"),
        AgentMessage::Timer(timer) => write!(f, "timer {}", Timer::Agent(*timer)),
        other => write!(f, "{other:?}"),
    }
}

fn write_edge(f: &mut fmt::Formatter<'_>, command: &Command) -> fmt::Result {
    match command {
        Command::Arrive(queue) => write!(f, "Arrive queue {}", queue_no(*queue)),
        Command::Attached {
            queue,
            attach_no,
            epoch,
        } => write!(
            f,
            "Attached queue {} no {attach_no} epoch {epoch}",
            queue_no(*queue)
        ),
        Command::NotTaken {
            queue,
            attach_no,
            reason,
        } => write!(
            f,
            "NotTaken queue {} no {attach_no} {reason:?}",
            queue_no(*queue)
        ),
        Command::QueueLost { queue, attach_no } => {
            write!(f, "QueueLost queue {} no {attach_no}", queue_no(*queue))
        }
        Command::LeftOk { queue, attach_no } => {
            write!(f, "LeftOk queue {} no {attach_no}", queue_no(*queue))
        }
        Command::Offer {
            queue,
            attach_no,
            reservation,
            ..
        } => write!(
            f,
            "Offer queue {} no {attach_no} {}",
            queue_no(*queue),
            Of(*reservation)
        ),
        Command::AlertOk(of) => write!(f, "AlertOk {}", Of(*of)),
        Command::ConnectOk(of) => write!(f, "ConnectOk {}", Of(*of)),
        Command::Refused(of) => write!(f, "Refused {}", Of(*of)),
        Command::Ended {
            reservation,
            was_connected,
        } => {
            let was = if *was_connected {
                "connected"
            } else {
                "not connected"
            };
            write!(f, "Ended {} {was}", Of(*reservation))
        }
        Command::Cancel(of) => write!(f, "Cancel {}", Of(*of)),
        Command::Answered(of) => write!(f, "answered {}", Of(*of)),
        Command::Briefed(of) => write!(f, "briefed {}", Of(*of)),
        Command::Rejected(of) => write!(f, "rejected {}", Of(*of)),
        Command::DeviceFailed(of) => write!(f, "device failed {}", Of(*of)),
        Command::CouldNotRing(of) => write!(f, "could not ring {}", Of(*of)),
        Command::AgentHungUp(of) => write!(f, "agent hangs up {}", Of(*of)),
        Command::HungUp => f.write_str("hangs up"),
        Command::Star => f.write_str("presses *"),
        Command::TimedOut => f.write_str("times out"),
        Command::MoveTo { to, .. } => write!(f, "moved to queue {}", queue_no(*to)),
        Command::TakenOut { .. } => f.write_str("taken out"),
        Command::Transfer(to) => write!(f, "transferred to queue {}", queue_no(*to)),
        Command::Busy(of) => write!(f, "busy {}", Of(*of)),
        Command::Revalidate => f.write_str("revalidate"),
        Command::Tick => f.write_str("tick"),
    }
}
