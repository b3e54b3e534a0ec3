//! Deliberate bugs: each breaks one rule, and a checker must see it. What is only a fault of a machine or of the glue is
//! planted in this crate; what breaks a rule is a hook in the product's code behind its feature `mutants`.

use centro_edge::mutants::{self as edge, Mutant as EdgeRule};
use centro_routing_core::mutants::{self as core, Mutant as CoreRule};
use std::{fmt, str::FromStr};

/// A deliberate bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutant {
    /// The store accepts what an old epoch stores.
    EpochCheck,
    /// An agent grants although it is reserved.
    DoubleGrant,
    /// A reservation without a contact has no deadline.
    ForgottenDeadline,
    /// An edge takes offers of a queue that it has left, or of its old owner.
    OldOwnerOffer,
    /// Only changes are fenced; repeated answers and refusals are not.
    UnfencedReplies,
    /// A queue's `Release` is honoured in every phase.
    ReleaseAlways,
    /// An edge takes offers before the agent's record has confirmed the end of a commit that failed.
    NoSettling,
    /// A queue binds the contact when it bids.
    BindAtBid,
    /// An agent grants the first bid without hearing its other queues.
    FirstBidWins,
    /// A lost bid is never repeated.
    NoBidRetry,
    /// A queue awards at once after a takeover.
    NoHold,
    /// A queue forgets at once that a contact has left.
    NoTombstone,
    /// An edge rings without asking the agent's record.
    RingWithoutAlert,
    /// Flaw 1: the grant and the news that the agent is taken travel apart.
    SplitGrant,
    /// Flaw 2: an edge takes an offer again that has ended.
    OfferTwice,
    /// Flaw 4: a queue offers a contact again whose offer is not answered.
    AskTwice,
    /// Flaw 5: an edge in commit refuses to the queue at once.
    RefuseInCommit,
    /// Flaw 6: an owner of a queue shrugs at a message for a newer epoch.
    SwallowNewer,
    /// Flaw 7: an agent keeps an old owner's answer after it met the new one.
    KeepOldWord,
    /// A new owner of an agent is not told who owns its queues by now.
    UntoldOwner,
    /// An agent believes an old owner of a contact that outlives its process.
    OldEdge,
    /// An agent takes more conversations than the capacity allows.
    IgnoreCapacity,
    /// A conversation reaches an agent in a call.
    InterruptCall,
    /// A grant that its agent's next word overtook is released: with several conversations there is always a next word.
    ReleaseOvertaken,
    /// Who picks a contact up is offered it, and the queue's record does not say so.
    PickUpUnrecorded,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::EpochCheck,
        Self::DoubleGrant,
        Self::ForgottenDeadline,
        Self::OldOwnerOffer,
        Self::UnfencedReplies,
        Self::ReleaseAlways,
        Self::NoSettling,
        Self::BindAtBid,
        Self::FirstBidWins,
        Self::NoBidRetry,
        Self::NoHold,
        Self::NoTombstone,
        Self::RingWithoutAlert,
        Self::SplitGrant,
        Self::OfferTwice,
        Self::AskTwice,
        Self::RefuseInCommit,
        Self::SwallowNewer,
        Self::KeepOldWord,
        Self::UntoldOwner,
        Self::OldEdge,
        Self::IgnoreCapacity,
        Self::InterruptCall,
        Self::ReleaseOvertaken,
        Self::PickUpUnrecorded,
    ];

    /// Its name on the command line and in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EpochCheck => "epoch-check",
            Self::DoubleGrant => "double-grant",
            Self::ForgottenDeadline => "forgotten-deadline",
            Self::OldOwnerOffer => "old-owner-offer",
            Self::UnfencedReplies => "unfenced-replies",
            Self::ReleaseAlways => "release-always",
            Self::NoSettling => "no-settling",
            Self::BindAtBid => "bind-at-bid",
            Self::FirstBidWins => "first-bid-wins",
            Self::NoBidRetry => "no-bid-retry",
            Self::NoHold => "no-hold",
            Self::NoTombstone => "no-tombstone",
            Self::RingWithoutAlert => "ring-without-alert",
            Self::SplitGrant => "split-grant",
            Self::OfferTwice => "offer-twice",
            Self::AskTwice => "ask-twice",
            Self::RefuseInCommit => "refuse-in-commit",
            Self::SwallowNewer => "swallow-newer",
            Self::KeepOldWord => "keep-old-word",
            Self::UntoldOwner => "untold-owner",
            Self::OldEdge => "old-edge",
            Self::IgnoreCapacity => "ignore-capacity",
            Self::InterruptCall => "interrupt-call",
            Self::ReleaseOvertaken => "release-overtaken",
            Self::PickUpUnrecorded => "pick-up-unrecorded",
        }
    }

    /// Plants the bug in the product's rules on this thread, as far as it sits there.
    pub(crate) fn plant(mutant: Option<Self>) {
        core::plant(match mutant {
            Some(Self::DoubleGrant) => Some(CoreRule::GrantTwice),
            Some(Self::ReleaseAlways) => Some(CoreRule::ReleaseAlways),
            Some(Self::BindAtBid) => Some(CoreRule::BindAtBid),
            Some(Self::FirstBidWins) => Some(CoreRule::FirstBidWins),
            Some(Self::AskTwice) => Some(CoreRule::AskTwice),
            Some(Self::KeepOldWord) => Some(CoreRule::KeepOldWord),
            Some(Self::OldEdge) => Some(CoreRule::OldEdge),
            Some(Self::IgnoreCapacity) => Some(CoreRule::IgnoreCapacity),
            Some(Self::InterruptCall) => Some(CoreRule::InterruptCall),
            Some(Self::ReleaseOvertaken) => Some(CoreRule::ReleaseOvertaken),
            Some(Self::PickUpUnrecorded) => Some(CoreRule::PickUpUnrecorded),
            _ => None,
        });
        edge::plant(match mutant {
            Some(Self::NoSettling) => Some(EdgeRule::NoSettling),
            Some(Self::OfferTwice) => Some(EdgeRule::OfferTwice),
            Some(Self::RefuseInCommit) => Some(EdgeRule::RefuseInCommit),
            _ => None,
        });
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mutant {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|m| m.name() == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|m| m.name()).collect();
            anyhow::anyhow!("no rule {name}; one of {}", names.join(", "))
        })
    }
}
