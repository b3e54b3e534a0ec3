//! What can happen next, and how it reads: a scenario is a list of these lines.

use crate::{
    letter::{Actor, Mail, Timer},
    shard::Who,
};
use std::{fmt, sync::Arc};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A letter is read.
    Deliver(Who, Arc<Mail>),
    /// A letter is read, and will be read again.
    Repeat(Arc<Mail>),
    /// A letter is lost.
    Drop(Arc<Mail>),
    /// A letter is read and the step stored; the owner dies before it says so.
    CrashMid(Arc<Mail>),
    /// A deadline.
    Timer(Who, Actor, Timer),
    /// A person does something.
    Input(Arc<Mail>),
    /// An owner or a contact's process dies.
    Crash(Actor),
    /// An owner freezes.
    Pause(Actor),
    /// A shard gets a new owner.
    TakeOver(Actor),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliver(Who::Live, mail) => write!(f, "{mail}"),
            Self::Deliver(Who::Zombie, mail) => write!(f, "zombie {mail}"),
            Self::Repeat(mail) => write!(f, "twice {mail}"),
            Self::Drop(mail) => write!(f, "lost {mail}"),
            Self::CrashMid(mail) => write!(f, "stored, then died: {mail}"),
            Self::Timer(Who::Live, actor, timer) => write!(f, "deadline {actor}: {timer}"),
            Self::Timer(Who::Zombie, actor, timer) => {
                write!(f, "zombie deadline {actor}: {timer}")
            }
            Self::Input(mail) => write!(f, "person {mail}"),
            Self::Crash(actor) => write!(f, "dies {actor}"),
            Self::Pause(actor) => write!(f, "freezes {actor}"),
            Self::TakeOver(actor) => write!(f, "new owner {actor}"),
        }
    }
}
