//! Processes and a table in virtual time, with everything that goes wrong: processes that sleep, a table that stops or
//! loses everything, commands that arrive late and answers that never do.

use super::super::*;
use std::collections::HashMap;

const TIMING: Timing = Timing {
    session: Duration::from_millis(2_000),
    beat: Duration::from_millis(500),
    poll: Duration::from_millis(250),
};
const STEP: Duration = Duration::from_millis(10);
/// Shards that are looked at after each step.
const WATCHED: usize = 12;

pub struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// The scripts of the table, in words of Rust.
#[derive(Default)]
pub struct Table {
    now: u64,
    /// With its beginning and its end.
    sessions: BTreeMap<Arc<str>, (Session, u64, u64)>,
    pub owners: HashMap<Shard, String>,
    epochs: HashMap<Shard, u64>,
    pub moves: Moves,
    pub aside: BTreeSet<Arc<str>>,
}

impl Table {
    fn beat(&mut self, me: &Session) -> Beat {
        self.sessions.retain(|_, (.., until)| *until > self.now);
        let old = self.sessions.get(&me.name);
        if old.is_some_and(|(old, ..)| old.nonce != me.nonce) {
            return Beat::Taken;
        }
        let since = old.map_or(self.now, |(_, since, _)| *since);
        let until = self.now + millis(TIMING.session);
        let session = (me.clone(), since, until);
        self.sessions.insert(me.name.clone(), session);
        Beat::Lives { since }
    }

    fn look(&mut self) -> Look {
        self.sessions.retain(|_, (.., until)| *until > self.now);
        Look {
            time: self.now,
            sessions: self.sessions.values().map(|(s, ..)| s.clone()).collect(),
            owners: Shard::all()
                .map(|s| self.owners.get(&s).cloned().unwrap_or_default())
                .collect(),
            moves: self.moves.clone(),
            aside: self.aside.clone(),
        }
    }

    fn obey(&mut self, order: &Order, nonce: &str) -> Option<Epoch> {
        match order {
            Order::Claim { shard, seen, until } => {
                let owner = self.owners.entry(*shard).or_default();
                if self.now > *until || owner != seen {
                    return None;
                }
                let epoch = self.epochs.entry(*shard).or_default();
                *epoch = (*epoch + 1).max(self.now);
                *owner = format!("{epoch}|{nonce}");
                Some(Epoch(*epoch))
            }
            Order::Release { shard, token } => {
                if self.owners.get(shard) == Some(token) {
                    self.owners.insert(*shard, String::new());
                }
                None
            }
        }
    }
}

/// Something on its way to the table, and back.
pub enum Call {
    Beat { sent: Moment },
    Look { began: Moment },
    Order { order: Order, lapses: u64 },
}

pub struct Process {
    pub lease: Lease,
    pub asleep_until: Moment,
    next_beat: Moment,
    next_look: Moment,
    /// Arrives at the table then. The number tells calls apart.
    pub going: Vec<(Moment, u64, Call)>,
    /// Answers.
    coming: Vec<(Moment, u64, Answer)>,
    /// A look and its orders that were not answered; the next look waits for them.
    open: Vec<u64>,
    calls: u64,
}

pub enum Answer {
    Beat {
        sent: Moment,
        beat: Beat,
    },
    Look {
        began: Moment,
        look: Box<Look>,
    },
    Claimed {
        shard: Shard,
        epoch: Option<Epoch>,
        lapses: u64,
    },
    Done,
    Failed,
}

pub struct World {
    random: Random,
    pub now: Moment,
    pub table: Table,
    pub away_until: Moment,
    pub processes: Vec<Process>,
    pub owners: Vec<(Epoch, usize)>,
    pub faults: bool,
}

fn process(name: &str, start: u64, now: Moment) -> Process {
    let me = Session {
        name: Arc::from(name),
        nonce: Arc::from(format!("{name}|{start}")),
        roles: vec![Arc::from("routing")],
        address: Arc::from(""),
        ready: false,
        draining: false,
        work: 0,
        since: 0,
    };
    Process {
        lease: Lease::new(me, Arc::from("routing"), TIMING, now),
        asleep_until: now,
        next_beat: now,
        next_look: now,
        going: Vec::new(),
        coming: Vec::new(),
        open: Vec::new(),
        calls: 0,
    }
}

impl World {
    pub fn new(seed: u64, nodes: &[&str]) -> Self {
        let now = Duration::from_secs(1);
        Self {
            random: Random(seed),
            now,
            table: Table::default(),
            away_until: Moment::ZERO,
            processes: nodes.iter().map(|n| process(n, 0, now)).collect(),
            owners: vec![(Epoch(0), 0); usize::from(SHARDS)],
            faults: false,
        }
    }

    fn delay(&mut self) -> Duration {
        let most = match self.random.below(200) {
            0 if self.faults => 900,
            _ => 15,
        };
        Duration::from_millis(1 + self.random.below(most))
    }

    fn go_wrong(&mut self) {
        match self.random.below(400) {
            0 => {
                let who = usize::try_from(self.random.below(self.processes.len() as u64)).unwrap();
                let pause = Duration::from_millis(self.random.below(6_000));
                self.processes[who].asleep_until = self.now + pause;
            }
            1 => self.away_until = self.now + Duration::from_millis(self.random.below(5_000)),
            2 if self.random.below(8) == 0 => {
                let now = self.table.now;
                self.table = Table {
                    now,
                    ..Table::default()
                };
            }
            _ => {}
        }
    }

    pub fn step(&mut self) {
        self.now += STEP;
        self.table.now = millis(self.now) + 1_000_000;
        if self.faults {
            self.go_wrong();
        }
        for who in 0..self.processes.len() {
            self.arrive(who);
            if self.processes[who].asleep_until <= self.now {
                self.live(who);
            }
        }
        self.check();
    }

    /// What has reached the table is done, whether its sender sleeps or not.
    fn arrive(&mut self, who: usize) {
        if self.away_until > self.now {
            return;
        }
        let process = &mut self.processes[who];
        let (there, going): (Vec<_>, Vec<_>) = std::mem::take(&mut process.going)
            .into_iter()
            .partition(|(at, ..)| *at <= self.now);
        process.going = going;
        let (me, nonce) = (process.lease.me().clone(), process.lease.me().nonce.clone());
        for (_, number, call) in there {
            let back = self.now + self.delay();
            let answer = match call {
                Call::Beat { sent } => Answer::Beat {
                    sent,
                    beat: self.table.beat(&me),
                },
                Call::Look { began } => Answer::Look {
                    began,
                    look: Box::new(self.table.look()),
                },
                Call::Order { order, lapses } => {
                    let epoch = self.table.obey(&order, &nonce);
                    match order {
                        Order::Claim { shard, .. } => Answer::Claimed {
                            shard,
                            epoch,
                            lapses,
                        },
                        Order::Release { .. } => Answer::Done,
                    }
                }
            };
            self.processes[who].coming.push((back, number, answer));
        }
    }

    fn send(&mut self, who: usize, call: Call) {
        let there = self.now + self.delay();
        let process = &mut self.processes[who];
        process.calls += 1;
        let number = process.calls;
        if !matches!(call, Call::Beat { .. }) {
            process.open.push(number);
        }
        process.going.push((there, number, call));
        // The sender loses patience at last, whether the call arrives or not.
        let patience = self.now + TIMING.patience();
        process.coming.push((patience, number, Answer::Failed));
    }

    fn live(&mut self, who: usize) {
        let now = self.now;
        let process = &mut self.processes[who];
        process.lease.tick(now);
        let (heard, coming): (Vec<_>, Vec<_>) = std::mem::take(&mut process.coming)
            .into_iter()
            .partition(|(at, ..)| *at <= now);
        process.coming = coming;
        for (_, number, answer) in heard {
            self.hear(who, number, answer);
        }
        let process = &mut self.processes[who];
        let (beat, look) = (
            process.next_beat <= now,
            process.next_look <= now && process.open.is_empty(),
        );
        if beat {
            process.next_beat = now + TIMING.beat;
        }
        if look {
            process.next_look = now + TIMING.poll;
        }
        if beat {
            self.send(who, Call::Beat { sent: now });
        }
        if look {
            self.send(who, Call::Look { began: now });
        }
        for change in self.processes[who].lease.changes() {
            self.note(who, &change);
        }
    }

    fn hear(&mut self, who: usize, number: u64, answer: Answer) {
        let now = self.now;
        let process = &mut self.processes[who];
        process.open.retain(|open| *open != number);
        if !matches!(answer, Answer::Failed) {
            let patience = process.coming.len();
            process.coming.retain(|(_, other, _)| *other != number);
            if process.coming.len() == patience {
                return; // nobody waits for it any more
            }
        }
        match answer {
            Answer::Beat { sent, beat } => process.lease.beaten(sent, now, beat),
            Answer::Look { began, look } => {
                let orders = process.lease.looked(began, now, &look);
                let lapses = process.lease.lapses();
                for order in orders {
                    self.send(who, Call::Order { order, lapses });
                }
            }
            Answer::Claimed {
                shard,
                epoch,
                lapses,
            } => {
                if let Some(epoch) = epoch {
                    process.lease.claimed(shard, epoch, lapses, now);
                }
            }
            Answer::Done => {}
            Answer::Failed => process.lease.failed(now),
        }
    }

    fn note(&mut self, who: usize, change: &Change) {
        let Change::Gained { shard, epoch } = change else {
            return;
        };
        let (before, owner) = self.owners[shard.index()];
        assert!(
            *epoch > before || (*epoch == before && owner == who),
            "an epoch that was there before: {epoch:?} after {before:?}"
        );
        self.owners[shard.index()] = (*epoch, who);
    }

    pub fn owners_of(&self, shard: Shard) -> Vec<usize> {
        let owns = |who: &usize| {
            matches!(
                self.processes[*who].lease.owner(shard, self.now),
                Some(Owner::Here(_))
            )
        };
        (0..self.processes.len()).filter(owns).collect()
    }

    fn check(&self) {
        for shard in Shard::all().take(WATCHED) {
            let owners = self.owners_of(shard);
            assert!(
                owners.len() < 2,
                "{owners:?} own {shard:?} at {:?}",
                self.now
            );
        }
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    pub fn all_owned(&self) -> bool {
        Shard::all().all(|shard| self.owners_of(shard).len() == 1)
    }
}
