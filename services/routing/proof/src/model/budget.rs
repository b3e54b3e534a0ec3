//! How much may go wrong, and how often people do the unexpected, on one path.

/// What is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Letters lost.
    pub drop: u8,
    /// Letters read twice.
    pub dup: u8,
    /// Owners of shards that die.
    pub crash: u8,
    /// Owners that freeze and come back as zombies.
    pub pause: u8,
    /// Whether owners of queues do so.
    pub of_queues: bool,
    /// Whether owners of agents do so.
    pub of_agents: bool,
    /// Processes of contacts that die; a contact that outlives its process gets a new owner.
    pub edge_crash: u8,
    /// Owners of contacts that freeze and come back as zombies; only where contacts outlive their process.
    pub edge_pause: u8,
    /// Deadlines that fire while letters are still on their way.
    pub early: u8,
    /// Callers who hang up before they are served.
    pub hang_up: u8,
    /// Callers who press `*`.
    pub star: u8,
    /// Agents who decline.
    pub reject: u8,
    /// Agents who do not answer.
    pub no_answer: u8,
    /// Agents who hang up before the bridge.
    pub agent_hang_up: u8,
    /// Agents who pause or come back.
    pub status: u8,
    /// Contacts that are moved to another queue.
    pub moves: u8,
    /// Contacts that somebody picks up.
    pub pick_up: u8,
    /// Contacts that get another priority.
    pub priority: u8,
}

impl Budget {
    /// Nothing unexpected.
    pub const CALM: Self = Self {
        drop: 0,
        dup: 0,
        crash: 0,
        pause: 0,
        of_queues: false,
        of_agents: false,
        edge_crash: 0,
        edge_pause: 0,
        early: 0,
        hang_up: 0,
        star: 0,
        reject: 0,
        no_answer: 0,
        agent_hang_up: 0,
        status: 0,
        moves: 0,
        pick_up: 0,
        priority: 0,
    };

    /// Each surprise and fault by itself.
    pub const SINGLES: [(&str, Self); 16] = [
        (
            "hang-up",
            Self {
                hang_up: 1,
                ..Self::CALM
            },
        ),
        (
            "star",
            Self {
                star: 1,
                ..Self::CALM
            },
        ),
        (
            "early",
            Self {
                early: 1,
                ..Self::CALM
            },
        ),
        (
            "no answer",
            Self {
                no_answer: 1,
                ..Self::CALM
            },
        ),
        (
            "reject",
            Self {
                reject: 1,
                ..Self::CALM
            },
        ),
        (
            "agent hang-up",
            Self {
                agent_hang_up: 1,
                ..Self::CALM
            },
        ),
        (
            "pause",
            Self {
                status: 1,
                ..Self::CALM
            },
        ),
        (
            "drop",
            Self {
                drop: 1,
                ..Self::CALM
            },
        ),
        (
            "dup",
            Self {
                dup: 1,
                ..Self::CALM
            },
        ),
        (
            "move",
            Self {
                moves: 1,
                ..Self::CALM
            },
        ),
        (
            "pick-up",
            Self {
                pick_up: 1,
                ..Self::CALM
            },
        ),
        (
            "edge crash",
            Self {
                edge_crash: 1,
                ..Self::CALM
            },
        ),
        (
            "agent crash",
            Self {
                crash: 1,
                of_agents: true,
                ..Self::CALM
            },
        ),
        (
            "agent zombie",
            Self {
                pause: 1,
                of_agents: true,
                ..Self::CALM
            },
        ),
        (
            "queue crash",
            Self {
                crash: 1,
                of_queues: true,
                ..Self::CALM
            },
        ),
        (
            "queue zombie",
            Self {
                pause: 1,
                of_queues: true,
                ..Self::CALM
            },
        ),
    ];

    /// By its name.
    pub(crate) fn single(name: &str) -> Self {
        let found = Self::SINGLES.into_iter().find(|(n, _)| *n == name);
        found.map_or(Self::CALM, |(_, budget)| budget)
    }

    /// Both. What one contact can do only once is not added up.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            drop: self.drop + other.drop,
            dup: self.dup + other.dup,
            crash: self.crash + other.crash,
            pause: self.pause + other.pause,
            of_queues: self.of_queues || other.of_queues,
            of_agents: self.of_agents || other.of_agents,
            edge_crash: self.edge_crash.max(other.edge_crash),
            edge_pause: self.edge_pause.max(other.edge_pause),
            early: self.early + other.early,
            hang_up: self.hang_up.max(other.hang_up),
            star: self.star.max(other.star),
            reject: self.reject + other.reject,
            no_answer: self.no_answer.max(other.no_answer),
            agent_hang_up: self.agent_hang_up + other.agent_hang_up,
            status: self.status + other.status,
            moves: self.moves + other.moves,
            pick_up: self.pick_up + other.pick_up,
            priority: self.priority + other.priority,
        }
    }

    /// How many surprises there can be.
    pub(crate) fn surprises(&self) -> u64 {
        [
            self.drop,
            self.dup,
            self.crash,
            self.pause,
            self.edge_crash,
            self.edge_pause,
            self.early,
            self.hang_up,
            self.star,
            self.reject,
            self.no_answer,
            self.agent_hang_up,
            self.status,
            self.moves,
            self.pick_up,
            self.priority,
        ]
        .into_iter()
        .map(u64::from)
        .sum()
    }
}
