//! A queue's rules: what an administrator sets, with the ranges and defaults of spec §2.2.

use crate::{message::Medium, skills::SkillMatch, strategy::Strategy};
use centro_kernel::QueueId;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// When a queue counts as empty (spec D8, D9).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum EmptyRule {
    /// Never.
    #[default]
    Allow,
    /// Nobody is logged in.
    NoneLoggedIn,
    /// Nobody is in one of [`QueueSettings::counts_as_available`].
    NoneAvailable,
}

/// What an agent does, as a queue counts it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Standing {
    /// Can take a contact, or rests after an offer that came to nothing.
    #[default]
    Ready,
    /// Reserved, ringing or in contact: from the offer to the end of the talk a queue hears nothing new.
    InContact,
    /// Finishes the last contact.
    WrapUp,
    /// Paused, in general or in this queue.
    Paused,
    /// Missed too many offers.
    NotResponding,
    /// Ready, but neither phone nor desktop can be reached.
    Unreachable,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ready,
        Self::InContact,
        Self::WrapUp,
        Self::Paused,
        Self::NotResponding,
        Self::Unreachable,
    ];
    /// How many there are.
    pub const COUNT: usize = 6;
}

/// A set of [`Standing`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standings(u8);

impl Standings {
    /// Those who work: paused, not responding and unreachable agents do not.
    pub const WORKING: Self = Self::of(&[Standing::Ready, Standing::InContact, Standing::WrapUp]);

    /// The set of these.
    pub const fn of(standings: &[Standing]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < standings.len() {
            bits |= 1 << standings[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Whether it is one of them.
    pub const fn has(self, standing: Standing) -> bool {
        self.0 & (1 << standing as u8) != 0
    }
}

/// Help for those who wait long behind heavier queues and higher priorities (spec D17, U13). Off: strict order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Ageing {
    /// Points that a contact's priority and its queue's weight gain with each minute of wait; 0: none.
    pub points_per_minute: u32,
    /// After so many agents who took somebody that came later, here or in another queue, the contact that waited longest of
    /// those they could have served instead goes first everywhere.
    pub max_overtakes: Option<u32>,
    /// After so long a contact goes first everywhere.
    pub max_wait: Option<Duration>,
}

/// What ends the time after a contact (spec D5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum WrapUpMode {
    /// There is none.
    None,
    /// Its time; the agent before it, if the queue allows (D6).
    #[default]
    Timed,
    /// The same, and the agent may ask for more.
    TimedExtendable,
    /// The agent says so.
    UntilDone,
    /// Its time and nothing else, but for a supervisor.
    FixedNoEarlyExit,
}

/// The time after a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WrapUp {
    /// What ends it.
    pub mode: WrapUpMode,
    /// How long it takes, 0 to 900 s; no meaning without an end of its own.
    pub time: Duration,
    /// Whether agents may end it before its time (spec S36, D6). Supervisors always may (S37).
    pub agent_may_end: bool,
}

impl WrapUp {
    /// Whether the agent, who is no supervisor, may end it.
    pub const fn agent_ends(&self) -> bool {
        match self.mode {
            WrapUpMode::UntilDone => true,
            WrapUpMode::FixedNoEarlyExit => false,
            WrapUpMode::None | WrapUpMode::Timed | WrapUpMode::TimedExtendable => {
                self.agent_may_end
            }
        }
    }
}

/// What becomes of an agent who missed too many offers (spec D11).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RonaAction {
    /// Gets no more offers until ready is chosen.
    #[default]
    NotResponding,
    /// Is paused with this reason.
    Pause(Arc<str>),
    /// Is logged out.
    LogOut,
    /// Nothing; the next offer may come at once.
    None,
}

/// Redirection on no answer (spec D11).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rona {
    /// Offers missed in a row, 1 to 10.
    pub count: u32,
    /// What happens then.
    pub action: RonaAction,
    /// It happens in this queue only; the agent goes on in the others.
    pub this_queue_only: bool,
}

/// The queue's rules that hold for a reservation, from the bid to the end of its wrap-up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Terms {
    /// What kind of contact it is.
    pub medium: Medium,
    /// How long the device may ring (spec D2).
    pub ring: Duration,
    /// Time after the contact before the next (spec D5).
    pub wrap_up: WrapUp,
    /// What missed offers lead to (spec D11).
    pub rona: Rona,
    /// How long an agent who declined is left alone (spec D12).
    pub reject_delay: Duration,
    /// How long an agent whose device was busy is left alone (spec D12).
    pub busy_delay: Duration,
    /// How long an agent who did not answer is left alone (spec D12).
    pub no_answer_delay: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            medium: Medium::Voice,
            ring: Duration::from_secs(15),
            wrap_up: WrapUp {
                mode: WrapUpMode::Timed,
                time: Duration::from_secs(10),
                agent_may_end: false,
            },
            rona: Rona {
                count: 1,
                action: RonaAction::NotResponding,
                this_queue_only: false,
            },
            reject_delay: Duration::from_secs(10),
            busy_delay: Duration::from_secs(60),
            no_answer_delay: Duration::ZERO,
        }
    }
}

/// What the answering agent is told and how long the customer is kept from it (spec D4, G15).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Briefing {
    /// Time between the agent's answer and the bridge, 0 to 30 s.
    pub connect_delay: Duration,
    /// Clip played to the agent before the bridge; empty: none.
    pub announcement: Arc<str>,
    /// Whether the agent hears how long the customer waited.
    pub tell_wait: bool,
}

impl Briefing {
    /// How long an announcement is listened to; what is longer is cut.
    pub const LONGEST_ANNOUNCEMENT: Duration = Duration::from_secs(30);
    /// How long it takes to say a wait.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(10);

    /// The time that everything together may take; none where there is nothing to tell and no delay.
    pub fn limit(&self) -> Duration {
        let announcement = match &*self.announcement {
            "" => Duration::ZERO,
            _ => Self::LONGEST_ANNOUNCEMENT,
        };
        let wait = if self.tell_wait {
            Self::LONGEST_WAIT
        } else {
            Duration::ZERO
        };
        self.connect_delay + announcement + wait
    }
}

/// A queue's rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QueueSettings {
    /// Which queue.
    pub id: QueueId,
    /// Version of the configuration; every decision names it (spec U1, U11).
    pub version: u64,
    /// Score against other queues, 1 to 1000; none is the lowest (spec G10, D16).
    pub weight: Option<u32>,
    /// Help for those who wait long (spec D17).
    pub ageing: Ageing,
    /// How agents take turns (spec D1).
    pub strategy: Strategy,
    /// How needs are used (spec D24).
    pub skill_match: SkillMatch,
    /// A contact whose last needs nobody logged in can meet leaves at once instead of waiting (spec G14), also when nobody
    /// is logged in at all; callbacks do not.
    pub move_on_when_no_agent_matches: bool,
    /// After an offer that nobody answered a contact waits so long before the next, 0 to 300 s (spec D3).
    pub retry_delay: Duration,
    /// How many may wait; 0 means no limit (spec D7). Callbacks count, but are not refused: they were promised.
    pub max_callers: u32,
    /// When who comes is turned away at the door (spec D8); callbacks are not.
    pub join_empty: EmptyRule,
    /// When who waits is sent away (spec D9); callbacks and contacts that ring are not.
    pub leave_empty: EmptyRule,
    /// How long the queue must be empty while somebody waits before anybody is sent away, 0 to 600 s (spec D9).
    pub leave_grace: Duration,
    /// Agents who keep a queue from being empty under [`EmptyRule::NoneAvailable`].
    pub counts_as_available: Standings,
    /// What holds for a reservation.
    pub terms: Arc<Terms>,
    /// What holds between answer and bridge.
    pub briefing: Arc<Briefing>,
}

impl QueueSettings {
    /// The defaults of spec §2.2.
    pub fn new(id: QueueId) -> Self {
        Self {
            id,
            version: 0,
            weight: None,
            ageing: Ageing::default(),
            strategy: Strategy::default(),
            skill_match: SkillMatch::default(),
            move_on_when_no_agent_matches: false,
            retry_delay: Duration::from_secs(5),
            max_callers: 0,
            join_empty: EmptyRule::Allow,
            leave_empty: EmptyRule::Allow,
            leave_grace: Duration::from_secs(5),
            counts_as_available: Standings::WORKING,
            terms: Arc::default(),
            briefing: Arc::default(),
        }
    }

    /// How long an offer may last until it is answered and the agent briefed.
    pub fn longest_offer(&self) -> Duration {
        self.terms.ring + self.briefing.limit()
    }
}
