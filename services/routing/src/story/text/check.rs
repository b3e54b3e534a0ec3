//! `then`: what must be seen.

use super::{Moment, Named, Range, Span, named::NamedVisitor};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData};

/// What must be seen.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// When. Without it: at some moment, or for counts and states at the end.
    pub at: Option<Moment>,
    /// So much later is still good.
    pub within: Option<Span>,
    /// Counts begin here, and so does `never`.
    pub from: Option<Moment>,
    /// `never` ends here.
    pub until: Option<Moment>,
    /// Whose phone rings for whom.
    #[serde(default)]
    pub rings: Named<String>,
    /// Who talks with whom.
    #[serde(default)]
    pub connected: Named<String>,
    /// Who was offered whom.
    #[serde(default)]
    pub offered: Named<String>,
    /// Who waits, in order.
    pub waiting: Option<Lines>,
    /// How many wait.
    #[serde(default)]
    pub waiting_count: Named<Amount>,
    /// Who left, and why.
    #[serde(default)]
    pub left: Named<Left>,
    /// What agents do: `ready`, `paused(Lunch)`.
    #[serde(default)]
    pub state: Named<String>,
    /// Queues that agents are logged in to.
    #[serde(default)]
    pub queues: Named<Vec<String>>,
    /// How many agents do what.
    #[serde(default)]
    pub agents: Named<Amount>,
    /// How many offers an agent got.
    #[serde(default)]
    pub offers: Named<Amount>,
    /// How many offers an agent missed.
    #[serde(default)]
    pub missed: Named<Amount>,
    /// How many talks an agent had.
    #[serde(default)]
    pub talks: Named<Amount>,
    /// How many callers left for a reason.
    #[serde(default)]
    pub left_count: Named<Amount>,
    /// How often an agent's state changed.
    #[serde(default)]
    pub changes: Named<Amount>,
    /// What must not be seen.
    pub never: Option<Never>,
}

/// What must not be seen at any moment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Whose phone rings for whom; `anybody` is anybody.
    #[serde(default)]
    pub rings: Named<String>,
    /// Who talks with whom.
    #[serde(default)]
    pub connected: Named<String>,
    /// Who is offered whom.
    #[serde(default)]
    pub offered: Named<String>,
    /// Who left, and why.
    #[serde(default)]
    pub left: Named<Left>,
    /// What agents do.
    #[serde(default)]
    pub state: Named<String>,
}

/// How a caller left.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// The reason's name or its number (spec G12, D31).
    pub reason: Option<String>,
    /// The outcome's name (spec G11).
    pub outcome: Option<String>,
    /// How long the caller waited.
    pub wait: Option<Range>,
    /// Which queue.
    pub queue: Option<String>,
}

/// How many: `3`, or `80..120`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The fewest.
    pub least: usize,
    /// The most.
    pub most: usize,
}

impl Amount {
    /// Whether it is so many.
    pub fn has(self, n: usize) -> bool {
        (self.least..=self.most).contains(&n)
    }

    /// As it was written.
    pub fn words(self) -> String {
        if self.least == self.most {
            self.least.to_string()
        } else {
            format!("{}..{}", self.least, self.most)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let (least, most) = text.split_once("..").unwrap_or((&text, &text));
        match (least.trim().parse(), most.trim().parse()) {
            (Ok(least), Ok(most)) if least <= most => Ok(Self { least, most }),
            _ => Err(Error::custom(format!(
                "`{text}` is no number: write 3, or 80..120"
            ))),
        }
    }
}

/// Who waits: in the only queue, or queue by queue.
#[derive(Debug, Clone)]
pub enum Lines {
    /// In the only one.
    Only(Vec<String>),
    /// In each of these.
    Of(Named<Vec<String>>),
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Both;
        impl<'de> Visitor<'de> for Both {
            type Value = Lines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of callers, or one for each queue")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lines, A::Error> {
                let mut line = Vec::new();
                while let Some(caller) = seq.next_element()? {
                    line.push(caller);
                }
                Ok(Lines::Only(line))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lines, A::Error> {
                NamedVisitor(PhantomData).visit_map(map).map(Lines::Of)
            }
        }
        from.deserialize_any(Both)
    }
}
