//! The rules of a lease table: who may claim, who must stop, whom to call dead. No clock, no I/O: moments are passed in,
//! what the table said too, and what is to be done comes out.
//!
//! 1. Each process renews one session. It owns nothing from the moment on at which the table could have forgotten it,
//!    judged by its own clock.
//! 2. A shard belongs to one of those who are ready ([`placement`]). It is claimed by whom it belongs to, and only from
//!    nobody or from a process whose session has ended. Who holds what belongs to another stops, then gives it back.
//! 3. After an outage sessions have ended whose processes live. Nobody claims, gives back or calls somebody dead before
//!    everybody had a whole session time to come back. Who comes back goes on with what nobody took meanwhile.

mod placement;
mod session;
#[cfg(test)]
mod tests;

pub use placement::{Moves, place};
pub use session::{Session, Timing, Token};

use crate::{Change, Epoch, Member, Owner, SHARDS, Shard};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Time since the process started, which never goes back.
pub type Moment = Duration;

/// The dead whose names are kept, so that they stay dead while the table is away.
const GRAVES: usize = 1_024;

/// What the table says of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The session lives, and began then by the table's clock, in milliseconds.
    Lives {
        /// Another time than before: it had ended meanwhile.
        since: u64,
    },
    /// Another process has the name.
    Taken,
}

/// What the table holds.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Its clock before anything was read, in milliseconds.
    pub time: u64,
    /// Who is there.
    pub sessions: Vec<Session>,
    /// The owner of each shard as it is written, empty for nobody.
    pub owners: Vec<String>,
    /// Shards that were moved by hand.
    pub moves: Moves,
    /// Names of processes that are to own nothing and take nothing new, until somebody says otherwise.
    pub aside: BTreeSet<Arc<str>>,
}

/// What is to be done in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Take the shard if its owner is still the one that was seen, and the table's clock not past `until`.
    Claim {
        /// Which shard.
        shard: Shard,
        /// Its owner as it was written.
        seen: String,
        /// In milliseconds.
        until: u64,
    },
    /// Give the shard to nobody if this is still its owner.
    Release {
        /// Which shard.
        shard: Shard,
        /// Its owner as it was written.
        token: String,
    },
}

/// What one process knows and may do.
#[derive(Debug)]
pub struct Lease {
    me: Session,
    /// The role whose processes own shards.
    owning: Arc<str>,
    timing: Timing,
    sure_until: Moment,
    /// When the session began, by the table's clock.
    since: u64,
    /// Looks from this time of the table on prove what is ours.
    trusted_from: u64,
    /// How often the session ended; what was asked before it says nothing after.
    lapses: u64,
    settled_from: Moment,
    settled: bool,
    last_look: Option<Moment>,
    held: Vec<Option<Epoch>>,
    elsewhere: Vec<Option<(Arc<str>, Epoch)>>,
    alive: BTreeMap<Arc<str>, Session>,
    dead: VecDeque<Arc<str>>,
    aside: BTreeSet<Arc<str>>,
    changes: Vec<Change>,
}

impl Lease {
    /// A process without a session. `owning` is the role whose processes own shards.
    pub fn new(me: Session, owning: Arc<str>, timing: Timing, now: Moment) -> Self {
        Self {
            me,
            owning,
            timing,
            sure_until: Moment::ZERO,
            since: 0,
            trusted_from: u64::MAX,
            lapses: 0,
            settled_from: now + timing.session,
            settled: false,
            last_look: None,
            held: vec![None; usize::from(SHARDS)],
            elsewhere: vec![None; usize::from(SHARDS)],
            alive: BTreeMap::new(),
            dead: VecDeque::new(),
            aside: BTreeSet::new(),
            changes: Vec::new(),
        }
    }

    /// As it is to be written down.
    pub const fn me(&self) -> &Session {
        &self.me
    }

    /// Until when nothing can have been taken from us.
    pub const fn sure_until(&self) -> Moment {
        self.sure_until
    }

    /// See [`Self::claimed`].
    pub const fn lapses(&self) -> u64 {
        self.lapses
    }

    /// What changed since it was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// See [`crate::Ownership::owner`].
    pub fn owner(&self, shard: Shard, now: Moment) -> Option<Owner> {
        if let Some(epoch) = self.held[shard.index()] {
            return (now < self.sure_until).then_some(Owner::Here(epoch));
        }
        let (node, epoch) = self.elsewhere[shard.index()].clone()?;
        Some(Owner::There { node, epoch })
    }

    /// Whether it is certain that no process of this name lives.
    pub fn is_dead(&self, node: &str) -> bool {
        let buried = || self.dead.iter().any(|name| **name == *node);
        !self.alive.contains_key(node) && (self.settled || buried())
    }

    /// Everybody who lives.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.alive.values().map(|session| self.shown(session))
    }

    /// As others are to see it.
    pub fn shown(&self, session: &Session) -> Member {
        let mut member = session.member();
        member.draining |= self.aside.contains(&session.name);
        member
    }

    /// Whether somebody wants this process to do nothing new.
    pub fn is_aside(&self) -> bool {
        self.aside.contains(&self.me.name)
    }

    /// How much goes on in this process, to be written down with the next renewal.
    pub const fn works(&mut self, work: u32) {
        self.me.work = work;
    }

    /// How many shards it holds.
    pub fn holds(&self) -> usize {
        self.held.iter().flatten().count()
    }

    /// How many shards nobody has, as far as it knows.
    pub fn unowned(&self) -> usize {
        let both = self.held.iter().zip(&self.elsewhere);
        both.filter(|(held, elsewhere)| held.is_none() && elsewhere.is_none())
            .count()
    }

    /// The one with this name.
    pub fn member(&self, name: &str) -> Option<&Session> {
        self.alive.get(name)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.held.iter().all(Option::is_none)
    }

    /// From now on everything is given away.
    pub const fn drain(&mut self) {
        self.me.draining = true;
    }

    /// Time passes.
    pub fn tick(&mut self, now: Moment) {
        if now >= self.sure_until {
            self.lose_all();
        }
    }

    /// A renewal that was sent at `sent` was answered.
    pub fn beaten(&mut self, sent: Moment, now: Moment, beat: Beat) {
        match beat {
            Beat::Lives { since } if since == self.since => {
                self.sure_until = sent + self.timing.sure();
            }
            Beat::Lives { since } => {
                self.lose_all();
                self.lapses += 1;
                self.since = since;
                self.sure_until = sent + self.timing.sure();
                self.trusted_from = since + millis(self.timing.window());
                self.me.ready = false;
                self.unsettle(now);
            }
            Beat::Taken => {
                self.sure_until = Moment::ZERO;
                self.unsettle(now);
            }
        }
        self.tick(now);
    }

    /// The table did not answer, or not in time.
    pub fn failed(&mut self, now: Moment) {
        self.tick(now);
        self.unsettle(now);
    }

    /// The table was looked at, from `began` to `now`. What is to be done, in no particular order, before the next look.
    pub fn looked(&mut self, began: Moment, now: Moment, look: &Look) -> Vec<Order> {
        self.tick(now);
        let gap = self.last_look.map(|last| began.saturating_sub(last));
        if gap.is_some_and(|gap| gap > self.timing.gap()) {
            self.unsettle(now);
        }
        self.last_look = Some(began);
        let sure = now < self.sure_until;
        if sure && !look.sessions.iter().any(|s| s.nonce == self.me.nonce) {
            // The table lost what it had: others are missing in it as we are.
            self.unsettle(now);
        }
        self.settled = sure && began >= self.settled_from;
        if self.settled {
            self.me.ready = true;
        }
        self.meet(look);
        self.aside.clone_from(&look.aside);
        let candidates = candidates(self.alive.values(), &self.owning, &self.aside);
        let mut orders = Vec::new();
        let mut steps = Vec::new();
        let places = place(&candidates, &look.moves);
        for shard in Shard::all() {
            let written = look.owners.get(shard.index()).map_or("", String::as_str);
            let token = Token::read(written);
            let place = places[shard.index()].map(|session| &session.nonce);
            let here = place == Some(&self.me.nonce);
            let leaves = self.me.draining || (self.settled && place.is_some() && !here);
            steps.push(match token {
                Some(token) if token.nonce == self.me.nonce => {
                    if leaves {
                        let token = written.to_owned();
                        orders.push(Order::Release { shard, token });
                        Step::Nobody
                    } else if sure && look.time >= self.trusted_from {
                        Step::Ours(token.epoch)
                    } else {
                        Step::Unproven(token.epoch)
                    }
                }
                Some(token) if self.lives(&token) => Step::Theirs(token),
                _ => {
                    if self.settled && here {
                        let (seen, until) = (written.to_owned(), millis(self.timing.window()));
                        let until = look.time + until;
                        orders.push(Order::Claim { shard, seen, until });
                    }
                    Step::Nobody
                }
            });
        }
        for (shard, step) in Shard::all().zip(steps) {
            self.take(shard, step);
        }
        orders
    }

    /// A claim succeeded that was ordered when [`Self::lapses`] was this.
    pub fn claimed(&mut self, shard: Shard, epoch: Epoch, lapses: u64, now: Moment) {
        self.tick(now);
        if lapses == self.lapses && now < self.sure_until && !self.me.draining {
            self.take(shard, Step::Ours(epoch));
        }
    }

    /// Who is there, and who is no more.
    fn meet(&mut self, look: &Look) {
        let there = |name: &Arc<str>| look.sessions.iter().find(|s| s.name == *name);
        let gone: Vec<_> = self
            .alive
            .values()
            .filter(|known| match there(&known.name) {
                // Two of one name never live at once.
                Some(session) => session.nonce != known.nonce,
                None => self.settled,
            })
            .map(|known| known.name.clone())
            .collect();
        for node in gone {
            self.alive.remove(&node);
            self.dead.push_back(node.clone());
            if self.dead.len() > GRAVES {
                self.dead.pop_front();
            }
            self.changes.push(Change::NodeDead { node });
        }
        for session in &look.sessions {
            self.dead.retain(|name| *name != session.name);
            self.alive.insert(session.name.clone(), session.clone());
        }
        // We may know more of ourselves than is written.
        if let Some(me) = self.alive.get_mut(&self.me.name)
            && me.nonce == self.me.nonce
        {
            me.clone_from(&self.me);
        }
    }

    fn lives(&self, token: &Token) -> bool {
        let session = self.alive.get(token.name());
        session.is_some_and(|session| session.nonce == token.nonce)
    }

    fn take(&mut self, shard: Shard, step: Step) {
        let held = self.held[shard.index()];
        let goes_on = match step {
            Step::Ours(epoch) | Step::Unproven(epoch) => held == Some(epoch),
            Step::Theirs(_) | Step::Nobody => false,
        };
        if let Some(epoch) = held.filter(|_| !goes_on) {
            self.held[shard.index()] = None;
            self.changes.push(Change::Lost { shard, epoch });
        }
        let elsewhere = match step {
            Step::Ours(epoch) => {
                if !goes_on {
                    self.held[shard.index()] = Some(epoch);
                    self.changes.push(Change::Gained { shard, epoch });
                }
                None
            }
            Step::Theirs(token) => Some((Arc::from(token.name()), token.epoch)),
            Step::Unproven(_) | Step::Nobody => None,
        };
        if let Some((node, epoch)) = &elsewhere
            && self.elsewhere[shard.index()] != elsewhere
        {
            let (node, epoch) = (node.clone(), *epoch);
            self.changes.push(Change::Moved { shard, node, epoch });
        }
        self.elsewhere[shard.index()] = elsewhere;
    }

    fn lose_all(&mut self) {
        for shard in Shard::all() {
            if self.held[shard.index()].is_some() {
                self.take(shard, Step::Nobody);
            }
        }
    }

    fn unsettle(&mut self, now: Moment) {
        self.settled = false;
        self.settled_from = self.settled_from.max(now + self.timing.session);
    }
}

/// Whose a shard is, as far as the table and the rules say.
enum Step {
    Ours(Epoch),
    /// It is written that it is ours, which does not prove that nobody is taking it.
    Unproven(Epoch),
    Theirs(Token),
    Nobody,
}

/// Who may own shards. Those who were put aside only when there is nobody else: better one of them than none.
pub fn candidates<'a>(
    alive: impl Iterator<Item = &'a Session>,
    owning: &str,
    aside: &BTreeSet<Arc<str>>,
) -> Vec<&'a Session> {
    let able = |s: &&Session| s.ready && !s.draining && s.has(owning);
    let (aside, wanted): (Vec<_>, Vec<_>) =
        (alive.filter(able)).partition(|session| aside.contains(&session.name));
    if wanted.is_empty() { aside } else { wanted }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
