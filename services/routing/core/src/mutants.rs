//! Deliberate bugs, to prove that the checkers of `services/routing/proof` see them.
//!
//! Only with the feature `mutants`, which nothing but that crate asks for: without it [`breaks`] is constantly false, and
//! the product contains none of this. A bug is planted for the thread, so that no rule carries it along.

/// A rule that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// An agent that is reserved has room.
    GrantTwice,
    /// A queue's `Release` is honoured in every phase.
    ReleaseAlways,
    /// The contact is bound when the bid is made, not when the grant comes.
    BindAtBid,
    /// The first bid is granted without hearing the other queues.
    FirstBidWins,
    /// A contact whose offer is not answered is offered again.
    AskTwice,
    /// An old owner's answer stands after the new owner was met.
    KeepOldWord,
    /// An agent believes an old owner of a contact.
    OldEdge,
    /// An agent takes more conversations than the capacity allows.
    IgnoreCapacity,
    /// A conversation reaches an agent in a call.
    InterruptCall,
    /// A grant that the agent's next word overtook is released.
    ReleaseOvertaken,
    /// Who picks a contact up is offered it without a word in the queue's record.
    PickUpUnrecorded,
    /// A queue asks for no agents.
    NeverAsks,
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Breaks a rule on this thread, or none, until the next call.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

#[cfg(feature = "mutants")]
pub(crate) fn breaks(rule: Mutant) -> bool {
    PLANTED.get() == Some(rule)
}

#[cfg(not(feature = "mutants"))]
pub(crate) const fn breaks(_: Mutant) -> bool {
    false
}
