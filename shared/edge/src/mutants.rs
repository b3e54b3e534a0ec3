//! Deliberate bugs, to prove that the checkers of `services/routing/proof` see them.
//!
//! Only with the feature `mutants`, which nothing but that crate asks for: without it [`breaks`] is constantly false, and
//! the product contains none of this. A bug is planted for the thread, so that no rule carries it along.

/// A rule that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Offers are taken before the agent's record has confirmed the end of a commit that failed.
    NoSettling,
    /// An offer that has ended is taken again.
    OfferTwice,
    /// An offer refused during a commit is told to the queue at once.
    RefuseInCommit,
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
